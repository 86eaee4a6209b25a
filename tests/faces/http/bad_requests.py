"""
Bad requests, one row each, by their number in the table of bad inputs.

Which key they name, when, where the signature stands and what it covers, which path, which caller;
the signatures themselves are in `bad_signatures`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from tests.faces.http.attempts import (
    ALLOWED,
    CLIENT,
    FORM,
    ILLEGAL,
    MANDATORY,
    SIGNATURE,
    STRANGER,
    TWICE,
    UNAUTHORIZED,
    UNKNOWN,
    UNKNOWN_ROUTE,
    UNREADABLE,
    WINDOW,
    Attempt,
    Door,
    Outcome,
    Row,
    good,
)

NOT_ALLOWED, NOT_ALLOWED_HERE = (403, "ip_not_allowed"), (400, -2015)
WIDE = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))


def changed(**more: Any) -> Callable[[Door], Attempt]:  # noqa: ANN401 - fields of an attempt
    """Return what makes a good attempt with some fields changed."""
    return lambda door: replace(door.attempt(), **more)


def keys() -> Iterator[Row]:
    """BI-1 to BI-3."""
    absent = changed(api_key=None)
    yield Row(bi="BI-1", why="no key", attempt=absent, platform=UNREADABLE, surface=FORM)
    for why, name, other in (
        ("two equal keys", "X-MBX-APIKEY", None),
        ("two keys", "X-MBX-APIKEY", UNKNOWN),
        ("a key and an empty one", "X-MBX-APIKEY", ""),
        ("a key and its alias", "X_MBX_APIKEY", None),
    ):
        yield Row(bi="BI-1", why=why, attempt=_and_also(name, other), platform=None, surface=TWICE)
    for why, change in (
        ("wrong checksum", lambda key: key[:-1] + ("A" if key[-1] != "A" else "B")),
        ("wrong prefix", lambda key: f"tnr2{key[4:]}"),
        ("10 kB", lambda key: key + "a" * 10_000),
        ("NUL in its place", lambda key: f"{key[:-1]}\x00"),
        ("NUL behind it", lambda key: f"{key}\x00"),
        ("not ASCII", lambda key: f"{key[:-1]}\xe9"),
        ("full-width", lambda key: key.replace("1", "\xef\xbc\x91", 1)),
        ("a blank in front", lambda key: f" {key}"),
        ("lower case", str.lower),
        ("empty", lambda _: ""),
    ):
        yield Row(bi="BI-2", why=why, attempt=_renamed(change), surface=FORM)
    yield Row(bi="BI-3", why="nobody's", attempt=changed(api_key=UNKNOWN), surface=SIGNATURE)


def _and_also(name: str, other: str | None) -> Callable[[Door], Attempt]:
    def attempt(door: Door) -> Attempt:
        value = door.keys["hmac"].api_key if other is None else other
        return replace(door.attempt(), more=((name, value),))

    return attempt


def _renamed(change: Callable[[str], str]) -> Callable[[Door], Attempt]:
    return lambda door: replace(door.attempt(), api_key=change(door.keys["hmac"].api_key))


def times() -> Iterator[Row]:
    """BI-5 to BI-9; each query is signed as it stands."""
    yield _timed("BI-5", "symbol=A", MANDATORY)
    for form in (
        *("", "NaN", "1e13", "0x17d71b4f000", "-{now}", "+{now}", "%2B{now}", "1_{now}"),
        *(
            "{now}_0",
            "%20{now}",
            "{now}%20",
            "%09{now}",
            "{now}%0A",
            "{now}%00",
            "0{now}",
            "{now}\n",
            " {now}",
        ),
        *("{now}.0", "inf", "null", "[]", "{now},{now}", "{wide}", "9" * 5_000),
    ):
        yield _timed("BI-5", f"timestamp={form}", MANDATORY)
    yield _timed("BI-6", "timestamp={now}", WINDOW, by_ms=1_000)
    yield _timed("BI-6", "timestamp={now}", by_ms=999)
    yield _timed("BI-7", "timestamp={now}&recvWindow=5000", by_ms=-5_000)
    yield _timed("BI-7", "timestamp={now}&recvWindow=5000", WINDOW, by_ms=-5_001)
    yield _timed("BI-7", "timestamp={now}&recvWindow=60000", by_ms=-60_000)
    yield _timed("BI-7", "timestamp={now}&recvWindow=60000", WINDOW, by_ms=-60_001)
    yield _timed("BI-8", "timestamp={s}", WINDOW)
    yield _timed("BI-8", "timestamp={now}000000", WINDOW)
    for window in ("0", "-1", "60001", "1e9", "5000.0001", "", "+1", "0x10", "%205", "NaN", "05"):
        yield _timed("BI-9", f"timestamp={{now}}&recvWindow={window}", MANDATORY)
    yield _timed("BI-9", "timestamp={now}", by_ms=-5_000)
    yield _timed("BI-9", "timestamp={now}", WINDOW, by_ms=-5_001)
    yield _timed("BI-9", "timestamp={now}&recvWindow=5000.999", by_ms=-5_000)


def _timed(bi: str, form: str, surface: Outcome = ALLOWED, *, by_ms: int = 0) -> Row:
    def attempt(door: Door) -> Attempt:
        at_ms = door.now_ms + by_ms
        wide = quote(str(at_ms).translate(WIDE))
        return door.attempt(form.format(now=at_ms, s=at_ms // 1000, wide=wide))

    said = ALLOWED if surface == ALLOWED else UNAUTHORIZED
    return Row(
        bi=bi,
        why=f"{form[:60]} {by_ms:+}",
        attempt=attempt,
        gateway=said,
        platform=said,
        surface=surface,
    )


def places() -> Iterator[Row]:
    """BI-4: where a signature stands."""
    for why, form, surface in (
        ("missing", "timestamp={now}", MANDATORY),
        ("empty", "timestamp={now}&signature=", MANDATORY),
        ("without a value", "timestamp={now}&signature", MANDATORY),
        ("in capitals", "timestamp={now}&Signature={right}", MANDATORY),
        ("twice in the query", "timestamp={now}&signature={right}&signature={right}", TWICE),
        ("of another query", "a=1&timestamp={now}&signature={right}", SIGNATURE),
    ):
        yield Row(bi="BI-4", why=why, attempt=_placed(form), surface=surface)
    yield Row(
        bi="BI-4",
        why="in the query and in the body",
        attempt=changed(body=b"signature=00"),
        gateway=None,  # No body is forwarded.
        surface=TWICE,
    )
    for why, native in (
        ("in a header alone", {"signature": "sig1=:AA==:"}),
        ("in a header alone, as hex", {"signature": "00" * 32}),
    ):
        attempt = _placed("timestamp={now}", native=native)
        yield Row(bi="BI-4", why=why, attempt=attempt, surface=MANDATORY)
    for why, more in (("both good", {}), ("the native one nobody's", {"api_key": UNKNOWN})):
        yield Row(
            bi="BI-4",
            why=f"in the query and natively in headers, {why}",
            attempt=_both(**more),
            surface=None,
        )


def _placed(form: str, **more: Any) -> Callable[[Door], Attempt]:  # noqa: ANN401 - fields of an attempt
    def attempt(door: Door) -> Attempt:
        right = door.sign(f"timestamp={door.now_ms}")
        return replace(door.attempt(), query=form.format(now=door.now_ms, right=right), **more)

    return attempt


def _both(**more: str) -> Callable[[Door], Attempt]:
    """Return what makes an attempt whose native signature covers the other one as well."""

    def attempt(door: Door) -> Attempt:
        good = door.attempt()
        target = f"{good.path}?{good.query}"
        return replace(good, native=door.natively("hmac", target=target, **more).native)

    return attempt


def coverage() -> Iterator[Row]:
    """BI-18 and BI-19: what a signature covers."""
    for why, sent in (
        ("a POST's on DELETE", {"method": "DELETE"}),
        ("of another path", {"path": "/api/v3/order/test"}),
        ("of another query", {"query": "a=2"}),
        ("of no query", {"query": ""}),
    ):
        yield Row(bi="BI-18", why=why, attempt=_natively(sent), surface=None)
    uncovered = ("@method", "@authority", "@path")
    yield Row(bi="BI-18", why="not covered", attempt=_natively(covered=uncovered), surface=None)
    yield Row(
        bi="BI-18",
        why="foreign alg",
        attempt=_natively(more={"alg": '"hmac-sha256"'}),
        surface=None,
    )
    yield Row(bi="BI-18", why="of another host", attempt=_moved, surface=None)
    own = Row(bi="BI-18", why="as it was signed", attempt=_natively(), surface=None)
    yield replace(own, gateway=ALLOWED, platform=ALLOWED)

    for why, was_signed, sent_as, surface in (
        ("a name twice", "quantity=1&quantity=2", "quantity=1&quantity=2", TWICE),
        ("an escaped name", "%71uantity=1", "%71uantity=1", ILLEGAL),
        ("a name escaped later", "quantity=1", "%71uantity=1", ILLEGAL),
        ("[] for a plain name", "quantity=1", "quantity[]=1", SIGNATURE),
        ("; for &", "a=1&b=2", "a=1;b=2", SIGNATURE),
        ("& for ;", "a=1;b=2", "a=1&b=2", SIGNATURE),
        ("an empty pair more", "a=1", "a=1&", SIGNATURE),
        ("another order", "a=1&b=2", "b=2&a=1", SIGNATURE),
        ("an escaped & in a value", "a=1&b=2", "a=1%26b=2", SIGNATURE),
    ):
        attempt = _over(was_signed, sent_as)
        yield Row(bi="BI-19", why=why, attempt=attempt, surface=surface)
    for text in ("quantity[]=1", "a=1;b=2", "a=1&&b=2"):
        yield good("BI-19", f"{text} as it was signed", _over(text, text))


def _natively(sent: dict[str, str] | None = None, **more: object) -> Callable[[Door], Attempt]:
    return lambda door: replace(door.natively(**more), **(sent or {}))  # type: ignore[arg-type]  # parts of a request, fields of an attempt


def _moved(door: Door) -> Attempt:
    attempt = door.natively()
    return replace(attempt, native={**attempt.native, "host": "api.example.org"})


def _over(was_signed: str, sent: str) -> Callable[[Door], Attempt]:
    def attempt(door: Door) -> Attempt:
        tail = f"&timestamp={door.now_ms}"
        return door.attempt(sent + tail, signature=door.sign(was_signed + tail))

    return attempt


def paths() -> Iterator[Row]:
    """BI-22: what one reader takes for another path than the next."""
    for path in (
        *(
            "/api/%2e%2e/admin",
            "/api/..;/x",
            "/api/v3/order#",
            "/api/v3%2forder",
            "/api/v3%2Forder",
        ),
        *("/api/v3/../v3/order", "/api/./v3/order", "/api/v3//order", "/api/v3/order;x=1"),
        *("/api/v3/%6frder", "/api/v3/order%00", "/api/v3%5corder", "/api/v3/\\order"),
        *("/api/%252e%252e/x", "/api/v3/order%3f", "/api/v3/caf\xe9"),
    ):
        attempt = changed(path=path, look=path)
        yield Row(bi="BI-22", why=path, attempt=attempt, surface=UNKNOWN_ROUTE)
    for path in ("//api/v3/order", "/./api/v3/order", "api/v3/order", "http://a/api/v3/order"):
        # Past the surface's paths it is the management face that knows no such route.
        attempt = changed(path=path, look=path)
        yield Row(bi="BI-22", why=path, attempt=attempt, surface=(404, "not_found"))


def callers() -> Iterator[Row]:
    """BI-27 to BI-30: whom the key, for CLIENT's address alone, is used by."""
    yield good("BI-27", "IPv4 in IPv6", _from(f"::ffff:{CLIENT}"))
    yield good("BI-27", "in its other spelling", _from("::FFFF:CB00:7109"))
    elsewhere: dict[str, Any] = {
        "gateway": NOT_ALLOWED,
        "platform": NOT_ALLOWED,
        "surface": NOT_ALLOWED_HERE,
    }
    for client in (f"::{CLIENT}", f"64:ff9b::{CLIENT}", f"::ffff:{STRANGER}", STRANGER):
        yield Row(bi="BI-27", why=client, attempt=_from(client), **elsewhere)

    claim = (("X-Forwarded-For", CLIENT),)
    yield Row(
        bi="BI-28",
        why="claimed by a stranger",
        attempt=_from(STRANGER, more=claim, peer=STRANGER),
        gateway=UNAUTHORIZED,
        platform=None,
        surface=NOT_ALLOWED_HERE,
    )
    for hops, said, surface in (
        (f"{STRANGER}, {CLIENT}", ALLOWED, ALLOWED),
        (f"evil, {CLIENT}", ALLOWED, ALLOWED),
        (f"{STRANGER},{CLIENT}, 10.0.0.7", ALLOWED, ALLOWED),
        (f"{CLIENT}, {STRANGER}", NOT_ALLOWED, NOT_ALLOWED_HERE),
        (f"{CLIENT}, {STRANGER}, 10.0.0.7", NOT_ALLOWED, NOT_ALLOWED_HERE),
    ):
        attempt = _from(hops, is_direct=False)
        yield Row(
            bi="BI-28", why=hops, attempt=attempt, gateway=said, platform=None, surface=surface
        )

    for hops in (
        *(f"{CLIENT}:443", f"[{CLIENT}]", "[2001:db8::1]:443", "unknown", "", " ", f"{CLIENT},"),
        *(f"{CLIENT} {CLIENT}", "203.0.113.09", f'"{CLIENT}"', f"for={CLIENT}", f"{CLIENT}\x00"),
        ", ".join([CLIENT] * 1_000),
    ):
        yield Row(
            bi="BI-29",
            why=f"from a gateway: {hops[:30]!r}",
            attempt=_from(hops, is_direct=False),
            platform=UNREADABLE,
            surface=TWICE,
        )
        yield Row(
            bi="BI-29",
            why=f"from a client: {hops[:30]!r}",
            attempt=_from(CLIENT, more=(("X-Forwarded-For", hops),)),
            gateway=None,
            platform=None,
            surface=ALLOWED,
        )

    for name in ("X_Forwarded_For", "X.Forwarded.For", "X-Forwarded_For", "X-Forwarded-For"):
        attempt = _from(CLIENT, is_direct=False, more=((name, CLIENT),))
        yield Row(bi="BI-30", why=name, attempt=attempt, platform=None, surface=TWICE)


def _from(client: str, **more: Any) -> Callable[[Door], Attempt]:  # noqa: ANN401 - fields of an attempt
    return lambda door: replace(door.attempt(key="restricted"), client=client, **more)


ROWS = (*keys(), *times(), *places(), *coverage(), *paths(), *callers())
