"""SECURITY section 8 where a server has a say: raw bytes over a socket to a Tenure that runs."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tenure import settings
from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tests import signers
from tests.faces.http.attempts import AS_OPERATOR, LOOK, ORDER
from tests.faces.http.managed import OPERATOR_TOKEN, TRADING

pytestmark = pytest.mark.slow

START = "2021-12-01T10:00:00Z"
WAIT_S = 10.0
PING = b"GET /api/v3/ping HTTP/1.1\r\nHost: tenure\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A key's holder at a gateway that *client*'s server trusts, and that says what it is told."""

    client: httpx.Client
    key_id: str
    api_key: str
    secret: str
    now_ms: int

    def query(self) -> str:
        """Return a good query."""
        query = f"timestamp={self.now_ms}"
        return f"{query}&signature={signers.hmac_sign(self.secret.encode(), query.encode())}"

    def headers(self, *, key: bytes | None = None) -> bytes:
        """Return the header lines of a good question, or of one by another *key*, or by none."""
        lines = f"Host: tenure\r\nX-Original-Method: POST\r\nX-Original-URI: {ORDER}?{self.query()}"
        key = self.api_key.encode() if key is None else key
        return lines.encode() + (b"\r\nX-MBX-APIKEY: " + key if key else b"") + b"\r\n"

    def say(self, octets: bytes) -> tuple[list[int], bytes]:
        """Send *octets*; return the status of every answer until the server hangs up, and all."""
        url = self.client.base_url
        said = bytearray()
        with socket.create_connection((url.host, url.port or 80), WAIT_S) as connection:
            connection.settimeout(WAIT_S)
            connection.sendall(octets)
            while piece := connection.recv(65_536):
                said += piece
        lines = bytes(said).split(b"\r\n")
        return [int(line.split()[1]) for line in lines if line.startswith(b"HTTP/")], bytes(said)


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    """Run a Tenure of two workers that trusts this machine, and issue a key there."""
    given = settings.load(
        home=tmp_path_factory.mktemp("served") / "home",
        listen="127.0.0.1:0",
        workers=2,
        trusted_proxies=("127.0.0.1",),
        operator_token=OPERATOR_TOKEN,
        sandbox=True,
        sandbox_start=START,
    )
    with (
        contextlib.closing(SystemClock(tmp_path_factory.mktemp("clock"))) as clock,
        starting(given, clock) as url,
        httpx.Client(base_url=url, headers=AS_OPERATOR, trust_env=False) as client,
    ):
        yield a_holder(client, "holder@example.com")


def a_holder(client: httpx.Client, email: str) -> Holder:
    """Create an account and a key of it over *client*."""
    account = client.post("/v1/accounts", json={"email": email, "kind": "normal"}).json()
    wanted = {"label": "bot", "key_type": "hmac", "permissions": [TRADING]}
    issued = client.post(f"/v1/accounts/{account['account_id']}/keys", json=wanted).json()
    return Holder(
        client=client,
        key_id=issued["key_id"],
        api_key=issued["api_key"],
        secret=issued["secret_key"],
        now_ms=client.get("/sandbox/clock").json()["now_ms"],
    )


def question(headers: bytes, *, method: bytes = b"GET") -> bytes:
    return method + b" /authorize HTTP/1.1\r\n" + headers + b"Connection: close\r\n\r\n"


def test_what_the_rows_are_made_from_is_allowed(holder: Holder) -> None:
    statuses, said = holder.say(question(holder.headers()))
    assert statuses == [200]
    assert f"tenure-key: {holder.key_id}".encode() in said.lower()


@pytest.mark.parametrize(
    ("why", "change", "status"),
    [
        ("BI-1, no key", lambda _: b"", 401),
        ("BI-1, two equal keys", lambda key: key + b"\r\nX-MBX-APIKEY: " + key, 401),
        ("BI-1, two keys", lambda key: key + b"\r\nX-MBX-APIKEY: x", 401),
        ("BI-1, an alias", lambda key: key + b"\r\nX_MBX_APIKEY: " + key, 401),
        ("BI-2, 10 kB", lambda key: key + b"a" * 10_000, 401),
        ("BI-2, not ASCII", lambda key: key[:-1] + b"\xe9", 401),
        ("BI-2, NUL", lambda key: key + b"\x00", 400),
        ("BI-2, bare CR", lambda key: key + b"\rX: y", 400),
        ("BI-2, folded", lambda key: b"\r\n " + key, 400),
        ("BI-30, two addresses", lambda key: key + b"\r\nX-Forwarded-For: 1.2.3.4" * 2, 401),
        ("BI-30, an alias", lambda key: key + b"\r\nX_Forwarded_For: 1.2.3.4", 401),
        ("BI-29, a port", lambda key: key + b"\r\nX-Forwarded-For: 1.2.3.4:5", 401),
    ],
)
def test_a_bad_header_lets_nothing_pass(
    holder: Holder, why: str, change: Callable[[bytes], bytes], status: int
) -> None:
    """What is no header at all, the server itself refuses."""
    key = change(holder.api_key.encode())
    statuses, said = holder.say(question(holder.headers(key=key)))
    assert statuses == [status], why
    assert b"tenure-" not in said.lower()


@pytest.mark.parametrize(("count", "size"), [(1, 65_536), (999, 64), (60, 640)])
def test_far_too_many_headers_let_nothing_pass(holder: Holder, count: int, size: int) -> None:
    """BI-32: past what the server takes at all it says so itself."""
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * size) for number in range(count))
    statuses, _ = holder.say(question(holder.headers() + many))
    assert statuses in ([401], [431])
    assert holder.say(question(holder.headers()))[0] == [200]


@pytest.mark.parametrize(
    ("lengths", "statuses"),
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", [200]),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 65536\r\n", [200]),
        (b"Content-Length: 0\r\nContent-Length: 5\r\n", [400]),
        (b"Content-Length: +5\r\n", [400]),
        (b"Content-Length: 0, 5\r\n", [400]),
        (b"Transfer-Encoding : chunked\r\n", [400]),
        (b"Transfer-Encoding: xchunked\r\n", [400]),
        (b"Transfer-Encoding: chunked, identity\r\n", [400]),
    ],
)
def test_a_request_of_two_lengths_is_never_two_requests(
    holder: Holder, lengths: bytes, statuses: list[int]
) -> None:
    """BI-21, T13: there is one answer, to what stood first, and the connection is closed."""
    sent = b"POST /authorize HTTP/1.1\r\n" + holder.headers() + lengths
    assert holder.say(sent + b"\r\n0\r\n\r\n" + PING)[0] == statuses


def test_a_request_behind_another_is_answered_where_the_lengths_are_clear(holder: Holder) -> None:
    """So that the test above sees nothing of it for the right reason."""
    sent = b"POST /authorize HTTP/1.1\r\n" + holder.headers() + b"Content-Length: 0\r\n\r\n"
    assert holder.say(sent + PING)[0] == [200, 200]


def test_trailers_are_no_headers(holder: Holder) -> None:
    """BI-21."""
    key = b"X-MBX-APIKEY: " + holder.api_key.encode() + b"\r\n"
    other = b"X-Original-URI: /api/v3/ping\r\nX-Forwarded-For: x\r\nX-MBX-APIKEY: x\r\n"
    chunked = b"Transfer-Encoding: chunked\r\nTrailer: X-MBX-APIKEY\r\nConnection: close\r\n\r\n"
    for headers, trailers, status in (
        (holder.headers(key=b""), key, 401),
        (holder.headers(), other, 200),
    ):
        sent = b"POST /authorize HTTP/1.1\r\n" + headers + chunked
        statuses, said = holder.say(sent + b"0\r\n" + trailers + b"\r\n")
        assert statuses == [status]
        assert (f"tenure-permission: {TRADING}".encode() in said.lower()) is (status == 200)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "//v1/accounts",
            "/v1//accounts",
            "/v1%2faccounts",
            "/v1/%61ccounts",
            "/v1/x/../accounts",
        ),
        *("/%61uthorize", "/authorize%2f..%2fv1/accounts", "/v1/accounts;x", "/v1/accounts%00"),
    ],
)
def test_management_is_under_no_other_spelling_of_its_paths(holder: Holder, path: str) -> None:
    """BI-22, as the server takes paths apart."""
    operator = f"Host: tenure\r\nAuthorization: {AS_OPERATOR['Authorization']}\r\n"
    for at, status in (("/v1/accounts", 200), (path, 404)):
        request = f"GET {at} HTTP/1.1\r\n{operator}Connection: close\r\n\r\n"
        assert holder.say(request.encode())[0] == [status]


def test_a_revoked_key_is_refused_by_every_worker(holder: Holder) -> None:
    """BI-23: from the moment on when revoking was answered, whoever of the two is asked."""
    other = a_holder(holder.client, "revoked@example.com")
    look = b"GET %s?%s HTTP/1.1\r\n" % (LOOK.encode(), other.query().encode())
    allowed = [other.say(question(other.headers()))[0] for _ in range(10)]
    assert allowed == [[200]] * 10
    assert holder.client.post(f"/v1/keys/{other.key_id}/revoke").status_code == 200
    for _ in range(10):
        statuses, said = other.say(question(other.headers()))
        assert (statuses, b'"key_revoked"' in said) == ([401], True)
        statuses, said = other.say(look + other.headers() + b"Connection: close\r\n\r\n")
        assert (statuses, b"-2008" in said) == ([400], True)
