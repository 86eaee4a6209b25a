"""
The management face over a whole Tenure in one process, asked as an operator asks it.

Run as a program it writes docs/reference/openapi.json anew, and the table of
docs/reference/rights.md: `.venv/bin/python -m tests.faces.http.managed`.
"""

import itertools
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from litestar import Litestar

from tenure.faces.http import management
from tests.faces.lasting import Lasting
from tests.house import Asgi, House, Reply, ask

OPERATOR_TOKEN = "an operator token for tests"
DOCUMENT_PATH = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
RIGHTS_PATH = DOCUMENT_PATH.with_name("rights.md")
TRADING = "spot_margin_trading"
DAY_MS = 86_400_000
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/accounts": {"email": "new@example.com", "kind": "normal"},
    "POST /v1/people": {"email": "grace@example.com", "role": "viewer"},
    "POST /v1/accounts/{account_id}/keys": {"label": "bot", "key_type": "hmac"},
    "POST /v1/keys/{key_id}/edits/preview": {"label": "renamed"},
    "POST /v1/keys/{key_id}/edits": {"label": "renamed"},
    "POST /v1/keys/{key_id}/rotate": {"public_key": None},
    "POST /v1/keys/{key_id}/quarantine": {"cause": "seen in a public repository"},
    "POST /v1/revocations/preview": {"label": "leaked"},
    "POST /v1/revocations": {"label": "leaked"},
    "POST /v1/keys/report": {"api_key": "nobody's", "secret_key": "a guess"},
    "POST /v1/leaks": {"reports": [{"api_key": "nobody's"}]},
    "POST /v1/accounts/{account_id}/contacts": {"channel": "email", "address": "x@example.com"},
    "PUT /v1/accounts/{account_id}/contacts/{contact_id}": {"language": "ja"},
    "POST /v1/authorize": {
        "api_key": "nobody's",
        "method": "GET",
        "path": "/api/v3/account",
        "client_ip": "203.0.113.7",
    },
    "POST /v1/rules/preview": {"rulebook": ""},
    "POST /v1/rules": {"rulebook": ""},
    "PUT /sandbox/clock": {"advance_ms": 0},
}
"""Every route that takes a body, with one that it takes."""

_SETTINGS: dict[str, Any] = {"operator_token": OPERATOR_TOKEN, "staleness_ms": 60_000}
_FACE = Lasting(management.build)

_numbers = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """A house and the face before it."""

    house: House
    app: Litestar

    @classmethod
    def open(cls, home: Path, start: str = "2021-12-01T10:00:00Z", **more: object) -> "Managed":
        """Open a sandbox; its keyring may be as old as a slow test makes it."""
        house = House.open(home, start, **{**_SETTINGS, **more})
        return cls(house=house, app=build(house))

    @classmethod
    def again(cls, home: Path) -> "Managed":
        """Open one as others before it, under a face that lasts: not two at once."""
        house = House.open(home, **_SETTINGS)
        return cls(house=house, app=_FACE.on(house.worker))

    def ask(
        self,
        method: str,
        target: str,
        given: object = None,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
    ) -> Reply:
        """Send *given* as JSON, or the bytes *body*; as the operator unless *headers* are given."""
        if headers is None:
            headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
        if body is None:
            body = b"" if given is None else json.dumps(given).encode()
        return send(self.app, method, target, headers=headers, body=body)

    def tell(self, method: str, target: str, given: object = None, *, status: int = 200) -> Any:  # noqa: ANN401 - whatever JSON
        """Ask, expect *status*, and return the answer's JSON."""
        reply = self.ask(method, target, given)
        assert reply.status == status, reply
        return reply.json()

    def account(self, **more: object) -> str:
        """Create an account over the face, with an e-mail of its own, and return its id."""
        given = {"email": an_email(), "kind": "normal", **more}
        return str(self.tell("POST", "/v1/accounts", given, status=201)["account_id"])

    def key(self, account_id: str | None = None, **more: object) -> Any:  # noqa: ANN401 - JSON
        """Issue a key over the face, on an account of its own unless one is given."""
        given = {"label": "bot", "key_type": "hmac", **more}
        target = f"/v1/accounts/{account_id or self.account()}/keys"
        return self.tell("POST", target, given, status=201)


def an_email() -> str:
    """Return an e-mail that nobody else has."""
    return f"owner{next(_numbers)}@example.com"


def build(house: House, **more: Any) -> Litestar:  # noqa: ANN401 - any part may be replaced
    """Return the face on *house*, with some parts replaced."""
    return management.build(replace(house.worker, **more))


def send(
    app: Litestar,
    method: str,
    target: str,
    *,
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    body: bytes = b"",
) -> Reply:
    """Send one request to *app*, as nobody unless *headers* say otherwise."""
    return ask(cast("Asgi", app), method, target, headers=headers, body=body)


def operations(document: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    """Yield each operation of an OpenAPI *document* as `GET /path`, with what is said of it."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def with_rights(page: str, document: Any) -> str:  # noqa: ANN401 - JSON
    """Return *page* with its table of routes as *document* has them."""
    title = "| route | who |\n|---|---|\n"
    before, _, rest = page.partition(title)
    _, _, after = rest.partition("\n\n")
    rows = [f"| `{name}` | {said['x-right']} |" for name, said in sorted(operations(document))]
    return f"{before}{title}{chr(10).join(rows)}\n\n{after}"


def is_problem(reply: Reply, status: int, code: str) -> bool:
    """Whether *reply* is a whole RFC 9457 problem of that *status* and *code*."""
    problem = reply.json()
    assert (reply.status, problem["status"], problem["code"]) == (status, status, code), reply
    assert reply.headers["content-type"] == "application/problem+json"
    assert problem["type"].startswith("urn:tenure:problem:")
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == reply.headers["x-request-id"]
    return True


def main() -> None:
    """Write the document and the table anew."""
    with tempfile.TemporaryDirectory() as home:
        managed = Managed.open(Path(home))
        document = managed.ask("GET", "/openapi.json")
        DOCUMENT_PATH.write_bytes(document.body + b"\n")
        page = with_rights(RIGHTS_PATH.read_text("utf-8"), document.json())
        RIGHTS_PATH.write_text(page, encoding="utf-8")
        managed.house.close()


if __name__ == "__main__":
    main()
