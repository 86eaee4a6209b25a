"""May this request act? The order of the tests, the table of reasons, and every boundary."""

from dataclasses import replace

import pytest

from tenure.domain import decide
from tenure.domain.decide import REFUSALS, UNTOLD, Allowed, LoadedKey, Reason, Refused
from tenure.domain.model import READING, ApiKey, KeyType, Permission, RuleId
from tests import signers
from tests.builders import (
    FUTURES,
    HOME,
    TRADING,
    a_key,
    an_address,
    load,
    ms,
    revoked,
    signed,
)

NOW_MS = ms("2021-12-01 10:05")
END_MS = ms("2021-12-20 00:00")
ELSEWHERE = "198.51.100.20"
KEY = a_key(TRADING, issued="2021-11-20 00:00")
RULE = RuleId("2021-07-09")

EVERY_TYPE = pytest.mark.parametrize("key_type", KeyType)


def outcome(  # noqa: PLR0913 - a decision hangs on that many things
    key: ApiKey = KEY,
    permission: Permission | None = TRADING,
    *,
    at_ms: int = NOW_MS,
    sent_ms: int | None = None,
    address: str = HOME,
    signature: str | None = None,
    is_known: bool = True,
    frozen_at_ms: int | None = None,
) -> Allowed | Refused:
    """Return what is decided of a request of *key*, really signed unless *signature* is given."""
    request = signed(
        key, at=at_ms if sent_ms is None else sent_ms, address=address, signature=signature
    )
    loaded = load(key, frozen_at_ms=frozen_at_ms) if is_known else None
    return decide.decide(request, permission, loaded, at_ms)


@EVERY_TYPE
def test_a_good_request_is_allowed_and_says_as_whom_and_until_when(key_type: KeyType) -> None:
    key = a_key(TRADING, issued="2021-11-20 00:00", key_type=key_type)
    allowed = outcome(key)

    assert isinstance(allowed, Allowed)
    assert (allowed.account_id, allowed.key_id) == (key.account_id, key.key_id)
    assert (allowed.permission, allowed.ends_at_ms, allowed.rule_id) == (TRADING, END_MS, RULE)
    assert allowed.loaded.version == key.version


def test_what_has_no_end_is_allowed_without_one() -> None:
    allowed = outcome(permission=READING)

    assert isinstance(allowed, Allowed)
    assert (allowed.ends_at_ms, allowed.rule_id) == (None, None)


@EVERY_TYPE
@pytest.mark.parametrize(("off_ms", "is_on"), [(-1, True), (0, False), (1, False)])
def test_at_its_end_a_permission_is_off_and_not_a_millisecond_earlier(
    key_type: KeyType, off_ms: int, *, is_on: bool
) -> None:
    """BI-24."""
    key = a_key(TRADING, issued="2021-11-20 00:00", key_type=key_type)
    result = outcome(key, at_ms=END_MS + off_ms)

    if is_on:
        assert isinstance(result, Allowed)
    else:
        assert result == Refused(
            Reason.PERMISSION_EXPIRED,
            permission=TRADING,
            at_ms=END_MS,
            rule_id=RULE,
        )
    assert load(key).holds(TRADING, END_MS + off_ms) is is_on


def test_what_is_not_ticked_is_missing() -> None:
    assert outcome(permission=FUTURES) == Refused(Reason.PERMISSION_MISSING, FUTURES)
    assert not load(KEY).holds(FUTURES, NOW_MS)


@pytest.mark.parametrize("name", ["", "public", "SPOT_MARGIN_TRADING", "spot_margin_trading "])
def test_a_permission_nobody_has_heard_of_is_missing_too(name: str) -> None:
    """BI-31."""
    assert outcome(permission=Permission(name)) == Refused(Reason.PERMISSION_MISSING, name)


def test_a_route_nobody_has_heard_of_is_refused() -> None:
    assert outcome(permission=None) == Refused(Reason.ROUTE_UNKNOWN)


def test_an_address_outside_the_allowlist_is_refused_and_shown() -> None:
    key = a_key(TRADING, allowlist=(HOME,))

    assert isinstance(outcome(key), Allowed)
    assert outcome(key, address=ELSEWHERE) == Refused(Reason.IP_NOT_ALLOWED, address=ELSEWHERE)
    assert isinstance(outcome(key, address=f"::ffff:{HOME}"), Allowed)


def test_a_revoked_key_and_a_frozen_account_are_refused_with_the_instant() -> None:
    assert outcome(revoked(KEY, at=NOW_MS - 7)) == Refused(Reason.KEY_REVOKED, at_ms=NOW_MS - 7)
    assert outcome(frozen_at_ms=NOW_MS - 9) == Refused(Reason.ACCOUNT_FROZEN, at_ms=NOW_MS - 9)


WRONG = "0" * 64


def test_the_first_test_that_fails_is_the_answer() -> None:
    """The order is fixed (DESIGN): each row mends what the row before was refused for."""
    closed = a_key(TRADING, issued="2021-08-01 00:00")  # Its trading has ended.
    broken = replace(closed, api_key="tnr1", allowlist=("198.51.100.1",))
    whole = replace(broken, api_key=closed.api_key)
    gone = revoked(whole, at=NOW_MS - 1)
    late_ms = NOW_MS - 5_001

    steps: list[tuple[Reason, Allowed | Refused]] = [
        (
            Reason.KEY_MALFORMED,
            outcome(broken, sent_ms=late_ms, signature=WRONG, is_known=False),
        ),
        (
            Reason.OUTSIDE_RECEIVE_WINDOW,
            outcome(whole, sent_ms=late_ms, signature=WRONG, is_known=False),
        ),
        (
            Reason.OUTSIDE_RECEIVE_WINDOW,
            outcome(gone, None, sent_ms=late_ms, signature=WRONG, frozen_at_ms=1),
        ),
        (Reason.KEY_UNKNOWN, outcome(whole, signature=WRONG, is_known=False)),
        (Reason.SIGNATURE_INVALID, outcome(gone, None, signature=WRONG, frozen_at_ms=1)),
        (Reason.KEY_REVOKED, outcome(gone, None, frozen_at_ms=1)),
        (Reason.ACCOUNT_FROZEN, outcome(whole, None, frozen_at_ms=1)),
        (Reason.IP_NOT_ALLOWED, outcome(whole, None)),
        (Reason.ROUTE_UNKNOWN, outcome(closed, None)),
        (Reason.PERMISSION_MISSING, outcome(closed, FUTURES)),
        (Reason.PERMISSION_EXPIRED, outcome(closed, TRADING)),
    ]

    assert [result.reason if isinstance(result, Refused) else None for _, result in steps] == [
        reason for reason, _ in steps
    ]


@EVERY_TYPE
@pytest.mark.parametrize("signed_as", KeyType)
def test_a_signature_of_another_type_or_text_proves_nothing(
    key_type: KeyType, signed_as: KeyType
) -> None:
    """BI-16, BI-18: the type is the key's own, and the bytes are those that came."""
    key = a_key(TRADING, issued="2021-11-20 00:00", key_type=key_type)
    payload = f"timestamp={NOW_MS}".encode()

    right = outcome(key, signature=signers.sign(signed_as, payload))
    other = outcome(key, signature=signers.sign(signed_as, payload + b"0"))
    assert isinstance(right, Allowed) is (signed_as is key_type)
    assert other == Refused(Reason.SIGNATURE_INVALID)


@pytest.mark.parametrize(
    ("mangle", "proves"),
    [
        (str.upper, True),  # BI-14
        (lambda text: text[:32], False),  # BI-15
        (lambda text: text[:-1] + "g", False),
        (lambda text: text + "0", False),
        (lambda text: text.replace("", "=")[:64], False),
    ],
)
def test_hmac_takes_64_hex_digits_in_either_case(mangle: object, *, proves: bool) -> None:
    assert callable(mangle)
    right = signers.sign(KeyType.HMAC, f"timestamp={NOW_MS}".encode())

    assert isinstance(outcome(signature=mangle(right)), Allowed) is proves


@EVERY_TYPE
@pytest.mark.parametrize("retries", [True, False])
def test_the_decoded_text_is_tried_where_the_venue_allows_it(
    key_type: KeyType, *, retries: bool
) -> None:
    """WIRE's compatibility retry, as python-binance needs it."""
    key = a_key(TRADING, issued="2021-11-20 00:00", key_type=key_type)
    plain = f"timestamp={NOW_MS}email=sub+one@example.com".encode()
    request = signed(key, at=NOW_MS, body="email=sub%2Bone%40example.com", covers=plain)
    result = decide.decide(request, TRADING, load(key), NOW_MS, decoded_retry=retries)

    assert isinstance(result, Allowed) is retries


@EVERY_TYPE
def test_the_decoded_text_never_splits_a_value_in_two(key_type: KeyType) -> None:
    """T14: whoever signed `a=1&quantity=9` has not signed `a=1%26quantity=9`."""
    key = a_key(TRADING, issued="2021-11-20 00:00", key_type=key_type)
    plain = f"a=1&quantity=9&timestamp={NOW_MS}".encode()
    request = signed(key, at=NOW_MS, query="a=1%26quantity=9", covers=plain)

    assert decide.decide(request, TRADING, load(key), NOW_MS) == Refused(Reason.SIGNATURE_INVALID)


@EVERY_TYPE
def test_what_matches_as_it_came_is_not_decoded(key_type: KeyType) -> None:
    key = a_key(TRADING, issued="2021-11-20 00:00", key_type=key_type)
    request = signed(key, at=NOW_MS, query="email=a%40b.c", body="x=%ff")

    assert isinstance(decide.decide(request, TRADING, load(key), NOW_MS), Allowed)


@pytest.mark.parametrize(
    ("sent_off_ms", "other_off_ms", "is_ahead"),
    [
        *((0, None, None), (999, None, None), (-5_000, None, None)),
        *((1_000, None, True), (-5_001, None, False)),
        # A second clock, near which the timestamp may lie instead (sandbox).
        *((86_400_000, 86_400_000, None), (86_400_999, 86_400_000, None)),
        *((86_401_000, 86_400_000, True), (0, 86_400_000, None), (-5_001, 86_400_000, False)),
    ],
)
def test_the_timestamp_must_lie_near_a_clock(
    sent_off_ms: int, other_off_ms: int | None, *, is_ahead: bool | None
) -> None:
    request = signed(KEY, at=NOW_MS + sent_off_ms)
    result = decide.decide(
        request,
        TRADING,
        load(KEY),
        NOW_MS,
        window_now_ms=None if other_off_ms is None else NOW_MS + other_off_ms,
    )

    if is_ahead is None:
        assert isinstance(result, Allowed)
    else:
        assert result == Refused(Reason.OUTSIDE_RECEIVE_WINDOW, is_ahead=is_ahead)


def test_the_second_clock_decides_nothing_but_the_window() -> None:
    request = signed(KEY, at=END_MS)
    result = decide.decide(request, TRADING, load(KEY), END_MS, window_now_ms=NOW_MS)

    assert isinstance(result, Refused)
    assert result.reason is Reason.PERMISSION_EXPIRED


def test_possession_once_proved_the_rest_can_be_judged_alone() -> None:
    loaded = load(KEY)

    assert isinstance(decide.judge(loaded, an_address(), TRADING, NOW_MS), Allowed)
    assert isinstance(decide.judge(loaded, an_address(), TRADING, END_MS), Refused)


@pytest.mark.parametrize(
    ("reason", "status", "is_told"),
    [
        ("request_malformed", 401, False),
        ("key_malformed", 401, False),
        ("key_unknown", 401, False),
        ("outside_receive_window", 401, False),
        ("signature_invalid", 401, False),
        ("key_revoked", 401, True),
        ("account_frozen", 403, True),
        ("ip_not_allowed", 403, True),
        ("route_unknown", 403, True),
        ("permission_missing", 403, True),
        ("permission_expired", 403, True),
        ("replayed", 401, True),
    ],
)
def test_a_row_says_what_a_reason_means_in_public(
    reason: str, status: int, *, is_told: bool
) -> None:
    """STYLE section 5's table, and two reasons it does not name."""
    row = REFUSALS[Reason(reason)]

    assert (row.status, row.is_told) == (status, is_told)
    assert row.sentence[0].islower()
    assert not row.sentence.endswith(".")


def test_every_reason_has_a_row_and_none_is_called_what_strangers_are_told() -> None:
    assert list(REFUSALS) == list(Reason)
    assert UNTOLD not in set(Reason)


def test_an_allowed_request_and_a_refused_one_cannot_be_mistaken() -> None:
    """STYLE section 5: the ids a caller goes on with are not there on a refusal."""
    assert not {"account_id", "key_id", "loaded"} & set(Refused._fields)
    assert {"account_id", "key_id"} <= set(Allowed._fields)
    assert LoadedKey.__slots__
