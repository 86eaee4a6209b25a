"""Comparing rows with the journal: whatever was written past Tenure is found, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy

from tenure.domain.contacts import Channel
from tenure.domain.marks import Selection
from tenure.domain.model import READING, AccountKind, KeyType
from tenure.domain.rules import Rulebook
from tenure.services import comparing
from tenure.services.comparing import Verdict
from tenure.services.contacts import Wish
from tenure.services.keys import Wanted
from tenure.store import schema, schema_notices
from tests.builders import DAY_MS, HOME, TRADING, a_rule
from tests.services import parts as building
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

Statement = sqlalchemy.Executable
RENAMED = Selection(label="renamed")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Return a store in which everything happened that may: each test puts back what it spoils."""
    yield from building.until_closed(live(building.opened(tmp_path_factory.mktemp("lived"))))


def live(parts: Parts) -> Parts:
    """Do one of everything."""
    master = parts.account(AccountKind.MASTER)
    sub = parts.account(AccountKind.SUB, master.account_id)
    lapsing = parts.issue(TRADING, account=master)
    edited = parts.issue(TRADING, account=sub)
    parts.issue(TRADING, account=sub, key_type=KeyType.ED25519)
    parts.edit(edited, Wanted(label="renamed", ip_allowlist=(HOME,)))
    parts.rotate(edited)
    parts.clock.advance(31 * DAY_MS)
    parts.sweep.tick()
    parts.edit(lapsing, Wanted(permissions={TRADING: True}))
    parts.keys.revoke(parts.issue(account=master).key_id, "operator")
    parts.accounts.set_frozen(sub.account_id, frozen=True, actor="operator")
    parts.accounts.set_frozen(sub.account_id, frozen=False, actor="operator")
    parts.accounts.set_frozen(parts.account().account_id, frozen=True, actor="operator")
    around(Teller(parts), master.account_id, edited.key_id)
    return parts


def around(teller: Teller, account_id: str, key_id: str) -> None:
    """Do one of everything that is done around the keys."""
    parts, wish = teller.parts, Wish(address="https://hooks.example.com/secret")
    parts.quarantine.place(key_id, ACTOR, cause="was seen")
    parts.revocations.commit(RENAMED, parts.revocations.preview(RENAMED).stamp, ACTOR)
    hook = teller.contacts.add(account_id, Channel.WEBHOOK, wish, ACTOR).contact
    teller.contacts.remove(account_id, hook.contact_id, ACTOR)
    desk = Wish(address="desk@example.com")
    contact = teller.contacts.add(account_id, Channel.EMAIL, desk, ACTOR).contact
    teller.contacts.change(account_id, contact.contact_id, Wish(language="ja"), ACTOR)
    teller.calendars.renew(account_id, ACTOR)
    teller.leads.choose(account_id, [DAY_MS, 2 * DAY_MS], ACTOR)
    later = Rulebook((a_rule("later", since="2030-01-01 00:00"),))
    parts.rules.schedule(later, parts.rules.preview(later).stamp, ACTOR)
    parts.rules.withdraw("later", ACTOR)


def found_in(parts: Parts) -> Verdict:
    verdict = Verdict()
    comparing.compare(parts.store.read, verdict, lambda _: None)
    return verdict


@pytest.fixture
def spoil(lived: Parts) -> Iterator[Callable[[Statement], Verdict]]:
    """Return what runs a statement past Tenure and compares; everything is put back afterwards."""
    connection = lived.store.engine.connect()
    inner = connection.begin()

    def act(statement: Statement) -> Verdict:
        connection.execute(statement)
        verdict = Verdict()
        comparing.compare(lambda fn: fn(connection), verdict, lambda _: None)
        return verdict

    yield act
    inner.rollback()
    connection.close()


def test_a_store_that_only_tenure_wrote_to_does_not_differ(lived: Parts) -> None:
    verdict = found_in(lived)
    assert verdict.differences == []
    assert verdict.is_clean
    assert verdict.rows == 7


KEYS, GRANTS, ACCOUNTS = schema.keys, schema.grants, schema.accounts
CONTACTS, CALENDARS = schema_notices.contacts, schema_notices.calendars
LEADS = schema_notices.lead_times


@pytest.mark.parametrize(
    "column",
    [
        *("api_key", "label", "key_type", "public_key", "ip_allowlist"),
        *("issued_at_ms", "edited_at_ms", "revoked_at_ms", "version"),
    ],
)
def test_a_key_that_was_updated_by_hand_is_found(
    spoil: Callable[[Statement], Verdict], column: str
) -> None:
    values = {"key_type": "rsa", "ip_allowlist": '["1.2.3.4"]', "label": "other", "api_key": "x"}
    value: object = values.get(column, "a key" if column == "public_key" else 7)
    one = sqlalchemy.select(KEYS.c.key_id).order_by(KEYS.c.issued_at_ms).limit(1).scalar_subquery()
    verdict = spoil(KEYS.update().where(KEYS.c.key_id == one).values({column: value}))
    assert [item.kind for item in verdict.differences] == ["key"]
    assert column in verdict.differences[0].what


def test_a_key_that_was_revived_is_found(spoil: Callable[[Statement], Verdict]) -> None:
    verdict = spoil(KEYS.update().values(revoked_at_ms=None))
    (found,) = verdict.differences
    assert found.what.startswith("revoked_at_ms is null; by the journal: revoked_at_ms 1")


def test_a_key_that_was_given_to_another_account_is_found(
    spoil: Callable[[Statement], Verdict],
) -> None:
    other = sqlalchemy.select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.kind == "sub")
    verdict = spoil(KEYS.update().values(account_id=other.scalar_subquery()))
    assert verdict.differing == 2
    assert all("account_id is" in item.what for item in verdict.differences)


@pytest.mark.parametrize(
    "values",
    [
        {"granted_at_ms": 7},
        {"ends_at_ms": None, "starts_at_ms": None, "rule_id": None},
        {"ends_at_ms": 9_999_999_999_999},
        {"rule_id": "another"},
        {"swept_at_ms": 1},
    ],
)
def test_a_grant_that_was_updated_by_hand_is_found(
    spoil: Callable[[Statement], Verdict], values: dict[str, object]
) -> None:
    running = GRANTS.c.swept_at_ms.is_(None) & GRANTS.c.ends_at_ms.is_not(None)
    verdict = spoil(GRANTS.update().where(running).values(values))
    assert verdict.differing >= 1
    assert verdict.differences[0].kind == "key"


def test_a_sweep_that_was_undone_is_found(spoil: Callable[[Statement], Verdict]) -> None:
    verdict = spoil(GRANTS.update().values(swept_at_ms=None))
    assert [item.what for item in verdict.differences] == [
        f'swept is []; by the journal: swept ["{TRADING}"]'
    ]


def test_grants_that_were_added_or_taken_by_hand_are_found(
    spoil: Callable[[Statement], Verdict],
) -> None:
    verdict = spoil(GRANTS.delete().where(GRANTS.c.permission == READING))
    assert verdict.differing == 4
    one = sqlalchemy.select(KEYS.c.key_id).limit(1).scalar_subquery()
    withdrawals = {"key_id": one, "permission": "withdrawals", "granted_at_ms": 1}
    assert "withdrawals" in str(spoil(GRANTS.insert().values(withdrawals)).differences)


@pytest.mark.parametrize(
    "values",
    [{"frozen_at_ms": 7}, {"email": "other@example.com"}, {"created_at_ms": 7}, {"kind": "normal"}],
)
def test_an_account_that_was_updated_by_hand_is_found(
    spoil: Callable[[Statement], Verdict], values: dict[str, object]
) -> None:
    verdict = spoil(ACCOUNTS.update().where(ACCOUNTS.c.kind == "master").values(values))
    assert verdict.differences[-1].kind == "account"


def test_an_account_that_was_unfrozen_by_hand_is_found(
    spoil: Callable[[Statement], Verdict],
) -> None:
    verdict = spoil(ACCOUNTS.update().values(frozen_at_ms=None))
    assert [item.kind for item in verdict.differences] == ["account"]


def test_rows_that_no_event_explains_are_found(spoil: Callable[[Statement], Verdict]) -> None:
    one = {"account_id": "acct_x", "kind": "normal", "email": "x@example.com", "created_at_ms": 1}
    verdict = spoil(ACCOUNTS.insert().values(one))
    assert [(item.subject, item.what) for item in verdict.differences] == [
        ("acct_x", "no event explains it")
    ]
    columns = [column for column in KEYS.c if column.name not in {"key_id", "api_key"}]
    copied = sqlalchemy.select(sqlalchemy.literal("key_x"), sqlalchemy.literal("x"), *columns)
    names = ["key_id", "api_key", *(column.name for column in columns)]
    verdict = spoil(KEYS.insert().from_select(names, copied.limit(1)))
    assert ("key", "key_x") in [(item.kind, item.subject) for item in verdict.differences]


def test_rows_that_are_gone_are_found(spoil: Callable[[Statement], Verdict]) -> None:
    spoil(GRANTS.delete())
    verdict = spoil(KEYS.delete())
    assert verdict.differing == 4
    assert {item.what for item in verdict.differences} == {
        "the journal has it, and the tables do not"
    }
    spoil(CALENDARS.delete())
    assert spoil(LEADS.delete()).differing == 4 + 1
    contacts = spoil(CONTACTS.delete()).differing - 5
    spoil(ACCOUNTS.delete().where(ACCOUNTS.c.kind == "sub"))
    verdict = spoil(ACCOUNTS.delete())
    assert (contacts, verdict.differing) == (5, 4 + 1 + 5 + 3)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (schema.revocations.delete(), "mark"),
        (schema.revocations.update().values(issued_before_ms=7), "mark"),
        (schema.revocations.update().values(label="other"), "mark"),
        (KEYS.update().values(quarantined_at_ms=None, quarantine_cause=None), "key"),
        (CONTACTS.update().values(address="thief@example.com"), "contact"),
        (LEADS.delete().where(LEADS.c.lead_ms == DAY_MS), "lead_times"),
        (CONTACTS.update().values(removed_at_ms=None), "contact"),
        (CONTACTS.delete().where(CONTACTS.c.channel == "webhook"), "contact"),
        (CONTACTS.update().values(muted="["), "contact"),
        (CALENDARS.update().values(made_at_ms=7), "calendar"),
        (schema.rules.update().values(withdrawn_at_ms=None), "rule"),
        (schema.rules.update().values(withdrawn_at_ms=7), "rule"),
    ],
)
def test_what_surrounds_the_keys_is_compared_too(
    spoil: Callable[[Statement], Verdict], statement: Statement, kind: str
) -> None:
    assert {item.kind for item in spoil(statement).differences} == {kind}


def test_a_calendar_that_nobody_asked_for_is_found(
    spoil: Callable[[Statement], Verdict],
) -> None:
    other = sqlalchemy.select(ACCOUNTS.c.account_id).where(ACCOUNTS.c.kind == "sub")
    added = CALENDARS.insert().values(
        account_id=other.scalar_subquery(), secret_hash="x", made_at_ms=1
    )
    (found,) = spoil(added).differences
    assert (found.kind, found.what) == ("calendar", "no event explains it")


@pytest.mark.parametrize(
    "statement",
    [
        schema.rules.delete().where(schema.rules.c.rule_id == "2021-07-09"),
        schema.rules.update().values(body="{}"),
        schema.rules.update().values(
            body=sqlalchemy.func.replace(schema.rules.c.body, "2592000000", "2592000001")
        ),
    ],
)
def test_a_rule_that_was_altered_or_taken_is_found(
    spoil: Callable[[Statement], Verdict], statement: Statement
) -> None:
    assert {item.kind for item in spoil(statement).differences} == {"rule"}


def test_rows_that_nobody_can_read_are_found(spoil: Callable[[Statement], Verdict]) -> None:
    verdict = spoil(KEYS.update().values(ip_allowlist="["))
    assert verdict.differing == 4
    assert "nobody can read it" in verdict.differences[0].what
    kinds = spoil(ACCOUNTS.update().where(ACCOUNTS.c.kind == "master").values(kind="emperor"))
    assert "nobody can read it" in kinds.differences[-1].what


def test_pages_are_compared_one_after_the_other(
    lived: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_SUBJECTS", 2)
    done: list[int] = []
    verdict = Verdict()
    comparing.compare(lived.store.read, verdict, done.append)
    assert verdict.is_clean
    assert done == [2, 2, 2, 1]


def test_only_the_first_hundred_are_kept_and_all_are_counted() -> None:
    verdict = Verdict()
    for number in range(250):
        verdict.differ("key", str(number), "is different")
    assert (len(verdict.differences), verdict.differing) == (100, 250)
    assert not verdict.is_clean


def test_a_store_in_a_directory_is_made(tmp_path: Path) -> None:
    """Nothing in it but the rulebook: that too is explained."""
    parts = building.opened(tmp_path)
    assert found_in(parts).is_clean
    parts.close()
