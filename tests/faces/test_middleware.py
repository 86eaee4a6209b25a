"""The decision inside a service: what reaches it, as what, and what never does."""

import asyncio
import http.client
import io
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
import structlog
import uvicorn

from tenure.domain.decide import Allowed
from tenure.domain.model import ApiKey, KeyType
from tenure.faces.http import binance_errors
from tenure.faces.middleware import Guard, WsgiGuard
from tenure.services.deciding import Decider
from tests.builders import TRADING
from tests.house import House, Reply, ask

ORDER, PING = "/api/v3/order", "/api/v3/ping"
PEER, GATEWAY = "198.51.100.9", "10.0.0.7"


class Service:
    """An ASGI service that serves whoever comes, and remembers what it saw."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.messages: list[Any] = []

    async def __call__(
        self,
        scope: Any,  # noqa: ANN401 - ASGI
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve."""
        self.scopes.append(scope)
        if scope["type"] == "http":
            self.messages.append(await receive())
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"served"})
            # What comes after the body: only once it is answered does a client hang up.
            self.messages.append(await receive())
        else:
            await send({"type": f"{scope['type']}.served"})


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Open a house whose clock no test moves."""
    house = House.open(tmp_path_factory.mktemp("home"), staleness_ms=60_000)
    yield house
    house.close()


@pytest.fixture
def house(standing: House) -> House:
    """Return the house with its keyring brought up to date."""
    assert standing.worker.follower is not None
    standing.worker.follower.tick()
    return standing


@pytest.fixture(scope="module")
def account_id(standing: House) -> str:
    return standing.account()


@pytest.fixture(scope="module")
def key(standing: House, account_id: str) -> ApiKey:
    return standing.issue(account_id, TRADING)


def guarded(house: House, service: Service, **options: Any) -> Guard:  # noqa: ANN401 - Options
    return Guard(service, lambda: house.worker.decider, **options)


def served(guard: Guard, method: str, target: str, *headers: tuple[str, str], **how: Any) -> Reply:  # noqa: ANN401 - what `ask` takes
    """Ask as a server does, which hands over the decoded path beside the raw one."""

    async def server(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await guard({**scope, "path": unquote(scope["path"])}, receive, send)

    return ask(server, method, target, headers=list(headers), **how)


def run(
    guard: Guard,
    scope: dict[str, Any],
    *messages: dict[str, Any],
) -> list[Any]:
    """Hand *guard* a bare *scope*; return what was sent."""
    sent: list[Any] = []
    coming = iter(messages)

    async def receive() -> Any:  # noqa: ANN401 - ASGI
        return next(coming)

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    return sent


def connection(kind: str = "http", path: str = PING, **more: object) -> dict[str, Any]:
    bare = {"type": kind, "path": path, "raw_path": path.encode(), "query_string": b""}
    return bare | {"headers": [], "client": (PEER, 1)} | more


@pytest.mark.parametrize("key_type", list(KeyType))
def test_an_allowed_request_reaches_the_service_with_who_sent_it(
    house: House, account_id: str, key_type: KeyType
) -> None:
    key = house.issue(account_id, TRADING, key_type=key_type)
    service = Service()
    query = house.signed_query(key, "symbol=A")

    reply = served(
        guarded(house, service), "POST", f"{ORDER}?{query}", ("X-MBX-APIKEY", key.api_key)
    )

    assert (reply.status, reply.body) == (200, b"served")
    (scope,) = service.scopes
    assert isinstance(scope["tenure"], Allowed)
    assert scope["tenure"][:3] == (account_id, key.key_id, TRADING)
    assert scope["query_string"] == query.encode()


def test_the_body_that_was_judged_is_the_body_that_is_served(house: House, key: ApiKey) -> None:
    """In pieces or whole; and what comes after it comes through."""
    service = Service()
    form = house.signed_query(key, "symbol=A&email=a%40b.c").encode()
    leaving = {"type": "http.disconnect"}

    sent = run(
        guarded(house, service),
        connection(path=ORDER, method="POST", headers=[(b"x-mbx-apikey", key.api_key.encode())]),
        {"type": "http.request", "body": form[:20], "more_body": True},
        {"type": "http.request", "body": form[20:]},
        leaving,
    )

    assert sent[0]["status"] == 200
    assert service.messages == [{"type": "http.request", "body": form, "more_body": False}, leaving]


def test_one_byte_of_the_body_changed_and_nothing_is_served(house: House, key: ApiKey) -> None:
    """P20, I15."""
    service = Service()
    form = house.signed_query(key, "quantity=1").replace("quantity=1", "quantity=2")

    reply = served(
        guarded(house, service), "POST", ORDER, ("X-MBX-APIKEY", key.api_key), body=form.encode()
    )

    assert (reply.status, reply.json()["code"]) == (401, "unauthorized")
    assert service.scopes == []


def test_a_public_route_passes_unread_and_as_nobody(house: House) -> None:
    service = Service()
    coming = {"type": "http.request", "body": b"\xff", "more_body": True}

    run(guarded(house, service), connection(method="GET"), coming, {"type": "http.disconnect"})

    assert service.scopes[0]["tenure"] is None
    assert service.messages[0] is coming


@pytest.mark.parametrize(
    "name", ["Tenure-Account", "tenure_account", "Tenure.Key", "Tenure-Whatever", "TENURE_RULE"]
)
def test_nobody_can_bring_an_identity_along(house: House, key: ApiKey, name: str) -> None:
    service = Service()
    guard = guarded(house, service)
    forged, own = (name, "acct_root"), ("Tenureship", "mine")
    api_key = ("X-MBX-APIKEY", key.api_key)

    served(guard, "GET", PING, forged, own)
    served(guard, "POST", f"{ORDER}?{house.signed_query(key)}", forged, own, api_key)

    assert service.scopes[0]["headers"] == [(b"tenureship", b"mine")]
    assert service.scopes[1]["headers"][:-1] == [(b"tenureship", b"mine")]


@pytest.mark.parametrize(
    ("target", "more"),
    [
        (ORDER, {}),
        (f"{ORDER}?{{query}}", {"method": "PATCH"}),
        ("/nowhere?{query}", {}),
        ("/api/v3/%6frder?{query}", {}),
        ("/api/v3/p%69ng", {"method": "GET"}),
        ("//api/v3/ping", {"method": "GET"}),
        ("/api/v3/./ping", {"method": "GET"}),
        ("/api/%2e%2e/api/v3/ping", {"method": "GET"}),
        ("/api/v3/ping;x", {"method": "GET"}),
        (f"{ORDER}?{{query}}", {"body": b"\xff"}),
        (f"{ORDER}?{{query}}", {"body": b"quantity=2"}),
        (f"{ORDER}?{{query}}", {"peer": "fe80::1%eth0"}),
    ],
)
def test_what_is_not_allowed_never_reaches_the_service(
    house: House, key: ApiKey, target: str, more: dict[str, Any]
) -> None:
    service = Service()
    how = {"method": "POST"} | more
    target = target.format(query=house.signed_query(key))
    app = guarded(house, service)

    reply = served(app, how.pop("method"), target, ("X-MBX-APIKEY", key.api_key), **how)

    assert reply.status in {401, 403}
    assert service.scopes == []


@pytest.mark.parametrize("doubled", ["X-MBX-APIKEY", "x_mbx_apikey", "X.MBX-APIKEY"])
def test_a_key_header_in_two_spellings_never_reaches_the_service(
    house: House, key: ApiKey, doubled: str
) -> None:
    service = Service()
    pair = [("X-MBX-APIKEY", key.api_key), (doubled, key.api_key)]

    reply = served(guarded(house, service), "POST", f"{ORDER}?{house.signed_query(key)}", *pair)

    assert (reply.status, service.scopes) == (401, [])


@pytest.mark.parametrize(
    "odd", [{"raw_path": None}, {"path": "/api/v3/other"}, {"path": "/v3/ping"}]
)
def test_a_service_that_is_told_another_path_than_was_sent_is_not_asked(
    house: House, odd: dict[str, Any]
) -> None:
    """Something in between rewrites: one route would be judged, and another one served."""
    service = Service()
    sent = run(guarded(house, service), connection(method="GET") | odd)

    assert (sent[0]["status"], service.scopes) == (401, [])


def test_a_body_may_be_so_long_and_no_longer(house: House, key: ApiKey) -> None:
    form = house.signed_query(key)
    service = Service()
    header = ("X-MBX-APIKEY", key.api_key)
    for most, status in ((len(form), 200), (len(form) - 1, 413)):
        app = guarded(house, service, body_bytes_max=most)
        assert served(app, "POST", ORDER, header, body=form.encode()).status == status
    assert len(service.scopes) == 1


def test_forwarded_headers_count_from_the_named_gateways_alone(
    house: House, account_id: str
) -> None:
    service = Service()
    key = house.issue(account_id, TRADING, ips=(PEER,))
    target = f"{ORDER}?{house.signed_query(key)}"
    headers = [("X-MBX-APIKEY", key.api_key), ("X-Forwarded-For", PEER)]
    app = guarded(house, service, trusted_proxies=(GATEWAY,))

    assert served(app, "POST", target, *headers, peer="192.0.2.1").status == 403
    assert served(app, "POST", target, *headers, peer=GATEWAY).status == 200
    assert served(guarded(house, service), "POST", target, *headers, peer=GATEWAY).status == 403


def test_a_service_can_give_refusals_its_own_shape(house: House, key: ApiKey) -> None:
    service = Service()
    app = guarded(
        house,
        service,
        refuse=binance_errors.Errors().refuse,
        too_large=lambda: binance_errors.not_supported(413),
        body_bytes_max=100,
    )
    header = ("X-MBX-APIKEY", key.api_key)
    wrong = f"{house.signed_query(key)[:-64]}{'0' * 64}"

    assert served(app, "POST", f"{ORDER}?{wrong}", header).json()["code"] == -1022
    assert served(app, "POST", ORDER, header).json()["code"] == -1102
    reply = served(app, "POST", ORDER, header, body=b"a" * 101)
    assert (reply.status, reply.json()["code"]) == (413, -1020)
    assert service.scopes == []


def fail(*_: object) -> Any:  # noqa: ANN401 - it never returns
    raise RuntimeError("planted")


@pytest.mark.parametrize("options", [{}, {"permission_for": fail}])
def test_whatever_goes_wrong_in_here_refuses(house: House, options: dict[str, Any]) -> None:
    """I15, P20: not even a public route is guessed."""
    service = Service()
    open_decider: Callable[[], Decider] = (lambda: house.worker.decider) if options else fail
    with structlog.testing.capture_logs() as lines:
        reply = served(Guard(service, open_decider, **options), "GET", PING)

    assert (reply.status, reply.json()["code"]) == (503, "unexpected")
    assert b"planted" not in reply.body
    assert service.scopes == []
    assert [line["log_level"] for line in lines] == ["error"]


def test_what_goes_wrong_in_the_service_is_the_services(house: House) -> None:
    guard = Guard(fail, lambda: house.worker.decider)
    with pytest.raises(RuntimeError, match="planted"):
        run(guard, connection(method="GET"))


def test_a_websocket_passes_on_public_routes_alone(house: House) -> None:
    service = Service()
    app = guarded(house, service)
    connect = {"type": "websocket.connect"}
    closed = [{"type": "websocket.close", "code": 1008}]

    headers = [(b"tenure-account", b"acct_root"), (b"host", b"h")]
    assert run(app, connection("websocket", headers=headers), connect) == [
        {"type": "websocket.served"}
    ]
    assert service.scopes[0]["headers"] == [(b"host", b"h")]
    for path in ("/api/v3/account", "/nowhere", "//api/v3/ping"):
        assert run(app, connection("websocket", path), connect) == closed
    with structlog.testing.capture_logs():
        assert run(Guard(service, fail), connection("websocket"), connect) == closed
    assert len(service.scopes) == 1


def test_startup_opens_what_decides_and_passes_through(house: House) -> None:
    opened = []

    def open_decider() -> Decider:
        opened.append(1)
        return house.worker.decider

    service = Service()
    app = Guard(service, open_decider)
    assert opened == []

    assert run(app, {"type": "lifespan"}) == [{"type": "lifespan.served"}]
    served(app, "GET", PING)
    assert opened == [1]


def test_a_service_starts_while_tenure_cannot_be_opened(tmp_path: Path) -> None:
    """It refuses until it can: Tenure being away must not keep anybody from starting."""
    with structlog.testing.capture_logs() as lines:
        for app in (Guard(Service(), fail), Guard.open(Service(), tmp_path / "nothing" / "here")):
            assert run(app, {"type": "lifespan"}) == [{"type": "lifespan.served"}]
            assert served(app, "POST", ORDER).status == 503
    assert len([line for line in lines if line["event"] == "Tenure cannot be opened yet"]) == 2


def test_an_unknown_kind_of_connection_is_not_let_through(house: House) -> None:
    with pytest.raises(ValueError, match="telepathy"):
        run(guarded(house, Service()), {"type": "telepathy"})


def test_a_service_decides_from_the_keyring_of_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By settings, or by home and environment; a sandbox has to be called one."""
    house = House.open(tmp_path, staleness_ms=60_000, trusted_proxies=(GATEWAY,))
    key = house.issue(house.account(), TRADING, ips=(PEER,))
    target, header = f"{ORDER}?{house.signed_query(key)}", ("X-MBX-APIKEY", key.api_key)
    house.close()  # A process opens a keyring once, and this is one process.

    app, hops = Guard.open(Service(), house.worker.settings), ("X-Forwarded-For", PEER)
    assert served(app, "POST", target, header, hops, peer=GATEWAY).status == 200
    del app
    monkeypatch.setenv("TENURE_SANDBOX", "true")
    assert served(Guard.open(Service(), tmp_path), "POST", target, header).status == 200
    monkeypatch.setenv("TENURE_SANDBOX", "false")
    with structlog.testing.capture_logs() as lines:
        assert served(Guard.open(Service(), tmp_path), "POST", target, header).status == 503
    assert "is a sandbox" in lines[0]["context"]


def test_a_real_server_hands_over_what_is_judged_here(house: House, key: ApiKey) -> None:
    seen: list[Any] = []

    async def service(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        seen.append(scope.get("tenure"))
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"served"})

    guard = Guard(service, lambda: house.worker.decider)
    server = uvicorn.Server(
        uvicorn.Config(guard, port=0, log_level="critical", proxy_headers=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]

    def status(method: str, target: str, body: str = "") -> int:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            line.request(method, target, body, headers={"X-MBX-APIKEY": key.api_key})
            return line.getresponse().status
        finally:
            line.close()

    try:
        assert status("GET", PING) == 200
        assert status("POST", f"{ORDER}?{house.signed_query(key)}") == 200
        assert status("POST", ORDER, house.signed_query(key, "e=a%40b.c")) == 200
        assert status("GET", "/api/v3/p%69ng") == 401
        assert status("GET", "//api/v3/ping") == 401
        assert status("GET", f"http://127.0.0.1{PING}") == 401
        assert [allowed and allowed.key_id for allowed in seen] == [None, key.key_id, key.key_id]
    finally:
        server.should_exit = True
        thread.join()


# WSGI

Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


class WsgiService:
    """A WSGI service that serves whoever comes, and remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, Any], bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """Serve."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.seen.append((environ, body))
        start_response("200 OK", [("content-type", "text/plain")])
        return [b"served"]


def wsgi(house: House, service: Any, **options: Any) -> WsgiGuard:  # noqa: ANN401 - Options
    return WsgiGuard(service, lambda: house.worker.decider, **options)


def called(
    app: Wsgi, method: str, target: str, more: Mapping[str, Any], body: bytes = b""
) -> tuple[int, bytes]:
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": PEER,
        "wsgi.input": io.BytesIO(body),
    }
    environ |= {"CONTENT_LENGTH": str(len(body))} if body else {}
    environ |= more
    setup_testing_defaults(environ)
    started: list[str] = []

    def start_response(status: str, _headers: object, _error: object = None) -> Start:
        started.append(status)
        return lambda _: None

    said = b"".join(app(environ, start_response))
    return int(started[0][:3]), said


def test_wsgi_serves_an_allowed_request_with_who_sent_it(house: House, key: ApiKey) -> None:
    service = WsgiService()
    form = house.signed_query(key, "symbol=A").encode()
    more = {"HTTP_X_MBX_APIKEY": key.api_key}

    assert called(wsgi(house, service), "POST", ORDER, more, form) == (200, b"served")

    ((environ, body),) = service.seen
    assert body == form
    assert environ["tenure.allowed"].key_id == key.key_id


def test_wsgi_reads_no_forwarded_header_at_all(house: House, account_id: str) -> None:
    """D14, T8: by the time WSGI shows them, two spellings have become one."""
    service, there = WsgiService(), "203.0.113.9"
    key = house.issue(account_id, TRADING, ips=(there,))
    target = f"{ORDER}?{house.signed_query(key)}"
    forged = dict.fromkeys(("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED"), there)
    more = {"HTTP_X_MBX_APIKEY": key.api_key} | forged

    assert called(wsgi(house, service), "POST", target, more)[0] == 403
    assert called(wsgi(house, service), "POST", target, more | {"REMOTE_ADDR": there})[0] == 200


def test_wsgi_serves_public_routes_to_nobody_in_particular(house: House) -> None:
    service = WsgiService()
    more = {"HTTP_TENURE_ACCOUNT": "acct_root", "HTTP_X": "y"}

    assert called(wsgi(house, service), "GET", PING, more)[0] == 200

    ((environ, _),) = service.seen
    assert environ["tenure.allowed"] is None
    assert ("HTTP_TENURE_ACCOUNT" in environ, environ["HTTP_X"]) == (False, "y")


@pytest.mark.parametrize(
    ("target", "more"),
    [
        (ORDER, {}),
        ("/nowhere?{query}", {}),
        ("//api/v3/ping", {"REQUEST_METHOD": "GET"}),
        ("/api/../api/v3/ping", {"REQUEST_METHOD": "GET"}),
        ("/api/v3/ping;x", {"REQUEST_METHOD": "GET"}),
        ("/api/v3/%70ing", {"REQUEST_METHOD": "GET"}),
        ("/api/v3/ping", {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/x"}),
        ("/api/v3/\xff", {"REQUEST_METHOD": "GET"}),
        (f"{ORDER}?{{query}}", {"REMOTE_ADDR": ""}),
        (f"{ORDER}?{{query}}", {"HTTP_X_MBX_APIKEY": "a,b"}),
        (f"{ORDER}?{{query}}", {"HTTP_X_MBX_APIKEY": ""}),
        (f"{ORDER}?{{query}}", {"wsgi.input": io.BytesIO(b"cut"), "CONTENT_LENGTH": "4"}),
        (f"{ORDER}?{{query}}", {"wsgi.input": io.BytesIO(b"a=1"), "CONTENT_LENGTH": "3"}),
    ],
)
def test_wsgi_serves_nothing_that_is_not_allowed(
    house: House, key: ApiKey, target: str, more: dict[str, Any]
) -> None:
    service = WsgiService()
    target = target.format(query=house.signed_query(key))

    status, _ = called(
        wsgi(house, service), "POST", target, {"HTTP_X_MBX_APIKEY": key.api_key} | more
    )

    assert (status in {401, 403}, service.seen) == (True, [])


def test_wsgi_keeps_to_the_letter_of_its_interface(house: House, key: ApiKey) -> None:
    """PEP 3333, on both sides: the standard library's validator raises where it is not."""
    more = {"HTTP_X_MBX_APIKEY": key.api_key}
    form = house.signed_query(key).encode()

    def validated(environ: dict[str, Any], start_response: Start) -> list[bytes]:
        answer = validator(wsgi(house, validator(WsgiService())))(environ, start_response)
        try:
            return list(answer)
        finally:
            answer.close()  # type: ignore[attr-defined]  # the validator's iterator has it

    assert called(validated, "POST", ORDER, more, form) == (200, b"served")
    assert called(validated, "GET", PING, {}) == (200, b"served")
    assert called(validated, "POST", ORDER, {}, form)[0] == 401


@pytest.mark.parametrize(
    ("length", "status"),
    [("{0}", 200), ("{1}", 401), ("{2}", 413), ("9" * 19, 413)]
    + [(text, 401) for text in ("9" * 4_400, "+{0}", "-1", "0x9", "\xb2", " {0}", "{0},{0}")],
)
def test_a_wsgi_body_is_as_long_as_it_says_and_no_longer(
    house: House, key: ApiKey, length: str, status: int
) -> None:
    form = house.signed_query(key).encode()
    length = length.format(len(form), len(form) + 1, len(form) + 2)
    more = {"HTTP_X_MBX_APIKEY": key.api_key, "CONTENT_LENGTH": length}
    app = wsgi(house, WsgiService(), body_bytes_max=len(form) + 1)

    assert called(app, "POST", ORDER, more, form)[0] == status


def test_a_wsgi_body_without_a_length_is_read_where_it_has_an_end(
    house: House, key: ApiKey
) -> None:
    """PEP 3333 forbids reading on for an end that never comes; then the body counts as empty."""
    service = WsgiService()
    form = house.signed_query(key).encode()
    more = {"HTTP_X_MBX_APIKEY": key.api_key, "wsgi.input": io.BytesIO(form)}

    assert called(wsgi(house, service), "POST", ORDER, more)[0] == 401
    more |= {"wsgi.input": io.BytesIO(form), "wsgi.input_terminated": True}
    assert called(wsgi(house, service), "POST", ORDER, more)[0] == 200
    assert service.seen[0][1] == form
    more |= {"wsgi.input": io.BytesIO(form)}
    assert called(wsgi(house, service, body_bytes_max=9), "POST", ORDER, more)[0] == 413


def test_whatever_goes_wrong_in_wsgi_refuses_and_the_services_own_is_its_own(
    house: House, tmp_path: Path
) -> None:
    """I15, P20."""
    service = WsgiService()
    with structlog.testing.capture_logs():
        for app in (WsgiGuard(service, fail), WsgiGuard.open(service, tmp_path / "nothing")):
            assert called(app, "GET", PING, {})[0] == 503
    assert service.seen == []
    with pytest.raises(RuntimeError, match="planted"):
        called(WsgiGuard(fail, lambda: house.worker.decider), "GET", PING, {})
