"""Revoking very many keys by one mark: seen first, at once, everywhere, for good (SECURITY D17)."""

import random
from dataclasses import dataclass

import pytest

from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, Invalid, NotFound, Unavailable
from tenure.domain.marks import Selection
from tenure.domain.model import AccountId, AccountKind, ApiKey, KeyStatus, KeyType
from tenure.domain.notices import Kind
from tenure.services.keyring import Keyring
from tenure.services.keys import Draft, Wanted
from tenure.services.revocations import Shown
from tests import signers
from tests.builders import DAY_MS, TRADING
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

LEAKED = Selection(label="my bot")


def strike(parts: Parts, selection: Selection = LEAKED) -> Shown:
    """Preview and confirm."""
    return parts.revocations.commit(selection, parts.revocations.preview(selection).stamp, ACTOR)


def renamed(parts: Parts, key: ApiKey, label: str) -> ApiKey:
    return parts.edit(key, Wanted(label=label)).plan.after


def test_those_whose_keys_were_revoked_are_told_and_their_masters(parts: Parts) -> None:
    """Nobody else: a million owners would look for keys that were never touched."""
    teller = Teller(parts)
    master, other_master = (parts.account(AccountKind.MASTER) for _ in range(2))
    sub, other_sub = (
        parts.account(AccountKind.SUB, each.account_id) for each in (master, other_master)
    )
    parts.issue(TRADING, account=sub)
    renamed(parts, parts.issue(TRADING, account=other_sub), "another")
    own, gone = parts.issue(TRADING), parts.issue(TRADING)
    parts.keys.revoke(gone.key_id, ACTOR)
    parts.clock.advance(DAY_MS)

    strike(parts)
    parts.clock.advance(1)
    parts.issue(TRADING, account=other_sub)  # Of that label too, and after it.
    teller.tick()

    told = {
        account.account_id
        for account in parts.accounts.every()
        if Kind.KEYS_REVOKED in teller.kinds(account.account_id)
    }
    assert told == {master.account_id, sub.account_id, own.account_id}
    sent = [each.contact for each in teller.mail.sent if "bulk" in each.message.subject]
    assert {contact.account_id for contact in sent} == told
    assert len(sent) == 3

    parts.clock.advance(DAY_MS)
    before = [len(teller.told(account_id)) for account_id in sorted(told)]
    strike(parts, Selection(issued_before_ms=parts.clock.now))
    assert [len(teller.told(account_id)) for account_id in sorted(told)] == before, "once is enough"


def test_all_keys_of_a_label_are_refused_when_the_call_returns(parts: Parts) -> None:
    keys = [parts.issue(TRADING, key_type=key_type) for key_type in KeyType]
    other = renamed(parts, parts.issue(TRADING), "another")
    parts.clock.advance(DAY_MS)
    before = parts.journal.head()

    done = strike(parts)

    assert done.mark is not None
    assert done.plan.by_kind == {AccountKind.NORMAL: 3}
    assert [parts.ask(key) for key in keys] == [Reason.KEY_REVOKED] * 3
    assert parts.ask(other) is None
    assert parts.tags(before) == ["keys:revoked"]


def test_one_mark_is_one_row_and_one_event_that_names_it(parts: Parts) -> None:
    master = parts.account(AccountKind.MASTER)
    for account in (master, parts.account(AccountKind.SUB, master.account_id)):
        parts.issue(account=account)
    parts.clock.advance(5)

    done = strike(parts, Selection(account_id=master.account_id))

    (event,) = parts.events(parts.journal.head() - 1)
    assert parts.revocations.every() == [done.mark]
    assert event.change.key_id is None
    assert event.change.account_id == master.account_id
    assert event.change.actor == ACTOR
    assert event.change.body == {
        "mark": {
            "mark_id": parts.revocations.every()[0].mark_id,
            "label": None,
            "account_id": master.account_id,
            "issued_before_ms": parts.clock.now + 1,
            "made_at_ms": parts.clock.now,
        },
        "keys": {"master": 1, "sub": 1},
    }


def test_a_tree_is_an_account_with_its_sub_accounts(parts: Parts) -> None:
    master = parts.account(AccountKind.MASTER)
    sub = parts.account(AccountKind.SUB, master.account_id)
    above, below = parts.issue(TRADING, account=master), parts.issue(TRADING, account=sub)
    stranger = parts.issue(TRADING)

    strike(parts, Selection(account_id=sub.account_id))
    assert [parts.ask(key) for key in (above, below, stranger)] == [None, Reason.KEY_REVOKED, None]

    strike(parts, Selection(account_id=master.account_id))
    assert [parts.ask(key) for key in (above, below, stranger)] == [
        Reason.KEY_REVOKED,
        Reason.KEY_REVOKED,
        None,
    ]


def test_a_label_may_be_meant_within_one_tree_alone(parts: Parts) -> None:
    mine, theirs = parts.issue(TRADING), parts.issue(TRADING)

    strike(parts, Selection(label="my bot", account_id=mine.account_id))

    assert [parts.ask(key) for key in (mine, theirs)] == [Reason.KEY_REVOKED, None]


def test_the_whole_house_is_revoked_by_an_instant(parts: Parts) -> None:
    older = parts.issue(TRADING)
    parts.clock.advance(1)
    newer = parts.issue(TRADING)

    strike(parts, Selection(issued_before_ms=newer.issued_at_ms))

    assert [parts.ask(key) for key in (older, newer)] == [Reason.KEY_REVOKED, None]


def test_keys_of_the_same_millisecond_are_told_apart_by_which_came_first(parts: Parts) -> None:
    """Also where the clock stands still: what is issued afterwards works, again and again."""
    for _ in range(3):
        leaked = parts.issue(TRADING)
        strike(parts)
        replacement = parts.issue(TRADING)

        assert parts.ask(leaked) is Reason.KEY_REVOKED
        assert parts.ask(replacement) is None


def test_every_view_shows_a_covered_key_as_revoked_since_the_mark(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(DAY_MS)
    strike(parts)
    since_ms = parts.clock.now
    parts.clock.advance(DAY_MS)
    parts.follower.tick()

    (listed,) = parts.keys.of_account(key.account_id)
    loaded = parts.keyring.find(key.api_key)

    assert parts.keys.get(key.key_id) == listed
    assert (listed.revoked_at_ms, listed.status) == (since_ms, KeyStatus.REVOKED)
    assert loaded is not None
    assert loaded.revoked_at_ms == since_ms


def test_of_a_mark_and_a_revocation_the_earlier_counts(parts: Parts) -> None:
    key, later = parts.issue(), parts.issue()
    parts.keys.revoke(key.key_id, ACTOR)
    since_ms = parts.clock.now
    parts.clock.advance(5)
    strike(parts)
    before = parts.journal.head()

    assert parts.keys.get(key.key_id).revoked_at_ms == since_ms
    assert parts.keys.revoke(later.key_id, ACTOR).revoked_at_ms == since_ms + 5
    assert parts.journal.head() == before  # Revoked already, so nothing happened.


def test_a_covered_key_is_never_changed_again(parts: Parts) -> None:
    key = parts.issue(TRADING)
    strike(parts)
    before = parts.journal.head()

    for act in (
        lambda: parts.keys.preview(key.key_id, Wanted(label="another")),
        lambda: parts.keys.edit(key.key_id, Wanted(label="another"), None, ACTOR),
        lambda: parts.keys.rotate(key.key_id, None, ACTOR),
        lambda: parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=1),
        lambda: parts.quarantine.place(key.key_id, ACTOR, cause="late"),
        lambda: parts.quarantine.release(key.key_id, ACTOR),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "revoked"
    assert parts.journal.head() == before
    assert parts.ask(key) is Reason.KEY_REVOKED


def test_no_older_key_comes_to_bear_a_label_that_was_revoked(parts: Parts) -> None:
    """It would be revoked by a mark that was made before, and that nobody meant it by."""
    older = renamed(parts, parts.issue(TRADING), "another")
    strike_at = parts.issue()
    strike(parts)
    newer = renamed(parts, parts.issue(TRADING), "another")

    wanted = Wanted(label=" my bot ")
    with pytest.raises(Invalid) as refused:
        parts.keys.preview(older.key_id, wanted)
    assert refused.value.field == "label"
    with pytest.raises(Invalid, match="revoked together"):
        parts.keys.edit(older.key_id, wanted, None, ACTOR)
    assert renamed(parts, older, "a third").label == "a third"
    assert renamed(parts, newer, "my bot").label == "my bot"
    assert [parts.ask(key) for key in (older, newer)] == [None, None]
    assert parts.keys.get(strike_at.key_id).revoked_at_ms is not None


def test_an_edit_that_was_previewed_before_the_mark_is_refused_after_it(parts: Parts) -> None:
    older = renamed(parts, parts.issue(TRADING), "another")
    parts.issue()
    wanted = Wanted(label="my bot")
    stamp = parts.keys.preview(older.key_id, wanted).stamp
    strike(parts)

    with pytest.raises(Invalid, match="revoked together"):
        parts.keys.edit(older.key_id, wanted, stamp, ACTOR)


def test_nothing_is_revoked_before_it_was_seen(parts: Parts) -> None:
    key = parts.issue(TRADING)
    before = parts.journal.head()

    parts.clock.advance(1)

    with pytest.raises(Conflict, match="for good"):
        parts.revocations.commit(Selection(issued_before_ms=parts.clock.now), None, ACTOR)
    with pytest.raises(Conflict) as refused:
        parts.revocations.commit(LEAKED, None, ACTOR)

    assert refused.value.code == "confirmation_required"
    assert isinstance(refused.value.plan, Shown)
    assert refused.value.plan.plan.matched == 1
    assert parts.ask(key) is None
    assert parts.journal.head() == before
    # What it came with confirms it.
    parts.revocations.commit(LEAKED, refused.value.plan.stamp, ACTOR)
    assert parts.ask(key) is Reason.KEY_REVOKED


def test_a_key_issued_since_the_preview_makes_the_stamp_stale(parts: Parts) -> None:
    parts.issue()
    stamp = parts.revocations.preview(LEAKED).stamp
    parts.issue()

    with pytest.raises(Conflict) as refused:
        parts.revocations.commit(LEAKED, stamp, ACTOR)

    assert refused.value.code == "stale"
    assert parts.revocations.every() == []


def test_a_key_revoked_since_the_preview_does_not(parts: Parts) -> None:
    gone, key = parts.issue(), parts.issue(TRADING)
    stamp = parts.revocations.preview(LEAKED).stamp
    parts.keys.revoke(gone.key_id, ACTOR)

    parts.revocations.commit(LEAKED, stamp, ACTOR)

    assert parts.ask(key) is Reason.KEY_REVOKED


def test_where_there_is_no_key_left_nothing_is_recorded(parts: Parts) -> None:
    parts.issue()
    strike(parts)
    before = parts.journal.head()

    again = strike(parts)

    assert (again.mark, again.plan.matched) == (None, 0)
    assert parts.revocations.commit(LEAKED, None, ACTOR).mark is None
    assert parts.journal.head() == before
    assert len(parts.revocations.every()) == 1


def test_an_instant_to_come_and_an_unknown_account_are_refused(parts: Parts) -> None:
    with pytest.raises(Invalid, match="future"):
        parts.revocations.preview(Selection(issued_before_ms=parts.clock.now + 1))
    with pytest.raises(NotFound):
        parts.revocations.preview(Selection(account_id=AccountId("acct_none")))


def test_marks_outlive_a_restart_and_a_keyring_made_anew(parts: Parts) -> None:
    leaked = parts.issue(TRADING)
    strike(parts)
    key = parts.issue(TRADING)

    parts.restart()
    assert [parts.ask(each) for each in (leaked, key)] == [Reason.KEY_REVOKED, None]

    parts.stop()
    for file in (parts.home / "keyring").iterdir():
        file.unlink()
    parts.restart()
    assert [parts.ask(each) for each in (leaked, key)] == [Reason.KEY_REVOKED, None]


def test_a_worker_that_has_the_key_ready_hears_of_the_mark(parts: Parts) -> None:
    """It holds the key in memory, read before there was a mark, and its record never changes."""
    key = parts.issue(TRADING)
    assert parts.ask(key) is None
    record = _record(parts.keyring, key)

    strike(parts)

    assert parts.ask(key) is Reason.KEY_REVOKED
    assert _record(parts.keyring, key) == record


def _record(keyring: Keyring, key: ApiKey) -> bytes:
    return keyring._loaded[key.api_key][2]  # noqa: SLF001 - what it is made from shows nowhere else


@dataclass(slots=True)
class Life:
    """A key, and what a loop over all keys has made of it."""

    key: ApiKey
    label: str
    is_dead: bool = False


@pytest.mark.parametrize("seed", range(6))
def test_any_life_with_marks_goes_as_a_loop_over_the_keys_would_have_it(
    parts: Parts, seed: int
) -> None:
    """Issue, relabel, revoke and strike, in any order; the loop revokes key by key."""
    dice = random.Random(seed)  # noqa: S311 - the same lives for everybody
    master = parts.account(AccountKind.MASTER)
    accounts = [
        parts.account(),
        master,
        *(parts.account(AccountKind.SUB, master.account_id) for _ in range(2)),
    ]
    trees = {each.account_id: {each.account_id, each.master_id} for each in accounts}
    labels, lives = ["a", "b", "c"], list[Life]()

    for _ in range(30):
        parts.clock.advance(dice.choice([0, 0, 1]))
        act = dice.choice(["issue", "issue", "relabel", "relabel", "revoke", "strike"])
        life = dice.choice(lives) if lives else None
        label = dice.choice(labels)
        if act == "issue" or life is None:
            account_id = dice.choice(accounts).account_id
            if sum(x.key.account_id == account_id and not x.is_dead for x in lives) < 5:
                lives.append(Life(_issued(parts, account_id, label), label))
        elif act == "relabel":
            try:
                parts.edit(life.key, Wanted(label=label))
                life.label = label
                was_edited = True
            except (Conflict, Invalid):
                was_edited = False
            # Refused are the dead, and those whose new label would have killed them.
            assert not (was_edited and life.is_dead)
        elif act == "revoke":
            parts.keys.revoke(life.key.key_id, ACTOR)
            life.is_dead = True
        else:
            selection = Selection(
                label=dice.choice([label, label, None]),
                account_id=dice.choice([None, None, dice.choice(accounts).account_id]),
                issued_before_ms=dice.choice([None, life.key.issued_at_ms]),
            )
            struck = [x for x in lives if not x.is_dead and _meets(x, selection, trees)]
            assert strike(parts, selection).plan.matched == len(struck)
            for each in struck:
                each.is_dead = True

        for each in lives:
            expected = Reason.KEY_REVOKED if each.is_dead else None
            assert parts.ask(each.key) is expected
            stored = parts.keys.get(each.key.key_id)
            assert (stored.revoked_at_ms is not None, stored.label) == (each.is_dead, each.label)


def _issued(parts: Parts, account_id: AccountId, label: str) -> ApiKey:
    public_key = signers.public_key(KeyType.ED25519)
    draft = Draft(
        label=label, key_type=KeyType.ED25519, public_key=public_key, permissions=(TRADING,)
    )
    return parts.keys.issue(account_id, draft, ACTOR).plan.after


def _meets(life: Life, selection: Selection, trees: dict[AccountId, set[AccountId | None]]) -> bool:
    before_ms = selection.issued_before_ms
    return (
        selection.label in {None, life.label}
        and (selection.account_id is None or selection.account_id in trees[life.key.account_id])
        and (before_ms is None or life.key.issued_at_ms < before_ms)
    )


@pytest.mark.parametrize(
    ("record", "standing"), [(b"\xc1", b"2 0"), (b"\x90", b"2 0"), (b"", b""), (b"", b"x")]
)
def test_a_mark_that_nobody_understands_refuses_everybody(
    parts: Parts, record: bytes, standing: bytes
) -> None:
    """Whom it revokes cannot be said."""
    key = parts.issue(TRADING)
    env, databases = parts.follower.environment
    with env.begin(write=True) as txn:
        txn.put(b"mark_x", record, db=databases[b"marks"])
        txn.put(b"standing", standing, db=databases[b"about"])

    with pytest.raises(Unavailable) as refused:
        parts.keyring.find(key.api_key)
    assert refused.value.code == "keyring"
