"""Quarantine: reading and cancelling go on, the rest waits until somebody is sure."""

import pytest

from tenure.domain import allowlist
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.model import READING, ApiKey, KeyStatus, KeyType
from tenure.services.keys import Wanted
from tenure.services.quarantine import CAUSE_CODE_POINTS_MAX
from tests import signers
from tests.builders import DAY_MS, HOME, MONTH_MS, TRADING
from tests.services.parts import ACTOR, Parts

CAUSE = "seen in a public repository"
CANCEL, ORDER = ("DELETE", "/api/v3/order"), ("POST", "/api/v3/order")


def outcome(
    parts: Parts, key: ApiKey, permission: str | None, route: tuple[str, str] | None = None
) -> Allowed | Refused:
    query = f"timestamp={parts.clock.now}"
    signature = signers.hmac_sign(parts.secrets[key.key_id].encode(), query.encode())
    address = allowlist.parse_address(HOME)
    assert address is not None
    sent = f"{query}&signature={signature}".encode()
    return parts.decider.decide_raw(key.api_key, sent, b"", address, permission, route)


def test_in_quarantine_a_key_reads_and_cancels_and_is_told_why_it_may_not_trade(
    parts: Parts,
) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(5)
    since_ms = parts.clock.now

    held = parts.quarantine.place(key.key_id, ACTOR, cause=f" {CAUSE} ")

    refused = Refused(Reason.KEY_QUARANTINED, TRADING, since_ms, cause=CAUSE)
    assert outcome(parts, key, TRADING, ORDER) == refused
    assert outcome(parts, key, TRADING) == refused
    for permission, route in ((READING, ("GET", "/api/v3/account")), (READING, None)):
        assert isinstance(outcome(parts, key, permission, route), Allowed)
    assert isinstance(outcome(parts, key, TRADING, CANCEL), Allowed)
    assert (held.status, held.quarantined_at_ms) == (KeyStatus.QUARANTINED, since_ms)
    assert parts.keys.get(key.key_id) == held


def test_what_a_key_does_not_hold_it_cannot_do_in_quarantine_either(parts: Parts) -> None:
    key = parts.issue()
    parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)

    cancelling = outcome(parts, key, TRADING, CANCEL)

    assert isinstance(cancelling, Refused)
    assert cancelling.reason is Reason.PERMISSION_MISSING


def test_a_released_key_does_again_what_it_may(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)
    before = parts.journal.head()

    after = parts.quarantine.release(key.key_id, ACTOR)

    assert parts.ask(key) is None
    assert (after.quarantine, after.version) == (None, 3)
    assert after.grants == key.grants
    assert parts.tags(before) == ["key:released"]


def test_terms_run_on_in_quarantine(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)
    parts.clock.advance(MONTH_MS)

    parts.quarantine.release(key.key_id, ACTOR)

    assert parts.ask(key) is Reason.PERMISSION_EXPIRED


def test_a_second_time_changes_nothing_the_cause_neither(parts: Parts) -> None:
    key = parts.issue(TRADING)
    held = parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)
    parts.clock.advance(DAY_MS)
    before = parts.journal.head()

    assert parts.quarantine.place(key.key_id, ACTOR, cause="another") == held
    released = parts.quarantine.release(key.key_id, ACTOR)
    assert parts.quarantine.release(key.key_id, ACTOR) == released
    assert parts.tags(before) == ["key:released"]


def test_the_event_holds_the_state_with_the_cause(parts: Parts) -> None:
    key = parts.issue(TRADING)
    before = parts.journal.head()

    parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)

    (event,) = parts.events(before)
    assert (str(event.change.tag), event.change.key_id) == ("key:quarantined", key.key_id)
    state = event.change.body["key"]
    assert isinstance(state, dict)
    assert state["quarantine"] == {"since_ms": parts.clock.now, "cause": CAUSE}


def test_an_edit_that_was_previewed_before_is_stale_and_one_made_inside_keeps_the_quarantine(
    parts: Parts,
) -> None:
    key = parts.issue(TRADING)
    wanted = Wanted(ip_allowlist=(HOME,))
    stamp = parts.keys.preview(key.key_id, wanted).stamp
    parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)

    with pytest.raises(Conflict) as refused:
        parts.keys.edit(key.key_id, wanted, stamp, ACTOR)
    assert refused.value.code == "stale"

    assert parts.edit(key, wanted).plan.after.quarantine is not None
    assert parts.ask(key) is Reason.KEY_QUARANTINED


def test_quarantine_ends_an_overlap_and_allows_no_other(parts: Parts) -> None:
    """The secret that was replaced is the one most likely to be in wrong hands."""
    key = parts.issue(TRADING)
    first = parts.secrets[key.key_id]
    parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=DAY_MS)
    assert parts.ask(key, READING, secret=first) is None

    parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)
    assert parts.ask(key, READING, secret=first) is Reason.SIGNATURE_INVALID

    issued = parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=DAY_MS)
    assert issued.plan.after.overlap is None
    assert issued.plan.after.quarantine is not None


def test_a_revoked_key_stays_revoked_whatever_its_quarantine(parts: Parts) -> None:
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)
    parts.keys.revoke(key.key_id, ACTOR)

    assert parts.ask(key, READING) is Reason.KEY_REVOKED
    with pytest.raises(Conflict, match="revoked"):
        parts.quarantine.release(key.key_id, ACTOR)
    with pytest.raises(Conflict, match="revoked"):
        parts.quarantine.place(key.key_id, ACTOR, cause=CAUSE)


@pytest.mark.parametrize("cause", ["", "  ", "two\nlines", "x" * (CAUSE_CODE_POINTS_MAX + 1), "\0"])
def test_a_cause_is_one_line_of_text(parts: Parts, cause: str) -> None:
    key = parts.issue()

    with pytest.raises(Invalid) as refused:
        parts.quarantine.place(key.key_id, ACTOR, cause=cause)

    assert refused.value.field == "cause"
    assert parts.keys.get(key.key_id) == key


def test_a_key_nobody_was_issued_is_not_found(parts: Parts) -> None:
    with pytest.raises(NotFound):
        parts.quarantine.place("key_none", ACTOR, cause=CAUSE)
    with pytest.raises(NotFound):
        parts.quarantine.release("key_none", ACTOR)
