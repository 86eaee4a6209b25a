"""A house that people sign in to: everything but a browser, on a clock that is told."""

from dataclasses import dataclass, field
from pathlib import Path

from pyotp.hotp import HOTP

from tenure.domain.model import Account, Secret
from tenure.domain.people import PasskeyAnswer, Person, Role, Session, TotpCode
from tenure.services.people.facade import House, People
from tenure.services.people.factors import Enrolled
from tenure.services.people.invitations import Invited, Joining
from tenure.services.people.sessions import Begun
from tenure.services.people.stepups import Change
from tenure.services.people.totp import STEP_MS
from tests.authenticator import Authenticator
from tests.fakes import FakeClock
from tests.services import parts as building
from tests.services.parts import ACTOR, Parts

ORIGIN = "https://keys.example.com"
PASSWORD = "correct horse battery staple"


@dataclass(slots=True, kw_only=True)
class Somebody:
    """A person as she sits before her browser: what she knows and has, and her cookie."""

    person: Person
    cookie: str
    password: str = PASSWORD
    seed: str = ""
    passkey: Authenticator | None = None
    codes: list[str] = field(default_factory=list)


class Door:
    """What lets people in to the house of *parts*, and people who use it."""

    def __init__(self, parts: Parts, real: FakeClock | None = None) -> None:
        """*real* is the machine's own time, the same as the house's unless told otherwise."""
        self.parts, self.real = parts, real or parts.clock
        self.people = self.worker()

    def worker(self) -> People:
        """Return another worker's, over the same store."""
        parts = self.parts
        return People(
            House(
                store=parts.store,
                clock=parts.clock,
                real=self.real,
                sealing_key=parts.sealing_key,
                catch_up=parts.follower.catch_up,
                origin=ORIGIN,
            )
        )

    def session(self, one: Somebody) -> Session:
        """Return the session that somebody's browser is in; raises Unauthenticated."""
        return self.people.sessions.find(one.cookie)

    def take(self, one: Somebody, begun: Begun) -> Session:
        """Let somebody's browser take a new cookie."""
        one.cookie = begun.secret.reveal()
        return begun.session

    def invite(self, account: Account | None = None) -> Invited:
        """Invite an owner."""
        account = account or self.parts.account()
        return self.people.invitations.of_account(account.account_id, ACTOR)

    def joining(self, invited: Invited) -> Somebody:
        """Let somebody take an invitation, up to the second factor."""
        begun = self.people.invitations.accept(secret_of(invited.link), Joining(password=PASSWORD))
        return Somebody(person=begun.session.person, cookie=begun.secret.reveal())

    def owner(self, account: Account | None = None, *, passkey: bool = False) -> Somebody:
        """Let an owner join, with an app as her second factor, or a *passkey*."""
        one = self.joining(self.invite(account))
        if passkey:
            self.add_passkey(one)
        else:
            self.add_totp(one)
        return one

    def operator(self, role: Role = Role.ADMINISTRATOR, email: str = "ada@example.com") -> Somebody:
        """Let somebody of the house join, with an app."""
        one = self.joining(self.people.invitations.of_operator(email, role, ACTOR))
        self.add_totp(one)
        return one

    def add_totp(self, one: Somebody) -> Enrolled:
        """Set up an app."""
        setup = self.people.factors.begin_totp(self.session(one))
        one.seed = setup.seed.reveal()
        code = self.code(one)
        return self._enrolled(one, self.people.factors.confirm_totp(self.session(one), code))

    def add_passkey(self, one: Somebody, name: bytes = b"passkey-1") -> Enrolled:
        """Make a passkey."""
        options = self.people.factors.passkey_options(self.session(one))
        one.passkey = Authenticator(origin=ORIGIN, name=name + one.person.person_id.encode())
        answer = PasskeyAnswer(one.passkey.make(options))
        return self._enrolled(
            one, self.people.factors.add_passkey(self.session(one), answer, "phone")
        )

    def code(self, one: Somebody, steps: int = 0) -> str:
        """Return what somebody's app shows, or showed or will show some *steps* away."""
        return HOTP(one.seed).at(self.real.now // STEP_MS + steps)

    def next_code(self, one: Somebody) -> TotpCode:
        """Wait for a code that was not used yet, and return it."""
        self.real.advance(STEP_MS)
        return TotpCode(self.code(one))

    def say_password(self, one: Somebody, password: str | None = None) -> Session:
        """Give the password, or another one, in a browser that is signed in nowhere."""
        begun = self.people.sign_in.password(one.person.email, password or one.password)
        return self.take(one, begun)

    def sign_in(self, one: Somebody) -> Session:
        """Sign in by password and app."""
        session = self.say_password(one)
        return self.take(one, self.people.sign_in.prove(session, self.next_code(one)))

    def approve(self, one: Somebody, act: str = Change.ADD_PASSKEY) -> Session:
        """Approve an act by the app."""
        session = self.session(one)
        return self.take(one, self.people.step_ups.prove(session, act, self.next_code(one)))

    def again(self, one: Somebody) -> Person:
        """Return a person as she is by now."""
        return self.people.find(one.person.person_id)

    def _enrolled(self, one: Somebody, enrolled: Enrolled) -> Enrolled:
        self.take(one, enrolled.begun)
        one.person = enrolled.person
        one.codes = [code.reveal() for code in enrolled.recovery_codes] or one.codes
        return enrolled


def secret_of(link: Secret) -> str:
    """Return the secret at the end of a *link*."""
    return link.reveal().rpartition("/")[2]


def opened(home: Path, url: str = "sqlite://") -> Door:
    """Return a door over a new store, or the one at *url*."""
    return Door(building.opened(home, url=url))
