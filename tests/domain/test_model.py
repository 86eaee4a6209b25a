"""The nouns: when a grant has ended, what a key holds, and secrets that do not show themselves."""

import pytest

from tenure.domain.model import READING, Grant, KeyStatus, RuleId, Secret, Term
from tests.builders import FUTURES, HOME, TRADING, a_key, ms, revoked

END_MS = ms("2021-12-31 10:05")
TERM = Term(END_MS - 1_000, END_MS, RuleId("a-rule"))


@pytest.mark.parametrize(
    ("at_ms", "ended"), [(END_MS - 1, False), (END_MS, True), (END_MS + 1, True)]
)
def test_a_grant_has_ended_at_its_end_and_not_a_millisecond_earlier(
    *, at_ms: int, ended: bool
) -> None:
    grant = Grant(permission=TRADING, granted_at_ms=TERM.starts_at_ms, term=TERM)

    assert grant.has_ended(at_ms) is ended


def test_a_grant_without_a_term_never_ends() -> None:
    assert not Grant(permission=TRADING, granted_at_ms=0).has_ended(10**18)


def test_a_key_holds_what_is_granted_and_has_not_ended() -> None:
    key = a_key(TRADING, issued="2021-08-01 00:00")
    end_ms = ms("2021-08-31 00:00")

    assert key.holds(READING, end_ms)
    assert key.holds(TRADING, end_ms - 1)
    assert not key.holds(TRADING, end_ms)
    assert not key.holds(FUTURES, end_ms - 1)


def test_a_key_is_restricted_by_any_entry() -> None:
    assert a_key(allowlist=(HOME,)).is_restricted
    assert not a_key().is_restricted


def test_a_revoked_key_says_so() -> None:
    key = a_key()

    assert key.status is KeyStatus.ACTIVE
    assert revoked(key, at="2021-08-01 00:00").status is KeyStatus.REVOKED


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("open sesame")

    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r}", repr([secret])):
        assert "sesame" not in shown
        assert "***" in shown
    assert secret.reveal() == "open sesame"


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("one") == Secret("one")
    assert hash(Secret("one")) == hash(Secret("one"))
    assert Secret("one") != Secret("two")
    assert Secret("one") != "one"


def test_a_secret_has_no_place_for_anything_else() -> None:
    with pytest.raises(AttributeError):
        Secret("one").text = "two"  # type: ignore[attr-defined]  # That is the point.
