"""A restore lets nobody in whom something after the backup had put out, and ends every session."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from typing_extensions import override

from tenure import settings
from tenure.domain.errors import Conflict, NotFound, Unauthenticated, Unavailable
from tenure.domain.events import Tag
from tenure.domain.notices import Kind
from tenure.domain.people import RecoveryCode, Role
from tenure.services import auditing, comparing, restoring
from tenure.services.comparing import Verdict
from tenure.services.people.invitations import Invited
from tenure.services.people.stepups import Change
from tenure.services.pushing import Files
from tenure.store import checkpoints, schema, schema_people
from tests.services import parts as building
from tests.services.disasters import Disaster, catch_up
from tests.services.parts import ACTOR, Parts
from tests.services.people.doors import Door, Somebody, secret_of
from tests.services.telling import Teller

pytestmark = pytest.mark.slow

NEW = "another horse, another staple"


class Peopled(Disaster):
    """A house of people, backed up, and what they did after it."""

    @override
    def begin(self) -> None:
        self.door = Door(self.parts)
        names = ("unchanged", "changed", "removed", "spoken", "used", "recovering")
        self.they = {name: self.door.owner() for name in names}
        self.admin = self.door.operator()
        self.open = self.door.invite()

    @override
    def go_on(self) -> None:
        door, they = self.door, self.they
        session = door.approve(they["changed"], Change.PASSWORD)
        begun = door.people.factors.change_password(session, they["changed"].password, NEW)
        door.take(they["changed"], begun)
        door.people.remove(they["removed"].person.person_id, ACTOR)
        door.people.prefer(they["spoken"].person.person_id, language="ja", time_zone=None)
        code = RecoveryCode(they["used"].codes[0])
        door.people.sign_in.prove(door.say_password(they["used"]), code)
        account = str(they["recovering"].person.account_id)
        door.people.recovery.begin(account, ACTOR)
        self.latecomer = door.owner(passkey=True)
        self.late_operator = door.operator(Role.VIEWER, "grace@example.com")
        self.invited = door.invite()


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[Peopled]:
    disaster = Peopled(tmp_path)
    yield disaster
    disaster.parts.close()


@pytest.fixture
def restored(lost: Peopled) -> Iterator[Door]:
    parts = lost.restored()
    catch_up(parts, lost.export, lost.pushed)
    for made in building.until_closed(parts):
        yield Door(made)


def can_sign_in(door: Door, one: Somebody, password: str | None = None) -> bool:
    try:
        session = door.say_password(one, password)
        return door.take(one, door.people.sign_in.prove(session, door.next_code(one))).is_full
    except Unauthenticated:
        return False


def test_who_changed_nothing_signs_in_as_before(lost: Peopled, restored: Door) -> None:
    for name in ("unchanged", "spoken", "recovering"):
        assert can_sign_in(restored, lost.they[name]), name
    assert can_sign_in(restored, lost.admin)
    assert restored.again(lost.they["spoken"]).language == "ja"


def test_an_old_password_and_a_used_code_do_not_come_back(lost: Peopled, restored: Door) -> None:
    """The journal has neither the new password nor the codes: so nothing of theirs counts."""
    for name in ("changed", "used"):
        one = lost.they[name]
        assert not can_sign_in(restored, one)
        assert not can_sign_in(restored, one, NEW)
        person = restored.again(one)
        assert (person.has_joined, person.factors, person.recovery_codes_left) == (False, 0, 0)
        invited = restored.people.invitations.of_account(str(one.person.account_id), ACTOR)
        assert restored.joining(invited).person.person_id == one.person.person_id


def test_who_was_removed_stays_out(lost: Peopled, restored: Door) -> None:
    one = lost.they["removed"]

    assert not can_sign_in(restored, one)
    with pytest.raises(NotFound):
        restored.again(one)


def test_who_joined_since_is_there_and_has_to_be_invited_anew(
    lost: Peopled, restored: Door
) -> None:
    for one in (lost.latecomer, lost.late_operator):
        assert not restored.again(one).has_joined
    assert restored.again(lost.late_operator).role is Role.VIEWER
    teller = Teller(restored.parts)
    assert teller.kinds(str(lost.latecomer.person.account_id))[-1] is Kind.SIGN_IN_CHANGED


def test_a_recovery_goes_on_and_the_keys_stay_frozen(lost: Peopled, restored: Door) -> None:
    account = str(lost.they["recovering"].person.account_id)

    assert restored.again(lost.they["recovering"]).recovery is not None
    with pytest.raises(Conflict):
        restored.parts.accounts.set_frozen(account, frozen=False, actor=ACTOR)
    restored.people.recovery.cancel(account, ACTOR)
    assert restored.parts.accounts.get(account).frozen_at_ms is None


def test_no_session_and_no_link_outlives_a_restore(lost: Peopled, restored: Door) -> None:
    everybody = [*lost.they.values(), lost.admin, lost.latecomer]
    for one in everybody:
        with pytest.raises(Unauthenticated):
            restored.session(one)
    for invited in (lost.open, lost.invited):
        assert is_dead(restored, invited)


def is_dead(door: Door, invited: Invited) -> bool:
    try:
        door.people.invitations.look(secret_of(invited.link))
    except NotFound:
        return True
    return False


def test_the_rows_are_what_the_journal_says_and_who_is_out_is_told(
    lost: Peopled, tmp_path: Path
) -> None:
    parts = lost.restored("again")
    done = catch_up(parts, lost.export, lost.pushed)

    out = {lost.they[name].person.person_id for name in ("changed", "used")}
    out |= {lost.latecomer.person.person_id, lost.late_operator.person.person_id}
    assert set(done.without_factors) == out
    cleared = [event for event in parts.events() if event.change.tag is Tag.PERSON_CLEARED]
    assert {event.change.body["person"]["person_id"] for event in cleared} == out  # type: ignore[index]  # JSON
    assert tmp_path.is_dir()
    verdict = auditing.verify_store(parts.store, [lost.pushed], None, lambda _: None)
    assert verdict.differences == []
    parts.close()


def test_the_backup_has_nobody_signed_in(lost: Peopled) -> None:
    text = lost.backup.read_text(encoding="utf-8")
    names = {
        json.loads(line)["table"] for line in text.splitlines() if line.startswith('{"columns"')
    }

    assert "people" in names
    assert not names & schema_people.FLEETING
    for one in lost.they.values():
        assert one.cookie not in text
        assert one.seed not in text
        assert one.password not in text


def test_a_store_that_is_released_as_it_was_has_no_sessions_either(lost: Peopled) -> None:
    parts = lost.restored("accepted")
    door = Door(parts)
    with pytest.raises(Unavailable):
        door.say_password(lost.they["unchanged"])
    restoring.accept(parts.store, parts.clock, "the export is lost")

    with pytest.raises(Unauthenticated):
        door.session(lost.admin)
    assert can_sign_in(door, lost.they["unchanged"])
    parts.close()


def test_nobody_stays_signed_in_by_a_copy_of_the_file_that_was_put_back(
    lost: Peopled, tmp_path: Path
) -> None:
    """No `tenure restore` was there: what was pushed tells that the journal went back."""
    given = settings.load(home=lost.parts.home, checkpoint_file=tmp_path / "pushed.txt")
    store, door = lost.parts.store, Door(lost.parts)
    pushed = store.read(checkpoints.latest)
    assert pushed is not None
    Files(tmp_path / "pushed.txt").push(pushed)
    restoring.begin(store, given, lost.parts.clock)
    door.sign_in(lost.admin)
    assert not is_dead(door, lost.invited)
    gone = schema.events.delete().where(schema.events.c.seq > 6)
    store.write(lambda tx: tx.execute(gone))
    store.write(lambda tx: tx.execute(schema.journal_head.update().values(seq=6)))

    restoring.begin(store, given, lost.parts.clock)

    with pytest.raises(Unauthenticated):
        door.session(lost.admin)
    assert is_dead(door, lost.invited)


def found(parts: Parts) -> list[str]:
    verdict = Verdict()
    comparing.compare(parts.store.read, verdict, lambda _: None)
    return [f"{item.kind}: {item.what}" for item in verdict.differences]


def test_a_row_that_no_event_explains_is_found(door: Door) -> None:
    """T43: somebody with write access to the tables makes himself an administrator."""
    one, owner = door.operator(Role.VIEWER), door.owner(passkey=True)
    assert found(door.parts) == []
    people, passkeys = schema_people.people, schema_people.passkeys

    def spoil(person_id: str, **columns: object) -> None:
        own = people.update().where(people.c.person_id == person_id).values(columns)
        door.parts.store.write(lambda tx: tx.execute(own))

    spoil(one.person.person_id, role="administrator")
    assert found(door.parts) == ['person: role is "administrator"; by the journal: role "viewer"']
    spoil(one.person.person_id, role="viewer")
    swap = passkeys.update().values(public_key=b"another")
    door.parts.store.write(lambda tx: tx.execute(swap))
    (said,) = found(door.parts)
    assert said.startswith("person: passkeys is")
    spoil(owner.person.person_id, role="nonsense")
    assert "person: no event explains it" in found(door.parts)


def test_a_person_whom_no_event_knows_is_found(door: Door) -> None:
    one = door.owner()
    people = schema_people.people
    row = door.parts.store.read(partial(_row, person_id=one.person.person_id))
    row |= {"person_id": "psn_x", "sign_in_name": "eve@example.com", "account_id": None}
    door.parts.store.write(lambda tx: tx.execute(people.insert().values(row)))

    assert found(door.parts) == ["person: no event explains it"]


def _row(tx: object, person_id: str) -> dict[str, object]:
    chosen = schema_people.people.select().where(schema_people.people.c.person_id == person_id)
    return dict(tx.execute(chosen).mappings().one())  # type: ignore[attr-defined]  # a Transaction
