"""
The console over a whole Tenure in one process, visited as a browser visits it: cookies and forms.

People's time is a clock of its own that is told, so that a code from an app can always be the next
one. Nothing is mocked but that clock.
"""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

import pytest
from litestar import Litestar
from pyotp.hotp import HOTP

from tenure.domain.model import AccountKind
from tenure.domain.people import Person, Role
from tenure.faces.console import face
from tenure.services.people.facade import House as Home
from tenure.services.people.facade import People
from tenure.services.people.invitations import Invited, Joining
from tenure.services.people.totp import STEP_MS
from tenure.wiring import Worker
from tests import quickly
from tests.faces.lasting import Lasting
from tests.fakes import FakeClock
from tests.house import Asgi, House, Reply, ask

ORIGIN = "http://localhost:8080"
PASSWORD = "correct horse battery staple"
Fields = Mapping[str, str] | Iterable[tuple[str, str]]

_CONSOLE = Lasting(face.build)
_INPUT = re.compile(r"<(input|textarea)\b([^>]*)>(?:([^<]*)</textarea>)?")
_ATTRIBUTE = re.compile(r'([a-z-]+)(?:="([^"]*)")?')


@dataclass(slots=True, kw_only=True)
class Browser:
    """A browser with its cookies; *person* and *seed* are of whoever signed in."""

    app: Litestar
    real: FakeClock
    cookies: dict[str, str] = field(default_factory=dict)
    person: Person | None = None
    seed: str = ""

    def get(self, path: str, **headers: str) -> Reply:
        """Open a page."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, fields: Fields = (), **headers: str) -> Reply:
        """Send a form of ours, with its secret."""
        pairs = [*(fields.items() if isinstance(fields, Mapping) else fields)]
        secret = self.cookies.get("tenure-form", "")
        sent = urlencode([("_csrf_token", secret), *pairs]).encode()
        more = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": ORIGIN,
            "sec-fetch-site": "same-origin",
            **headers,
        }
        return self.send("POST", path, headers=more, body=sent)

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """Send a request with the cookies, and keep those that come back."""
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        more = {"host": "localhost:8080", "accept-language": "en", **(headers or {})}
        reply = ask(
            cast("Asgi", self.app), method, path, headers={"cookie": kept, **more}, body=body
        )
        for line in reply.headers.get("set-cookie", "").splitlines():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return reply

    def code(self) -> str:
        """Wait for a code that was not used yet, and return it."""
        self.real.advance(STEP_MS)
        return HOTP(self.seed).at(self.real.now // STEP_MS)

    def fill(self, page: Reply, fields: Fields = ()) -> list[tuple[str, str]]:
        """Return what the form on *page* holds, as a browser sends it, with *fields* instead."""
        given = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        named = {name for name, _ in given}
        return [pair for pair in fields_of(page) if pair[0] not in named] + given


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """A house and the console before it."""

    house: House
    app: Litestar
    real: FakeClock
    people: People

    @classmethod
    def open(cls, home: Path, start: str = "2021-12-01T10:00:00Z", **more: object) -> "Visited":
        """Open a sandbox; its keyring may be as old as a slow test makes it."""
        return cls._open(home, start, face.build, **more)

    @classmethod
    def again(cls, home: Path) -> "Visited":
        """Open one as others before it, under a console that lasts: not two at once."""
        return cls._open(home, "2021-12-01T10:00:00Z", _CONSOLE.on)

    @classmethod
    def _open(
        cls, home: Path, start: str, build: Callable[[Worker], Litestar], **more: object
    ) -> "Visited":
        house = House.open(home, start, staleness_ms=60_000, **more)
        worker, real = house.worker, FakeClock()
        assert worker.follower is not None
        with pytest.MonkeyPatch.context() as patch:
            quickly.hashes(patch)
            people = People(
                Home(
                    store=worker.store,
                    clock=worker.clock,
                    real=real,
                    sealing_key=worker.keys._proofs._sealing_key,  # noqa: SLF001 - what wiring handed in
                    catch_up=worker.follower.catch_up,
                    origin=ORIGIN,
                )
            )
        app = build(replace(worker, people=people))
        return cls(house=house, app=app, real=real, people=people)

    def nobody(self) -> Browser:
        """Return a browser in which nobody is signed in."""
        return Browser(app=self.app, real=self.real)

    def owner(self, account_id: str) -> Browser:
        """Return a browser in which the owner of an account is signed in."""
        return self._joined(self.people.invitations.of_account(account_id, "test"))

    def operator(self, role: Role = Role.ADMINISTRATOR) -> Browser:
        """Return a browser in which somebody of the house is signed in."""
        email = f"{role}{len(self.people.operators())}@example.com"
        return self._joined(self.people.invitations.of_operator(email, role, "test"))

    def tree(self) -> dict[str, str]:
        """Make a master with two sub-accounts, and a stranger; return their ids."""
        house = self.house
        master = house.account("master@example.com", AccountKind.MASTER)
        return {
            "master": master,
            "sub": house.account("sub@example.com", AccountKind.SUB, master),
            "sibling": house.account("sibling@example.com", AccountKind.SUB, master),
            "stranger": house.account("stranger@example.com"),
        }

    def _joined(self, invited: Invited) -> Browser:
        link = invited.link.reveal().rpartition("/")[2]
        begun = self.people.invitations.accept(link, Joining(password=PASSWORD))
        seed = self.people.factors.begin_totp(begun.session).seed.reveal()
        code = HOTP(seed).at(self.real.now // STEP_MS)
        enrolled = self.people.factors.confirm_totp(begun.session, code)
        return Browser(
            app=self.app,
            real=self.real,
            cookies={"tenure-session": enrolled.begun.secret.reveal(), "tenure-form": ""}
            | {"tenure-form": _form_secret(self.app)},
            person=enrolled.person,
            seed=seed,
        )


def _form_secret(app: Litestar) -> str:
    reply = Browser(app=app, real=FakeClock()).get("/console/static/icon.svg")
    return SimpleCookie(reply.headers["set-cookie"])["tenure-form"].value


def fields_of(page: Reply) -> list[tuple[str, str]]:
    """Return what the fields of *page* hold, as a browser would send them: ticked boxes alone."""
    found: list[tuple[str, str]] = []
    for kind, text, inside in _INPUT.findall(page.body.decode()):
        has = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(text)}
        if "name" not in has or has["name"] == "_csrf_token" or "disabled" in has:
            continue
        if kind == "textarea":
            found.append((has["name"], html.unescape(inside)))
        elif has.get("type") not in {"checkbox", "radio", "range"} or "checked" in has:
            found.append((has["name"], has.get("value", "on")))
    return [pair for pair in found if pair[0] not in {"back", "days"}]


def words(page: Reply) -> str:
    """Return what somebody reads on *page*: its text without markup, blanks folded."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page.body.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
