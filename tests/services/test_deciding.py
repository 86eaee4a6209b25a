"""What `decide` is handed, and that whatever goes wrong on the way refuses (SECURITY I15)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tenure.domain import apikeys
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.services import deciding
from tenure.services.deciding import Decider
from tenure.services.keyring import STALENESS_MS
from tests import signers
from tests.builders import MONTH_MS, TRADING, an_address, the_catalog
from tests.services.parts import Parts


def test_a_request_is_decided_at_the_clocks_now(parts: Parts) -> None:
    """The end is exact: one millisecond earlier it is on (BI-24)."""
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS - 1)
    parts.follower.tick()
    assert parts.ask(key) is None

    parts.clock.advance(1)
    assert parts.ask(key) is Reason.PERMISSION_EXPIRED


def test_what_is_allowed_says_who_acts_and_until_when(parts: Parts) -> None:
    key = parts.issue(TRADING)
    query = f"timestamp={parts.clock.now}".encode()
    signature = signers.hmac_sign(parts.secrets[key.key_id].encode(), query).encode()

    outcome = parts.decider.decide_raw(
        key.api_key, query + b"&signature=" + signature, b"", an_address(), TRADING
    )

    assert isinstance(outcome, Allowed)
    assert (outcome.account_id, outcome.key_id) == (key.account_id, key.key_id)
    assert (outcome.ends_at_ms, outcome.rule_id) == (parts.clock.now + MONTH_MS, "2021-07-09")


@pytest.mark.parametrize("query", [b"", b"timestamp=now&signature=00", b"timestamp=1638352800000"])
def test_what_cannot_be_read_is_refused_and_no_key_is_looked_up(parts: Parts, query: bytes) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(STALENESS_MS + 1)  # A look-up would be Unavailable.

    outcome = parts.decider.decide_raw(key.api_key, query, b"", an_address(), TRADING)

    assert outcome == deciding.MALFORMED == Refused(Reason.REQUEST_MALFORMED)


def test_a_mistyped_key_is_refused_like_an_unknown_one(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.secrets[key.key_id] = "0" * 64

    assert parts.ask(replace(key, api_key=key.api_key[:-1] + "~")) is Reason.KEY_MALFORMED
    assert parts.ask(key) is Reason.SIGNATURE_INVALID


def _stale(parts: Parts) -> None:
    parts.clock.advance(STALENESS_MS + 1)


def _clock(parts: Parts) -> None:
    def fail() -> int:
        raise Unavailable("clock")

    parts.clock.now_ms = fail  # type: ignore[method-assign]  # as a SystemClock set back fails


def _keyring(parts: Parts) -> None:
    parts.follower.close()  # And with it what is read here: as good as any damage.


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(_stale, "stale"), (_clock, "clock"), (_keyring, "keyring")],
)
def test_trouble_refuses_everybody(
    parts: Parts, trouble: Callable[[Parts], None], code: str
) -> None:
    key = parts.issue(TRADING)
    assert parts.decider.is_ready()
    trouble(parts)

    unknown = apikeys.compose(b"nobody was ever issued this one!")
    for asked in (key, replace(key, api_key=unknown)):
        with pytest.raises(Unavailable) as raised:
            parts.ask(asked)
        assert raised.value.code == code


def test_a_worker_says_whether_it_can_decide(parts: Parts) -> None:
    assert parts.decider.is_ready()

    parts.clock.advance(STALENESS_MS + 1)
    assert not parts.decider.is_ready()

    parts.follower.tick()
    assert parts.decider.is_ready()
    _clock(parts)
    assert not parts.decider.is_ready()


def test_only_a_sandbox_judges_the_receive_window_by_the_machines_clock_too(parts: Parts) -> None:
    """A client that nobody modified stamps by the wall; terms end by the sandbox's clock."""
    key = parts.issue(TRADING)
    sandbox = Decider(parts.keyring, parts.clock, the_catalog(), decoded_retry=True, sandbox=True)
    asked_at_ms = parts.clock.now
    parts.clock.now += MONTH_MS - 1
    assert parts.clock.wall == asked_at_ms

    assert sandbox.window_now_ms() == asked_at_ms
    assert parts.decider.window_now_ms() is None
    stamped_by_wall = _ask(sandbox, parts, key.api_key, parts.secrets[key.key_id], asked_at_ms)
    assert isinstance(stamped_by_wall, Allowed)
    by_real = _ask(parts.decider, parts, key.api_key, parts.secrets[key.key_id], asked_at_ms)
    assert isinstance(by_real, Refused)
    assert by_real.reason is Reason.OUTSIDE_RECEIVE_WINDOW

    parts.clock.now += 1
    ended = _ask(sandbox, parts, key.api_key, parts.secrets[key.key_id], asked_at_ms)
    assert isinstance(ended, Refused)
    assert ended.reason is Reason.PERMISSION_EXPIRED


def _ask(
    decider: Decider, parts: Parts, api_key: str, secret: str, stamped_ms: int
) -> Allowed | Refused:
    assert decider.now_ms() == parts.clock.now
    query = f"timestamp={stamped_ms}".encode()
    signature = signers.hmac_sign(secret.encode(), query).encode()
    return decider.decide_raw(
        api_key, query + b"&signature=" + signature, b"", an_address(), TRADING
    )


def test_a_decider_without_the_retry_takes_the_raw_bytes_only(parts: Parts) -> None:
    """WIRE's second chance for clients that sign what they encode afterwards is a setting."""
    key = parts.issue(TRADING)
    strict = Decider(parts.keyring, parts.clock, the_catalog(), decoded_retry=False, sandbox=False)
    signed = f"note=a b&timestamp={parts.clock.now}".encode()
    signature = signers.hmac_sign(parts.secrets[key.key_id].encode(), signed).encode()
    sent = signed.replace(b" ", b"%20") + b"&signature=" + signature

    outcomes = [
        decider.decide_raw(key.api_key, sent, b"", an_address(), TRADING)
        for decider in (parts.decider, strict)
    ]

    assert isinstance(outcomes[0], Allowed)
    assert outcomes[1] == Refused(Reason.SIGNATURE_INVALID)


def test_a_decider_without_a_place_for_uses_notes_nothing_and_decides_the_same(
    parts: Parts,
) -> None:
    """A service's own process has no store to write them to."""
    key = parts.issue(TRADING)
    alone = Decider(parts.keyring, parts.clock, the_catalog(), decoded_retry=True, sandbox=False)
    secret, now_ms = parts.secrets[key.key_id], parts.clock.now

    assert isinstance(_ask(alone, parts, key.api_key, secret, now_ms), Allowed)
    assert parts.uses.take() == []
    assert isinstance(_ask(parts.decider, parts, key.api_key, secret, now_ms), Allowed)
    assert [use.key_id for use in parts.uses.take()] == [key.key_id]
