"""What a key in quarantine may still do, and what two secrets change about a decision: nothing."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import catalog, decide, verifying
from tenure.domain.decide import Allowed, LoadedKey, Reason, Refused
from tenure.domain.model import READING, KeyStatus, Permission, Quarantine
from tests import signers
from tests.builders import (
    FUTURES,
    TRADING,
    WITHDRAWALS,
    a_key,
    an_address,
    load,
    ms,
    revoked,
    shipped,
    signed,
    the_catalog,
)

NOW_MS = ms("2021-12-01 10:05")
SINCE_MS = ms("2021-12-01 09:00")
END_MS = ms("2021-12-20 00:00")
KEY = a_key(TRADING, FUTURES, issued="2021-11-20 00:00")
HELD = Quarantine(since_ms=SINCE_MS, cause="seen in a public repository")
SUSPECT = replace(KEY, quarantine=HELD)
OLD_SECRET = b"what it had before"
UNTIL_MS = ms("2021-12-02 10:00")


@dataclass(slots=True)
class Counting:
    """Checks as *verifier* does, and remembers how often."""

    verifier: verifying.Verifier
    asked: list[str] = field(default_factory=list)

    def verify(self, payload: bytes, signature: str) -> bool:
        """See Verifier."""
        self.asked.append(signature)
        return self.verifier.verify(payload, signature)


def judged(permission: Permission | None, loaded: LoadedKey, *, is_kept: bool) -> Allowed | Refused:
    return decide.judge(loaded, an_address(), permission, NOW_MS, is_kept=is_kept)


def test_a_key_in_quarantine_is_refused_with_since_when_and_why() -> None:
    outcome = judged(TRADING, load(SUSPECT), is_kept=False)

    assert outcome == Refused(
        Reason.KEY_QUARANTINED, TRADING, SINCE_MS, cause="seen in a public repository"
    )


def test_in_quarantine_what_is_kept_is_judged_as_ever() -> None:
    assert isinstance(judged(TRADING, load(SUSPECT), is_kept=True), Allowed)
    missing = judged(WITHDRAWALS, load(SUSPECT), is_kept=True)
    assert isinstance(missing, Refused)
    assert missing.reason is Reason.PERMISSION_MISSING


@pytest.mark.parametrize(
    ("loaded", "reason"),
    [
        (load(revoked(SUSPECT, at="2021-12-01 10:00")), Reason.KEY_REVOKED),
        (load(SUSPECT, frozen_at_ms=SINCE_MS), Reason.ACCOUNT_FROZEN),
        (load(replace(SUSPECT, allowlist=("198.51.100.1",))), Reason.KEY_QUARANTINED),
        (load(replace(SUSPECT, grants={})), Reason.KEY_QUARANTINED),
    ],
)
def test_quarantine_comes_after_revoked_and_frozen_and_before_the_rest(
    loaded: LoadedKey, reason: Reason
) -> None:
    outcome = judged(TRADING, loaded, is_kept=False)

    assert isinstance(outcome, Refused)
    assert outcome.reason is reason


def test_a_key_that_is_not_in_quarantine_may_do_what_is_not_kept() -> None:
    assert isinstance(judged(TRADING, load(KEY), is_kept=False), Allowed)


def test_a_key_s_status_says_the_worst_of_it() -> None:
    assert KEY.status is KeyStatus.ACTIVE
    assert SUSPECT.status is KeyStatus.QUARANTINED
    assert revoked(SUSPECT, at=NOW_MS).status is KeyStatus.REVOKED


@pytest.mark.parametrize(
    ("permission", "route", "is_kept"),
    [
        (READING, None, True),
        (READING, ("GET", "/api/v3/account"), True),
        ("fix_reading", None, True),
        (TRADING, ("DELETE", "/api/v3/order"), True),
        (TRADING, ("DELETE", "/api/v3/openOrders"), True),
        (FUTURES, ("DELETE", "/fapi/v1/order"), True),
        (TRADING, ("DELETE", "/api/v3/%6Frder"), False),
        (TRADING, ("POST", "/api/v3/order"), False),
        (TRADING, ("DELETE", "/api/v3/orders"), False),
        (TRADING, None, False),
        (WITHDRAWALS, ("DELETE", "/api/v3/order"), False),
        (WITHDRAWALS, None, False),
        ("nobody's", ("DELETE", "/api/v3/order"), False),
        (None, ("DELETE", "/api/v3/order"), False),
        ("public", ("GET", "/api/v3/ping"), False),
    ],
)
def test_reading_and_cancelling_are_kept_and_nothing_else(
    permission: str | None, route: tuple[str, str] | None, *, is_kept: bool
) -> None:
    """A permission that was named counts on its own route only; a route nobody named on none."""
    assert the_catalog().keeps(permission, route) is is_kept


def test_reading_is_kept_whatever_a_catalog_says() -> None:
    text = '[catalog]\nid = "x"\ntitle = "X"\n[[permission]]\nid = "reading"\nlabel = "Read"\n'

    assert catalog.read(text).keeps(READING, None)


def test_a_route_that_is_another_one_when_decoded_is_not_kept() -> None:
    """Of the two a service may mean, one places orders."""
    listed = shipped("catalogs/exchange.toml") + (
        '[[route]]\nmethod = "DELETE"\npath = "/x/{id}"\npermission = "futures"\n'
        "kept_in_quarantine = true\n"
        '[[route]]\nmethod = "DELETE"\npath = "/x/all"\npermission = "futures"\n'
    )
    read = catalog.read(listed)

    assert read.keeps(FUTURES, ("DELETE", "/x/7"))
    assert not read.keeps(FUTURES, ("DELETE", "/x/all"))
    assert not read.keeps(FUTURES, ("DELETE", "/x/%61ll"))


def rotated(until_ms: int = UNTIL_MS) -> LoadedKey:
    """Return a key with another secret beside its own."""
    old = verifying.HmacVerifier(OLD_SECRET)
    return replace(load(KEY), old_verifier=old, old_until_ms=until_ms)


def asked(
    loaded: LoadedKey | None, secret: bytes, at_ms: int, *, overlaps_until_ms: int = 0
) -> Allowed | Refused:
    covered = f"timestamp={at_ms}".encode()
    signature = signers.hmac_sign(secret, covered)
    request = signed(KEY, at=at_ms, signature=signature)
    return decide.decide(request, TRADING, loaded, at_ms, overlaps_until_ms=overlaps_until_ms)


def test_in_an_overlap_either_secret_proves_the_key_and_the_old_one_is_noted() -> None:
    new = asked(rotated(), signers.SECRET.encode(), NOW_MS)
    old = asked(rotated(), OLD_SECRET, NOW_MS)

    assert isinstance(new, Allowed)
    assert isinstance(old, Allowed)
    assert (new.used_old_secret, old.used_old_secret) == (False, True)
    assert old._replace(used_old_secret=False, loaded=new.loaded) == new


def test_at_the_end_of_the_overlap_the_old_secret_stops_and_not_a_millisecond_earlier() -> None:
    assert isinstance(asked(rotated(), OLD_SECRET, UNTIL_MS - 1), Allowed)
    assert asked(rotated(), OLD_SECRET, UNTIL_MS) == Refused(Reason.SIGNATURE_INVALID)
    # Nor does it matter that somebody else's overlap still runs.
    later = asked(rotated(), OLD_SECRET, UNTIL_MS, overlaps_until_ms=UNTIL_MS + 5)
    assert later == Refused(Reason.SIGNATURE_INVALID)


@given(st.integers(-2, 2))
def test_no_overlap_carries_a_permission_past_its_end(offset_ms: int) -> None:
    loaded = rotated(until_ms=END_MS + 7 * 86_400_000)

    old = asked(loaded, OLD_SECRET, END_MS + offset_ms)
    new = asked(loaded, signers.SECRET.encode(), END_MS + offset_ms)

    assert isinstance(old, Allowed) is isinstance(new, Allowed) is (offset_ms < 0)
    if isinstance(old, Refused):
        assert old == new
        assert (old.reason, old.at_ms) == (Reason.PERMISSION_EXPIRED, END_MS)


def test_what_is_refused_with_the_new_secret_is_refused_with_the_old_one_for_the_same_reason() -> (
    None
):
    dead = replace(rotated(), revoked_at_ms=SINCE_MS)

    assert asked(dead, OLD_SECRET, NOW_MS) == asked(dead, signers.SECRET.encode(), NOW_MS)
    assert asked(dead, OLD_SECRET, NOW_MS) == Refused(Reason.KEY_REVOKED, at_ms=SINCE_MS)


@pytest.mark.parametrize("overlaps_until_ms", [0, UNTIL_MS])
def test_a_wrong_signature_costs_the_same_whoever_is_in_an_overlap(
    monkeypatch: pytest.MonkeyPatch, overlaps_until_ms: int
) -> None:
    """Else the time taken tells which key exists and was rotated (SECURITY T6)."""
    stand_in = Counting(verifying.HmacVerifier(b"nobody's"))
    monkeypatch.setattr(verifying, "stand_in", lambda _: stand_in)
    own = Counting(load(KEY).verifier)
    plain = replace(load(KEY), verifier=own)

    asked(plain, b"wrong", NOW_MS, overlaps_until_ms=overlaps_until_ms)
    asked(None, b"wrong", NOW_MS, overlaps_until_ms=overlaps_until_ms)

    twice = 2 if overlaps_until_ms else 1
    assert len(own.asked) + len(stand_in.asked) == 2 * twice
