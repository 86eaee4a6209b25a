"""Paths with one reading, and the many that have two."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain.catalog import PUBLIC
from tenure.domain.model import Permission
from tenure.faces.http import targets
from tenure.faces.http.targets import AMBIGUOUS, Target

READING, TRADING = Permission("reading"), Permission("spot_margin_trading")


@pytest.mark.parametrize(
    ("uri", "path", "query"),
    [
        ("/", "/", b""),
        ("/?", "/", b""),
        ("/api/v3/order", "/api/v3/order", b""),
        ("/api/v3/order/", "/api/v3/order/", b""),
        ("/api/v3/order?symbol=A&x=%2F..//;", "/api/v3/order", b"symbol=A&x=%2F..//;"),
        ("/api?a=1?b=2", "/api", b"a=1?b=2"),
        ("/api?a=\xc3\xa9", "/api", b"a=\xc3\xa9"),
        ("/a%40b.c/caf%C3%A9/x%20y", "/a%40b.c/caf%C3%A9/x%20y", b""),
        ("/..a/b../.c/...", "/..a/b../.c/...", b""),
        ("/a:b@c!$&'()*+,=~_-", "/a:b@c!$&'()*+,=~_-", b""),
    ],
)
def test_a_target_with_one_reading_is_taken_apart(uri: str, path: str, query: bytes) -> None:
    assert targets.read(uri) == Target(path, query)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "api/v3/order",
        "http://example.com/api/v3/order",
        "//api",
        "/api//v3",
        "/api/v3//",
        "/.",
        "/..",
        "/api/../admin",
        "/api/./v3",
        "/api/..",
        "/api/%2e%2e/admin",
        "/api/%2E/v3",
        "/api/.%2e/admin",
        "/api%2fv3",
        "/api%2Fv3",
        "/api%5cv3",
        "/api\\v3",
        "/api/..;/x",
        "/api;x=1/v3",
        "/api/%3Bx",
        "/api#x",
        "/api/%23x",
        "/api/%3fx=1",
        "/api/%252e%252e/admin",
        "/api/%00",
        "/api/%0d%0aSet-Cookie",
        "/api/%1f",
        "/api/%7f",
        "/api/%",
        "/api/%4",
        "/api/%zz",
        "/api/%u0041",
        "/api v3",
        "/api\tv3",
        "/api\n",
        "/api\x00",
        "/api\x7f",
        "/caf\xe9",
        "/caf\xc3\xa9",
        "/api|v3",
        "/api/{x}",
        '/api/"',
    ],
)
def test_a_path_with_two_readings_is_refused(path: str) -> None:
    """T9, BI-22."""
    assert not targets.is_plain(path)
    assert targets.read(f"{path}?a=1") is None


@pytest.mark.parametrize("query", ["a#b", "a b", "a\nb", "a\x00", "a\x7f"])
def test_a_query_that_no_request_line_can_hold_is_refused(query: str) -> None:
    assert targets.read(f"/api?{query}") is None


@given(st.text("/.%;\\#?aA0123456789bcdefBCDEF\x00\xe9", max_size=16).map(lambda text: f"/{text}"))
def test_a_plain_path_keeps_its_shape_when_somebody_decodes_it(path: str) -> None:
    if targets.is_plain(path):
        decoded = unquote(path, errors="replace")
        segments = decoded[1:].removesuffix("/").split("/")
        assert decoded.count("/") == path.count("/")
        assert not {".", "..", ""} & set(segments) or path == "/"
        assert not set("\\;#?%") & set(decoded)
        assert all(sign.isprintable() for sign in decoded if sign.isascii())


def test_a_very_long_path_is_judged_too() -> None:
    assert targets.is_plain("/a%41" * 10_000)
    assert not targets.is_plain("/a%41" * 10_000 + "\x00")


def needed(path: str, **routes: Permission) -> Permission | None:
    def permission_for(method: str, asked: str) -> Permission | None:
        segments = asked.split("/")
        found = routes.get(asked.removeprefix("/a/").replace("@", "_at_"))
        return found or (routes["any"] if len(segments) == 3 and method == "POST" else None)

    return targets.needed(permission_for, "POST", path)


def test_an_escaped_letter_never_chooses_between_two_routes() -> None:
    """Whichever of the two the service behind would take, the other permission was not asked."""
    assert needed("/a/order", order=TRADING, any=READING) == TRADING
    assert needed("/a/%6frder", order=TRADING, any=READING) == AMBIGUOUS
    assert needed("/a/p%69ng", ping=PUBLIC, any=TRADING) == AMBIGUOUS
    assert needed("/a/me%40x", me_at_x=TRADING, any=READING) == AMBIGUOUS


def test_an_escape_that_leads_to_the_same_route_is_fine() -> None:
    assert needed("/a/b%40c", order=TRADING, any=READING) == READING
    assert needed("/b/c%40d/e", any=READING) is None


@pytest.mark.parametrize("escape", ["%ff", "%C0%AE", "%ED%A0%80", "%E2%82"])
def test_an_escape_that_is_no_utf_8_is_ambiguous(escape: str) -> None:
    assert needed(f"/a/{escape}", any=READING) == AMBIGUOUS
