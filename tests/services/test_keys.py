"""
One act each on an API key: issued, previewed, edited, rotated, revoked.

Which terms an act starts or ends is tried in the domain; here it is loaded, saved, recorded, and in
force for every request when the call returns.
"""

from pathlib import Path

import pytest

from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, Invalid, NotFound, TenureError, Unavailable
from tenure.domain.model import ApiKey, KeyStatus, KeyType
from tenure.services.keys import Draft, Previewed, Wanted
from tests import signers
from tests.builders import DAY_MS, FUTURES, MONTH_MS, TRADING, a_rule, end_of, ms
from tests.services import parts as building
from tests.services.parts import ACTOR, LIMITS, Parts

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

RENEWAL = Wanted(permissions={TRADING: "renew"})
FUTURES_TOO = Wanted(permissions={FUTURES: True})
RELABELLED = Wanted(label="my other bot")


def _code(raised: pytest.ExceptionInfo[TenureError]) -> str:
    return raised.value.code


@pytest.mark.parametrize("key_type", KeyType)
def test_a_key_can_act_as_soon_as_it_is_issued(parts: Parts, key_type: KeyType) -> None:
    key = parts.issue(TRADING, key_type=key_type)

    assert parts.ask(key) is None
    assert parts.ask(key, FUTURES) is Reason.PERMISSION_MISSING
    assert parts.keys.get(key.key_id) == key
    assert end_of(TRADING, key) == parts.clock.now + MONTH_MS


def test_issuing_is_one_event_with_the_key_as_it_is_then(parts: Parts) -> None:
    account = parts.account()
    before = parts.journal.head()

    key = parts.issue(TRADING, account=account)

    (event,) = parts.events(before)
    assert str(event.change.tag) == "key:issued"
    assert event.change.actor == ACTOR
    assert (event.change.account_id, event.change.key_id) == (account.account_id, key.key_id)
    assert event.change.happened_at_ms == event.recorded_at_ms == parts.clock.now


def test_only_an_hmac_key_comes_with_a_secret_and_no_two_with_the_same(parts: Parts) -> None:
    keys = [parts.issue(), parts.issue()]
    parts.issue(key_type=KeyType.ED25519)

    assert set(parts.secrets) == {key.key_id for key in keys}
    assert len(set(parts.secrets.values())) == 2


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(label="", key_type=KeyType.HMAC), "label"),
        (Draft(label="x", key_type=KeyType.RSA), "public_key"),
        (Draft(label="x", key_type=KeyType.HMAC, public_key="none needed"), "public_key"),
        (Draft(label="x", key_type=KeyType.ED25519, public_key="no key"), "public_key"),
        (Draft(label="x", key_type=KeyType.HMAC, permissions=("gold",)), "permissions.gold"),
        (Draft(label="x", key_type=KeyType.HMAC, ip_allowlist=("0.0.0.0/0",)), "ip_allowlist.0"),
    ],
)
def test_a_draft_that_makes_no_sense_is_refused_and_leaves_nothing(
    parts: Parts, draft: Draft, field: str
) -> None:
    account = parts.account()
    before = parts.journal.head()

    with pytest.raises(Invalid) as raised:
        parts.keys.issue(account.account_id, draft, ACTOR)

    assert raised.value.field == field
    assert parts.keys.of_account(account.account_id) == []
    assert parts.journal.head() == before


def test_an_allowlist_has_a_limit(parts: Parts) -> None:
    entries = tuple(f"203.0.113.{number}" for number in range(LIMITS.addresses_per_key + 1))

    with pytest.raises(Invalid, match="3 entries at most"):
        parts.issue(ip_allowlist=entries)

    assert len(parts.issue(ip_allowlist=entries[1:]).allowlist) == LIMITS.addresses_per_key


def test_an_account_has_a_limit_of_keys_that_are_alive(parts: Parts) -> None:
    account = parts.account()
    keys = [parts.issue(account=account) for _ in range(LIMITS.keys_per_account)]

    with pytest.raises(Conflict, match="has 5 keys, the most it may") as raised:
        parts.issue(account=account)
    assert _code(raised) == "limit"
    parts.issue()  # Another account is another matter.

    parts.keys.revoke(keys[0].key_id, ACTOR)
    parts.issue(account=account)


def test_a_key_needs_an_account(parts: Parts) -> None:
    with pytest.raises(NotFound):
        parts.keys.issue("acct_none", Draft(label="x", key_type=KeyType.HMAC), ACTOR)
    with pytest.raises(NotFound):
        parts.keys.of_account("acct_none")


def test_a_preview_changes_nothing(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(DAY_MS)
    before = parts.journal.head()

    shown = parts.keys.preview(key.key_id, RENEWAL)

    assert shown.plan.confirmation_required
    assert shown.plan.after.grants != key.grants
    assert parts.keys.get(key.key_id) == key
    assert parts.journal.head() == before


def test_an_edit_confirmed_by_its_stamp_is_what_was_shown_from_the_commit_on(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(DAY_MS)
    shown = parts.keys.preview(key.key_id, RENEWAL)
    parts.clock.advance(60_000)
    before = parts.journal.head()

    done = parts.keys.edit(key.key_id, RENEWAL, shown.stamp, ACTOR)

    assert end_of(TRADING, parts.keys.get(key.key_id)) == parts.clock.now + MONTH_MS
    assert done.plan.after == parts.keys.get(key.key_id)
    assert done.plan.after.version == key.version + 1
    assert parts.tags(before) == ["key:edited"]


def test_an_edit_with_consequences_needs_the_stamp_and_brings_the_plan(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(DAY_MS)

    with pytest.raises(Conflict) as raised:
        parts.keys.edit(key.key_id, RENEWAL, None, ACTOR)

    assert _code(raised) == "confirmation_required"
    assert isinstance(raised.value.plan, Previewed)
    assert parts.keys.get(key.key_id) == key
    parts.keys.edit(key.key_id, RENEWAL, raised.value.plan.stamp, ACTOR)


def test_an_edit_without_consequences_needs_no_stamp(parts: Parts) -> None:
    key = parts.issue(TRADING)

    parts.keys.edit(key.key_id, RELABELLED, None, ACTOR)

    assert parts.keys.get(key.key_id).label == "my other bot"
    assert parts.keys.get(key.key_id).grants == key.grants


def test_an_edit_that_changes_nothing_is_not_recorded(parts: Parts) -> None:
    key = parts.issue(TRADING)
    before = parts.journal.head()

    wanted = Wanted(label=key.label, permissions={TRADING: True})
    parts.keys.edit(key.key_id, wanted, None, ACTOR)

    assert parts.keys.get(key.key_id) == key
    assert parts.journal.head() == before


def _edited_meanwhile(parts: Parts, key: ApiKey) -> None:
    parts.keys.edit(key.key_id, RELABELLED, None, ACTOR)


def _lapsed_meanwhile(parts: Parts, key: ApiKey) -> None:
    parts.clock.set(parts.clock.now + 1)
    assert not key.holds(TRADING, parts.clock.now)


def _swept_meanwhile(parts: Parts, key: ApiKey) -> None:
    _lapsed_meanwhile(parts, key)
    assert parts.sweep.tick() == 1


def _new_rule_meanwhile(parts: Parts, _: ApiKey) -> None:
    parts.rules.adopt(type(parts.rules.rulebook())((a_rule("later", since="2030-01-01 00:00"),)))


@pytest.mark.parametrize(
    "meanwhile", [_edited_meanwhile, _lapsed_meanwhile, _swept_meanwhile, _new_rule_meanwhile]
)
def test_a_stamp_is_stale_once_what_it_names_has_moved(parts: Parts, meanwhile: object) -> None:
    """An edit, a lapse, recorded or not, or a rule, one that is not in force yet included (R11)."""
    assert callable(meanwhile)
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS - 1)
    stamp = parts.keys.preview(key.key_id, RENEWAL).stamp
    meanwhile(parts, key)
    before = parts.keys.get(key.key_id), parts.journal.head()

    with pytest.raises(Conflict) as raised:
        parts.keys.edit(key.key_id, RENEWAL, stamp, ACTOR)

    assert _code(raised) == "stale"
    assert isinstance(raised.value.plan, Previewed)
    assert (parts.keys.get(key.key_id), parts.journal.head()) == before


def test_a_stamp_is_good_for_ten_minutes_and_for_its_own_edit_only(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(DAY_MS)
    stamp = parts.keys.preview(key.key_id, RENEWAL).stamp

    parts.clock.advance(600_001)
    with pytest.raises(Conflict, match="over 10 minutes ago"):
        parts.keys.edit(key.key_id, RENEWAL, stamp, ACTOR)
    parts.clock.now -= 1
    with pytest.raises(Conflict, match="something changed"):
        parts.keys.edit(key.key_id, Wanted(permissions={TRADING: False}), stamp, ACTOR)
    parts.keys.edit(key.key_id, RENEWAL, stamp, ACTOR)


def test_a_stamp_commits_once(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(DAY_MS)
    stamp = parts.keys.preview(key.key_id, RENEWAL).stamp
    parts.keys.edit(key.key_id, RENEWAL, stamp, ACTOR)
    before = parts.journal.head()

    with pytest.raises(Conflict) as raised:
        parts.keys.edit(key.key_id, RENEWAL, stamp, ACTOR)

    assert _code(raised) == "stale"
    assert parts.journal.head() == before


def test_an_edit_after_a_lapse_records_the_lapse_first(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS + 5)
    before = parts.journal.head()

    parts.edit(key, Wanted(permissions={TRADING: True}))

    swept, edited = parts.events(before)
    assert [str(event.change.tag) for event in (swept, edited)] == ["grant:swept", "key:edited"]
    assert swept.change.happened_at_ms == parts.clock.now - 5
    assert edited.change.happened_at_ms == parts.clock.now
    assert parts.sweep.tick() == 0
    assert parts.ask(key) is None


def test_a_lapse_met_by_an_edit_of_something_else_is_recorded_too(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)
    before = parts.journal.head()

    parts.keys.edit(key.key_id, Wanted(label=key.label), None, ACTOR)

    assert parts.tags(before) == ["grant:swept"]
    assert parts.keys.get(key.key_id) == key


def test_a_refused_edit_leaves_the_lapse_to_the_sweeper(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)
    before = parts.journal.head()

    with pytest.raises(Conflict):
        parts.keys.edit(key.key_id, RENEWAL, None, ACTOR)

    assert parts.journal.head() == before
    assert parts.sweep.tick() == 1


def test_an_edit_is_in_force_when_the_call_returns(parts: Parts) -> None:
    key = parts.issue(TRADING)
    assert parts.ask(key, FUTURES) is Reason.PERMISSION_MISSING

    parts.edit(key, FUTURES_TOO)
    assert parts.ask(key, FUTURES) is None

    parts.edit(key, Wanted(ip_allowlist=("198.51.100.1",)))
    assert parts.ask(key, FUTURES) is Reason.IP_NOT_ALLOWED


def test_a_rotated_secret_works_and_the_old_one_no_longer_does(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]
    parts.clock.advance(DAY_MS)
    before = parts.journal.head()

    after = parts.rotate(key)

    assert parts.secrets[key.key_id] != old
    assert parts.ask(key) is None
    assert parts.ask(key, secret=old) is Reason.SIGNATURE_INVALID
    assert (after.grants, after.version) == (key.grants, key.version + 1)
    assert after == parts.keys.get(key.key_id)
    assert parts.tags(before) == ["key:rotated"]


def test_a_rotated_public_key_is_another_one_of_the_same_type(parts: Parts) -> None:
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    another = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "-----END PUBLIC KEY-----\n"
    )  # RFC 8032 7.1, test 1.

    parts.keys.rotate(key.key_id, another, ACTOR)

    assert parts.keys.get(key.key_id).public_key == another
    assert parts.ask(key) is Reason.SIGNATURE_INVALID
    with pytest.raises(Invalid, match="Ed25519"):
        parts.keys.rotate(key.key_id, signers.public_key(KeyType.RSA), ACTOR)
    with pytest.raises(Invalid, match="needs the public key"):
        parts.keys.rotate(key.key_id, None, ACTOR)


def test_a_revoked_key_is_refused_when_the_call_returns_and_for_good(parts: Parts) -> None:
    key = parts.issue(TRADING)

    revoked = parts.keys.revoke(key.key_id, ACTOR)

    assert parts.ask(key) is Reason.KEY_REVOKED
    assert revoked.revoked_at_ms == parts.clock.now
    assert revoked.status is KeyStatus.REVOKED
    for act in (
        lambda: parts.keys.preview(key.key_id, RELABELLED),
        lambda: parts.keys.edit(key.key_id, RELABELLED, None, ACTOR),
        lambda: parts.keys.rotate(key.key_id, None, ACTOR),
    ):
        with pytest.raises(Conflict) as raised:
            act()
        assert _code(raised) == "revoked"


def test_revoking_twice_is_revoking_once(parts: Parts) -> None:
    key = parts.issue(TRADING)
    revoked = parts.keys.revoke(key.key_id, ACTOR)
    parts.clock.advance(1_000)
    before = parts.journal.head()

    assert parts.keys.revoke(key.key_id, ACTOR) == revoked
    assert parts.journal.head() == before


def test_revoking_after_a_lapse_records_the_lapse_first(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)
    before = parts.journal.head()

    parts.keys.revoke(key.key_id, ACTOR)

    assert parts.tags(before) == ["grant:swept", "key:revoked"]


def test_a_stamp_does_not_survive_the_revoking_of_its_key(parts: Parts) -> None:
    key = parts.issue(TRADING)
    stamp = parts.keys.preview(key.key_id, RENEWAL).stamp
    parts.keys.revoke(key.key_id, ACTOR)

    with pytest.raises(Conflict) as raised:
        parts.keys.edit(key.key_id, RENEWAL, stamp, ACTOR)

    assert _code(raised) == "revoked"


def test_acts_on_a_key_that_is_not_there_find_nothing(parts: Parts) -> None:
    for act in (
        lambda: parts.keys.get("key_none"),
        lambda: parts.keys.preview("key_none", RELABELLED),
        lambda: parts.keys.edit("key_none", RELABELLED, None, ACTOR),
        lambda: parts.keys.rotate("key_none", None, ACTOR),
        lambda: parts.keys.revoke("key_none", ACTOR),
    ):
        with pytest.raises(NotFound):
            act()


def test_the_keys_of_an_account_are_its_own(parts: Parts) -> None:
    account = parts.account()
    first = parts.issue(account=account)
    parts.clock.advance(1)
    second = parts.issue(account=account)
    parts.issue()

    assert parts.keys.of_account(account.account_id) == [first, second]


def test_without_the_sealing_key_no_secret_is_made_but_public_keys_are_issued(
    tmp_path: Path,
) -> None:
    sealed = building.opened(tmp_path, is_sealed=True)
    account = sealed.account()
    before = sealed.journal.head()

    with pytest.raises(Unavailable) as raised:
        sealed.issue(TRADING, account=account)
    assert _code(raised) == "sealed"
    assert sealed.journal.head() == before

    assert sealed.ask(sealed.issue(TRADING, account=account, key_type=KeyType.RSA)) is None
    sealed.close()


def test_what_is_worked_out_before_a_commit_is_worked_out_again_for_it(parts: Parts) -> None:
    """A preview from before a rule does not carry a term past it (RULES R11, R13)."""
    key = parts.issue(FUTURES)
    rule = a_rule("futures", FUTURES, since="2021-12-01 10:05")
    parts.rules.adopt(type(parts.rules.rulebook())((rule,)))
    wanted = Wanted(permissions={TRADING: True})
    stamp = parts.keys.preview(key.key_id, wanted).stamp
    parts.clock.set("2021-12-01 10:05")

    with pytest.raises(Conflict) as raised:
        parts.keys.edit(key.key_id, wanted, stamp, ACTOR)

    assert _code(raised) == "stale"
    assert isinstance(raised.value.plan, Previewed)
    parts.keys.edit(key.key_id, wanted, raised.value.plan.stamp, ACTOR)
    assert end_of(FUTURES, parts.keys.get(key.key_id)) == ms("2021-12-31 10:05")
