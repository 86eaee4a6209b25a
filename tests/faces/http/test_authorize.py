"""Forward-auth by raw bytes: who passes, who does not, and what each is told."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import structlog
from prometheus_client import REGISTRY

from tenure import settings, wiring
from tenure.domain.model import ApiKey, KeyType
from tenure.faces.http import authorize
from tenure.services.keyring import Evidence
from tenure.services.keys import Wanted
from tests import signers
from tests.builders import ms
from tests.house import House, Reply, ask

GATEWAY, CLIENT = "10.0.0.7", "203.0.113.9"
TRADING, READING, FUTURES = "spot_margin_trading", "reading", "futures"
ORDER = "/api/v3/order"
UNKNOWN = "tnr1NqIc7A9gVcy8VyOBZLNmsaqXIcEZvTWHKTBsZpgdOm6bclf1w6gdT54D2Fh5"
"""Well-formed, and nobody's."""
IDENTITY = (
    *("tenure-account", "tenure-key", "tenure-permission"),
    *("tenure-expires-at", "tenure-rule"),
)
START, END = ms("2021-12-01 10:00"), ms("2021-12-31 10:00")


def a_house(home: Path, **more: object) -> House:
    return House.open(home, trusted_proxies=(GATEWAY,), staleness_ms=60_000, **more)  # type: ignore[arg-type]  # settings


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Open a house whose clock no test moves; one for the whole table of refusals."""
    house = a_house(tmp_path_factory.mktemp("home"))
    yield house
    house.close()


@pytest.fixture(scope="module")
def key(standing: House) -> ApiKey:
    return standing.issue(standing.account(), TRADING)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = a_house(tmp_path)
    yield house
    house.close()


def fresh(house: House) -> authorize.Authorize:
    """Return the face on a keyring that has just been brought up to date."""
    assert house.worker.follower is not None
    house.worker.follower.tick()
    return authorize.build(house.worker.decider, house.worker.settings)


def knock(  # noqa: PLR0913 - a question has that many sides
    house: House,
    uri: str,
    *more: tuple[str, str],
    key: str | None = None,
    method: str = "POST",
    client: str = CLIENT,
    peer: str = GATEWAY,
) -> Reply:
    """Ask as nginx does about *method* on *uri* by *client*, with *more* of its headers."""
    headers = [("X-Original-Method", method), ("X-Original-URI", uri), ("X-Forwarded-For", client)]
    headers += [("X-MBX-APIKEY", key)] if key is not None else []
    return ask(fresh(house), "GET", "/authorize", headers=[*headers, *more], peer=peer)


def signed(house: House, key: ApiKey, path: str = ORDER, query: str = "symbol=A") -> str:
    return f"{path}?{house.signed_query(key, query)}"


def outcome(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json()["code"] if reply.body else ""


@pytest.mark.parametrize("key_type", list(KeyType))
def test_an_allowed_request_passes_with_the_identity_of_its_key(
    standing: House, key_type: KeyType
) -> None:
    account_id = standing.account(f"{key_type}@example.com")
    key = standing.issue(account_id, TRADING, key_type=key_type)

    reply = knock(standing, signed(standing, key), key=key.api_key)

    assert (reply.status, reply.body) == (200, b"")
    assert {name: reply.headers[name] for name in IDENTITY} == {
        "tenure-account": account_id,
        "tenure-key": key.key_id,
        "tenure-permission": TRADING,
        "tenure-expires-at": str(END),
        "tenure-rule": "2021-07-09",
    }
    assert reply.headers["cache-control"] == "no-store"


def test_without_a_term_its_headers_are_there_and_empty(standing: House, key: ApiKey) -> None:
    """A gateway that copies them thereby overwrites whatever the caller sent."""
    own = [("Tenure-Expires-At", "1"), ("Tenure-Rule", "mine"), ("Tenure-Account", "acct_root")]
    uri = signed(standing, key, "/api/v3/account")
    reply = knock(standing, uri, *own, key=key.api_key, method="GET")

    assert reply.status == 200
    assert reply.headers["tenure-permission"] == READING
    assert (reply.headers["tenure-expires-at"], reply.headers["tenure-rule"]) == ("", "")


def test_a_public_route_passes_as_nobody(standing: House) -> None:
    reply = knock(standing, "/api/v3/ping", ("Tenure-Account", "acct_root"), method="GET")

    assert (reply.status, reply.body) == (200, b"")
    assert {name: reply.headers[name] for name in IDENTITY} == dict.fromkeys(IDENTITY, "")


def test_the_question_may_be_asked_by_any_method_and_under_any_path(
    standing: House, key: ApiKey
) -> None:
    headers = [
        *[("X-Original-Method", "POST"), ("X-Original-URI", signed(standing, key))],
        ("X-MBX-APIKEY", key.api_key),
    ]
    for method in ("GET", "POST", "DELETE", "OPTIONS", "BREW"):
        for path in ("/authorize", "/authorize/api/v3/ping?signature=0"):
            reply = ask(fresh(standing), method, path, headers=headers, peer=GATEWAY, body=b"a=1")
            assert reply.status == 200


@dataclass(frozen=True, slots=True)
class Doorstep:
    """One key's holder on a standing day, and the ways to ask for an order with that key."""

    house: House
    key: ApiKey

    @property
    def now_ms(self) -> int:
        """Where the clock stands."""
        return self.house.worker.clock.now_ms()

    @property
    def good(self) -> str:
        """A target that passes."""
        return signed(self.house, self.key)

    def sign(self, payload: str) -> str:
        """Sign *payload* as the holder does."""
        return self.house.signers[self.key.key_id](payload.encode())

    def knock(self, uri: str, *more: tuple[str, str], key: str | None = None, **how: str) -> Reply:
        """Ask for *uri* with the key, or another *key*."""
        return knock(self.house, uri, *more, key=self.key.api_key if key is None else key, **how)

    def ask(self, query: str, signature: str | None = None) -> Reply:
        """Ask for an order with *query*, rightly signed unless a *signature* is given."""
        signature = self.sign(query) if signature is None else signature
        return self.knock(f"{ORDER}?{query}&signature={quote(signature, safe='')}")


def wrong_keys(door: Doorstep) -> Iterator[tuple[str, Reply]]:
    """BI-1, BI-2, BI-3."""
    api_key, good = door.key.api_key, door.good
    yield "no key", knock(door.house, good)
    yield "two keys, equal", door.knock(good, ("X-MBX-APIKEY", api_key))
    yield "two keys", door.knock(good, ("X-MBX-APIKEY", "x"))
    yield "alias of the key", door.knock(good, ("X_MBX_APIKEY", api_key))
    yield "alias alone", knock(door.house, good, ("X.MBX.APIKEY", api_key))
    last = "A" if api_key[-1] != "A" else "B"
    for text in (
        *("", " ", "a" * 10_000, UNKNOWN, f" {api_key}", api_key.lower(), "x" + api_key[1:]),
        *(api_key[:-1] + sign for sign in (last, "\x00", "\xe9", "")),
    ):
        yield f"key {text[:70]!r}", door.knock(good, key=text)
    route = good.replace(ORDER, "/nowhere")
    yield "unknown key, unknown route", door.knock(route, key=UNKNOWN)


def wrong_times(door: Doorstep) -> Iterator[tuple[str, Reply]]:
    """BI-5, BI-6, BI-7, BI-8, BI-9."""
    now_ms = door.now_ms
    for stamp in (
        *("", "NaN", "1e13", "0x17d", f"-{now_ms}", f"+{now_ms}", f"{now_ms // 1000}"),
        *(f"1_{now_ms}", f"0{now_ms}", f"%20{now_ms}", f"{now_ms}%20", f"{now_ms}.0"),
        *(f"{now_ms * 1_000_000}", f"{now_ms + 1000}", f"{now_ms - 5001}", "9" * 5_000),
        quote(str(now_ms).translate({ord("1"): "\N{FULLWIDTH DIGIT ONE}"})),
    ):
        yield f"timestamp {stamp[:30]}", door.ask(f"timestamp={stamp}")
    yield "no timestamp", door.ask("symbol=A")
    for window in ("0", "-1", "60001", "1e9", "5000.0001", "", "%205000"):
        yield f"window {window}", door.ask(f"timestamp={now_ms}&recvWindow={window}")
    yield "old", door.ask(f"timestamp={now_ms - 10_001}&recvWindow=10000")


def wrong_signatures(door: Doorstep) -> Iterator[tuple[str, Reply]]:
    """BI-4, BI-12, BI-13, BI-15, BI-16, BI-19."""
    query = f"timestamp={door.now_ms}"
    right = door.sign(query)
    for text in (
        *("", right[:32], right[:-1], right + "0", right[:-1] + " ", right[:-2] + "\u00e9"),
        *("0" * 64, base64.b64encode(bytes.fromhex(right)).decode(), "A" * 88, "A" * 344),
        *("A" * 1_025, "TR==", right.replace(right[0], "\N{FULLWIDTH DIGIT ONE}")),
        signers.hmac_sign(door.key.api_key.encode(), query.encode()),
    ):
        yield f"signature {text[:70]!r}", door.ask(query, text)
    yield "none", door.knock(f"{ORDER}?{query}")
    yield "two", door.knock(f"{door.good}&signature={'0' * 64}")
    yield "in a header", door.knock(f"{ORDER}?{query}", ("signature", right))
    yield "of another query", door.ask(f"{query}&quantity=2", right)
    yield "parameter twice", door.ask(f"quantity=1&quantity=2&{query}")
    yield "name escaped", door.ask(f"%71uantity=1&{query}")


def wrong_targets(door: Doorstep) -> Iterator[tuple[str, Reply]]:
    """T9, BI-22, BI-32."""
    good = door.good
    for path in (
        *("/api/%2e%2e/admin", "//api/v3/order", "/api/..;/x", "/api/v3/order#", "/api/v3%2forder"),
        *("/api/v3%5corder", "/api/v3/../v3/order", "/api/v3/order;x=1", "/api/v3/\\order"),
        *("http://gateway/api/v3/order", "api/v3/order", "*", "/api/v3/order\x00", "/caf\xe9"),
        *("/api/v3/%6frder", ""),
    ):
        yield f"path {path}", door.knock(good.replace(ORDER, path))
    yield "empty target", door.knock("")
    yield "empty method", door.knock(good, method="")
    yield "target twice", door.knock(good, ("X-Original-URI", good))
    yield "method in two spellings", door.knock(good, ("X_Original_Method", "GET"))
    bare = [("X-Forwarded-For", CLIENT), ("X-MBX-APIKEY", door.key.api_key)]
    other = [("X-Forwarded-Method", "POST"), ("X-Forwarded-Uri", good)]
    for headers in (bare, [*bare, *other], [*bare, ("X-Original-Method", "POST")]):
        app = fresh(door.house)
        reply = ask(app, "POST", f"/authorize{good}", headers=headers, peer=GATEWAY)
        yield f"no target in {headers}", reply


def wrong_callers(door: Doorstep) -> Iterator[tuple[str, Reply]]:
    """BI-29, BI-30, BI-32, D14."""
    good = door.good
    yield "not a gateway", door.knock(good, peer="10.0.0.8")
    yield "not a gateway, public route", door.knock("/api/v3/ping", peer=CLIENT, method="GET")
    for hops in (f"{CLIENT}:1", f"[{CLIENT}]", "unknown", " ", "", ", ".join([CLIENT] * 1_000)):
        yield f"hops {hops[:30]}", door.knock(good, client=hops)
    yield "hops twice", door.knock(good, ("X-Forwarded-For", CLIENT))
    yield "hops in two spellings", door.knock(good, ("X_Forwarded_For", CLIENT))
    yield "64 kB in one header", door.knock(good, ("X-Long", "a" * 65_536))
    yield "64 kB in many", door.knock(good, *[(f"X-{number}", "a" * 64) for number in range(999)])


@pytest.mark.parametrize(
    "wrong", [wrong_keys, wrong_times, wrong_signatures, wrong_targets, wrong_callers]
)
def test_before_proof_every_refusal_is_the_same_to_the_byte(
    standing: House, key: ApiKey, wrong: Callable[[Doorstep], Iterator[tuple[str, Reply]]]
) -> None:
    door = Doorstep(standing, key)
    assert door.knock(door.good).status == 200  # So each case fails for what is wrong with it.
    expected = knock(standing, ORDER)
    assert outcome(expected) == (401, "unauthorized")
    assert not [name for name in expected.headers if name.startswith("tenure-")]

    assert {name: reply for name, reply in wrong(door) if reply != expected} == {}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("timestamp={0}", 200),
        ("timestamp={0}999", 200),
        ("timestamp={ahead}", 200),
        ("timestamp={window}", 200),
        ("timestamp={long}&recvWindow=60000", 200),
        ("recvWindow=5000.123&timestamp={0}", 200),
    ],
)
def test_the_edges_of_the_receive_window_are_inside(
    standing: House, key: ApiKey, query: str, status: int
) -> None:
    """BI-6, BI-7; microseconds too."""
    now_ms = standing.worker.clock.now_ms()
    edges = {"ahead": now_ms + 999, "window": now_ms - 5_000, "long": now_ms - 60_000}
    text = query.format(now_ms, **edges)
    uri = f"{ORDER}?{text}&signature={standing.signers[key.key_id](text.encode())}"

    assert knock(standing, uri, key=key.api_key).status == status


def test_hmac_digits_may_be_upper_case(standing: House, key: ApiKey) -> None:
    """BI-14."""
    head, _, signature = signed(standing, key).rpartition("=")
    assert knock(standing, f"{head}={signature.upper()}", key=key.api_key).status == 200


def test_parameters_in_the_body_prove_nothing_here(standing: House, key: ApiKey) -> None:
    """A gateway sends no body along, and one that does is not believed about it."""
    headers = [("X-Original-Method", "POST"), ("X-Original-URI", ORDER)]
    body = standing.signed_query(key).encode()
    reply = ask(
        fresh(standing),
        "POST",
        "/authorize",
        headers=[*headers, ("X-MBX-APIKEY", key.api_key)],
        body=body,
        peer=GATEWAY,
    )
    assert outcome(reply) == (401, "unauthorized")


def test_after_proof_the_exact_reason_is_told(house: House) -> None:
    """BI-23, BI-31, and the headers of WIRE section 5.3."""
    account_id = house.account()
    key = house.issue(account_id, TRADING, ips=("198.51.100.0/24",))

    reply = knock(house, signed(house, key), key=key.api_key)
    assert outcome(reply) == (403, "ip_not_allowed")
    assert reply.headers["tenure-address"] == reply.json()["address"] == CLIENT
    inside = {"key": key.api_key, "client": "198.51.100.20"}

    reply = knock(house, signed(house, key, "/fapi/v1/order"), **inside)
    assert outcome(reply) == (403, "permission_missing")
    assert reply.headers["tenure-permission"] == FUTURES

    for path, method in (("/api/v3/nowhere", "POST"), (ORDER, "PATCH"), (ORDER, "post")):
        reply = knock(house, signed(house, key, path), method=method, **inside)
        assert outcome(reply) == (403, "route_unknown")
        assert reply.headers["tenure-refusal"] == "route_unknown"

    house.worker.accounts.set_frozen(account_id, frozen=True, actor="test")
    assert outcome(knock(house, signed(house, key), **inside)) == (403, "account_frozen")

    house.worker.keys.revoke(key.key_id, "test")
    reply = knock(house, signed(house, key), **inside)
    assert outcome(reply) == (401, "key_revoked")
    assert reply.json()["since_ms"] == START
    assert "tenure-permission" not in reply.headers


def test_a_term_ends_at_its_very_instant(house: House) -> None:
    """BI-24; swept or not."""
    key = house.issue(house.account(), TRADING)

    house.move(END - 1)
    assert knock(house, signed(house, key), key=key.api_key).status == 200

    house.move(END)
    reply = knock(house, signed(house, key), key=key.api_key)
    assert outcome(reply) == (403, "permission_expired")
    assert reply.headers["tenure-refusal"] == "permission_expired"
    assert reply.headers["tenure-expires-at"] == str(END) == str(reply.json()["ends_at_ms"])
    assert reply.headers["tenure-rule"] == reply.json()["rule_id"] == "2021-07-09"
    assert reply.json()["detail"] == "the permission's term has ended; tick it again"


def test_an_edit_counts_as_soon_as_it_is_followed(house: House) -> None:
    key = house.issue(house.account(), TRADING)
    wanted = Wanted(ip_allowlist=("198.51.100.20",))
    preview = house.worker.keys.preview(key.key_id, wanted)
    house.worker.keys.edit(key.key_id, wanted, preview.stamp, "test")

    assert outcome(knock(house, signed(house, key), key=key.api_key))[1] == "ip_not_allowed"
    reply = knock(house, signed(house, key), key=key.api_key, client="::ffff:198.51.100.20")
    assert reply.status == 200
    assert reply.headers["tenure-expires-at"] == ""


def test_a_caller_cannot_choose_the_address(house: House) -> None:
    """BI-28, P13: what the caller wrote stands left of what the gateway appended."""
    key = house.issue(house.account(), TRADING, ips=("198.51.100.20",))
    spoofed = f"198.51.100.20, {CLIENT}"

    assert outcome(knock(house, signed(house, key), key=key.api_key, client=spoofed)) == (
        403,
        "ip_not_allowed",
    )


def test_the_other_gateways_headers_count_where_they_are_chosen(tmp_path: Path) -> None:
    house = a_house(tmp_path, forward_auth_source="forwarded")
    key = house.issue(house.account(), TRADING)
    headers = [
        *[("X-Forwarded-Method", "POST"), ("X-Forwarded-Uri", signed(house, key))],
        *[("X-Forwarded-For", CLIENT), ("X-MBX-APIKEY", key.api_key)],
    ]
    assert ask(fresh(house), "GET", "/authorize", headers=headers, peer=GATEWAY).status == 200
    # A client's own X-Original-… is nothing but a header nobody reads.
    headers += [("X-Original-URI", "/api/v3/ping"), ("X-Original-Method", "GET")]
    reply = ask(fresh(house), "GET", "/authorize", headers=headers, peer=GATEWAY)
    assert reply.headers["tenure-permission"] == TRADING
    house.close()


def test_the_log_says_once_per_peer_how_a_gateway_becomes_trusted(
    standing: House, key: ApiKey
) -> None:
    app = fresh(standing)
    headers = [("X-Original-Method", "POST"), ("X-Original-URI", signed(standing, key))]
    with structlog.testing.capture_logs() as lines:
        for peer in ["127.0.0.1", "127.0.0.1", *(f"192.0.2.{last}" for last in range(40))]:
            assert ask(app, "GET", "/authorize", headers=headers, peer=peer).status == 401

    told = [line for line in lines if "remedy" in line]
    assert told[0]["peer"] == "127.0.0.1"
    assert "--trusted-proxies 127.0.0.1" in told[0]["remedy"]
    assert len(told) == 16


def test_a_refusal_after_proof_is_logged_without_key_or_signature(house: House) -> None:
    key = house.issue(house.account(), TRADING)
    uri = signed(house, key, "/fapi/v1/order")
    with structlog.testing.capture_logs() as lines:
        knock(house, uri, key=key.api_key)

    (line,) = [line for line in lines if line["log_level"] == "info"]
    assert (line["reason"], line["path"]) == ("permission_missing", "/fapi/v1/order")
    assert key.api_key not in str(lines)
    assert uri.rpartition("=")[2] not in str(lines)


def counted(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(metric, {"face": "authorize", **labels}) or 0.0


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({}, "allowed"),
        ({"method": "PATCH"}, "route_unknown"),
        ({"key": "tnr1"}, "key_malformed"),
        (
            {"key": UNKNOWN},
            "key_unknown",
        ),
        ({"client": "unknown"}, "request_malformed"),
    ],
)
def test_the_precise_reason_is_counted_told_or_not(
    standing: House, key: ApiKey, how: dict[str, str], reason: str
) -> None:
    before = counted("tenure_decisions_total", outcome=reason)
    knock(standing, signed(standing, key), **{"key": key.api_key} | how)

    assert counted("tenure_decisions_total", outcome=reason) == before + 1


def test_a_keyring_that_is_too_old_refuses_whoever_asks(house: House) -> None:
    """BI-26: 503, and not even a public route is what a refusal turns into."""
    key = house.issue(house.account(), TRADING)
    app = fresh(house)
    evidence = Evidence(house.worker.settings.home)
    sent_ns, boot, wall_ms, *rest = evidence.read() or ()
    old_ms = 60_001
    evidence.write(sent_ns - old_ms * 1_000_000, boot, wall_ms - old_ms, *rest)
    before = counted("tenure_unavailable_total", cause="stale")
    headers = [
        *[("X-Original-Method", "POST"), ("X-Original-URI", signed(house, key))],
        ("X-MBX-APIKEY", key.api_key),
    ]

    with structlog.testing.capture_logs() as lines:
        replies = [ask(app, "GET", "/authorize", headers=headers, peer=GATEWAY) for _ in range(9)]

    assert {outcome(reply) for reply in replies} == {(503, "stale")}
    assert replies[0].headers["retry-after"] == "1"
    assert not [name for name in replies[0].headers if name.startswith("tenure-")]
    assert counted("tenure_unavailable_total", cause="stale") == before + 9
    assert [line["times"] for line in lines] == [1, 2, 4, 8]


def test_without_the_sealing_key_hmac_and_unknown_keys_are_one(tmp_path: Path) -> None:
    """SECURITY section 7, Sealed: the answer does not tell which keys exist."""
    house = a_house(tmp_path)
    account_id = house.account()
    sealed = house.issue(account_id, TRADING)
    open_key = house.issue(account_id, TRADING, key_type=KeyType.ED25519)
    house.close()
    (tmp_path / "sealing-key").unlink()
    again = House(worker=wiring.open_alone(house.worker.settings), signers=house.signers)

    uri = signed(again, sealed)
    assert outcome(knock(again, uri, key=sealed.api_key)) == (503, "sealed")
    assert knock(again, uri, key=UNKNOWN) == knock(again, uri, key=sealed.api_key)
    assert knock(again, signed(again, open_key), key=open_key.api_key).status == 200
    again.close()


def test_whatever_else_goes_wrong_refuses(standing: House, key: ApiKey) -> None:
    """I15, P20: there is no path from an exception to a yes."""

    def explode(*_: object) -> None:
        raise RuntimeError("planted")

    broken = SimpleNamespace(catalog=standing.worker.catalog, decide_raw=explode)
    app = authorize.build(broken, standing.worker.settings)  # type: ignore[arg-type]  # only what is asked
    headers = [("X-Original-Method", "POST"), ("X-Original-URI", signed(standing, key))]
    with structlog.testing.capture_logs() as lines:
        reply = ask(app, "GET", "/authorize", headers=headers, peer=GATEWAY)

    assert outcome(reply) == (503, "unexpected")
    assert b"planted" not in reply.body
    assert [line["log_level"] for line in lines] == ["error"]


def test_a_clock_that_fell_back_refuses(tmp_path: Path) -> None:
    """BI-25, D19."""
    real = wiring.open_alone(
        settings.load(home=tmp_path, trusted_proxies=(GATEWAY,), staleness_ms=60_000)
    )
    house = House(worker=real, signers={})
    key = house.issue(house.account(), TRADING)
    uri = signed(house, key)
    assert knock(house, uri, key=key.api_key).status == 200

    real.clock.raise_to(real.clock.wall_ms() + 3_600_000)

    assert outcome(knock(house, uri, key=key.api_key)) == (503, "clock")
    house.close()
