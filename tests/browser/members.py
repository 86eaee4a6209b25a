"""
People who have joined, each in a browser of their own, with a passkey in it.

They join from the inside, so that a test begins where it has something to say; joining and signing
in by the pages are tests of their own.
"""

from dataclasses import dataclass, replace
from typing import Final

from playwright.sync_api import BrowserContext, Page
from pyotp.hotp import HOTP

from tenure.domain.people import PasskeyAnswer, Person, Role
from tenure.services.people.invitations import Invited, Joining
from tenure.services.people.sessions import Begun
from tenure.services.people.totp import STEP_MS
from tests.browser.desks import Desk
from tests.browser.passkeys import Passkeys
from tests.browser.served import Served

PASSWORD: Final = "correct horse battery staple"
_MAKE: Final = """async options => (await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options)),
})).toJSON()"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who is signed in on *page*, with *passkeys* plugged into it."""

    desk: Desk
    person: Person
    page: Page
    passkeys: Passkeys

    @property
    def browser(self) -> BrowserContext:
        """Everything of hers that has the same cookies."""
        return self.page.context

    def beside(self) -> "Member":
        """Open another page beside the first; `turn_from` before the passkey is used on it."""
        page = self.browser.new_page()
        return replace(self, page=page, passkeys=Passkeys.plug(page))

    def turn_from(self, other: "Member") -> None:
        """Turn to this page from the *other*, with the same telephone in hand."""
        self.passkeys.take_from(other.passkeys)


def owner(desk: Desk, served: Served, account_id: str, **browser: object) -> Member:
    """Let the owner of an account join, in a new browser."""
    return _joined(desk, served, served.people.invitations.of_account(account_id, "test"), browser)


def with_an_app(desk: Desk, served: Served, account_id: str) -> tuple[Page, str]:
    """Let the owner of an account join with an app alone; return his page, and his next code."""
    people = served.people
    invited = people.invitations.of_account(account_id, "test")
    begun = people.invitations.accept(secret_of(invited), Joining(password=PASSWORD))
    seed = people.factors.begin_totp(begun.session).seed.reveal()
    step, codes = people.now_ms() // STEP_MS, HOTP(seed)
    page = desk.page()
    let_in(page, served, people.factors.confirm_totp(begun.session, codes.at(step)).begun)
    # One ahead is within what a clock may be wrong by, and each is good once.
    return page, codes.at(step + 1)


def operator(desk: Desk, served: Served, role: Role, **browser: object) -> Member:
    """Let somebody of the house join, in a new browser."""
    email = f"{role}{len(served.people.operators())}@house.example"
    invited = served.people.invitations.of_operator(email, role, "test")
    return _joined(desk, served, invited, browser)


def secret_of(invited: Invited) -> str:
    """Return what a link ends in."""
    return invited.link.reveal().rpartition("/")[2]


def let_in(page: Page, served: Served, begun: Begun) -> None:
    """Let the browser of *page* go on in a session, whatever it was in before."""
    cookie = {
        "name": "tenure-session",
        "value": begun.secret.reveal(),
        "url": served.url,
        "httpOnly": True,
        "sameSite": "Strict",
    }
    page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict by another name


def _joined(desk: Desk, served: Served, invited: Invited, browser: dict[str, object]) -> Member:
    people = served.people
    begun = people.invitations.accept(secret_of(invited), Joining(password=PASSWORD))

    page = desk.page(**browser)  # type: ignore[arg-type]  # as `Desk.page` takes them
    passkeys = Passkeys.plug(page)
    page.goto("/console/static/icon.svg")  # The smallest page there is of this origin.
    answer = page.evaluate(
        f"async options => JSON.stringify(await ({_MAKE})(options))",
        people.factors.passkey_options(begun.session),
    )
    enrolled = people.factors.add_passkey(begun.session, PasskeyAnswer(answer), "telephone")

    let_in(page, served, enrolled.begun)
    return Member(desk=desk, person=enrolled.person, page=page, passkeys=passkeys)
