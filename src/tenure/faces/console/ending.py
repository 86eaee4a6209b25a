"""
Rotating, revoking, quarantining and releasing a key, each with what will follow shown first.

The page that asks is the page that tells: what stops working, what goes on, what cannot be undone.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Final, TypeAlias

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain import admission
from tenure.domain.errors import Conflict, Invalid, Why
from tenure.domain.model import ApiKey, KeyType
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.keys import Listing
from tenure.faces.console.requests import KeyId
from tenure.faces.console.stepping import act_of
from tenure.services.keys import Issued, Keys
from tenure.services.quarantine import Quarantine

HOUR_MS: Final = 3_600_000
OVERLAPS_MS: Final = (0, HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS)
"""How long a former secret may go on; see `rotation.OVERLAP_MS_MAX` for the most."""


class What(StrEnum):
    """What is done to a key, as it stands in the page's address."""

    ROTATE = "rotate"
    REVOKE = "revoke"
    QUARANTINE = "quarantine"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the form was sent with."""

    public_key: str = ""
    is_unsaved: bool = False
    """Whether the public key was made in the page and its private half not saved there."""
    overlap: str = "0"
    cause: str = ""

    @classmethod
    def of(cls, form: Form) -> "Filled":
        """Read what was sent."""
        return cls(
            public_key=form.one("public_key").strip(),
            is_unsaved=bool(form.one("made_here")),
            overlap=form.one("overlap", "0"),
            cause=form.one("cause"),
        )

    @property
    def overlap_ms(self) -> int:
        """How long the former secret goes on; raises Invalid for a length that is not offered."""
        if self.overlap not in map(str, OVERLAPS_MS):
            message = "choose one of the lengths that are offered"
            raise Invalid("overlap", message, why=Why("overlap"))
        return int(self.overlap)


def is_open(what: str, key: ApiKey) -> bool:
    """Whether *key* stands so that *what* can be done to it; else its page says how it stands."""
    if key.revoked_at_ms is not None:
        return False
    if what == What.QUARANTINE:
        return key.quarantine is None
    return what != What.RELEASE or key.quarantine is not None


GivenWhat: TypeAlias = Annotated[What, PathParameter()]


class Ending:
    """Shows what will follow, and does it."""

    def __init__(self, keys: Keys, quarantine: Quarantine, listing: Listing) -> None:
        """One per worker."""
        self._keys, self._quarantine, self._listing = keys, quarantine, listing
        self._do = {
            What.ROTATE: self._rotate,
            What.REVOKE: self._revoke,
            What.QUARANTINE: self._place,
            What.RELEASE: self._release,
        }

    def ask(
        self,
        desk: Desk,
        what: What,
        key_id: str,
        filled: Filled,
        errors: Any = None,  # noqa: ANN401 - as `Listing.wrong` makes them
    ) -> Response[Any]:
        """Show what will follow, and ask for a second factor; or the key, where that is over."""
        key = self._keys.get(key_id)
        if not is_open(what, key):
            return desk.go(_page_of(key_id))
        if admission.is_private(filled.public_key):
            filled = replace(filled, public_key="")  # Not shown again, whoever looks on.
        if filled.is_unsaved:
            # The private half went with the page: a secret made from this one could never sign.
            filled = replace(filled, public_key="")
            errors = {**(errors or {}), "public_key": desk.say("keygen.lost")}
        return desk.page(
            f"{what}.html.j2",
            status=422 if errors else 200,
            card=self._listing.shown(desk).card(key),
            filled=filled,
            overlaps_ms=OVERLAPS_MS,
            act=_act(what, key_id),
            errors=errors or {},
        )

    def do(self, desk: Desk, what: What, key_id: str, form: Form) -> Response[Any]:
        """Do it, once the second factor is given."""
        filled, act = Filled.of(form), _act(what, key_id)
        try:
            with desk.acting(act, form, lambda _: self._again(what, key_id)):
                issued = self._do[what](key_id, filled, desk.signed_in.actor)
        except Invalid as error:
            wrong = self._listing.wrong(desk, error)
            return self.ask(desk, what, key_id, filled, wrong)
        except Conflict as conflict:
            if conflict.code != "revoked":
                raise
            return desk.go(_page_of(key_id))
        if issued is None or issued.secret_key is None:
            return desk.go(f"{_page_of(key_id)}?done={what}")
        return desk.page(
            "secret.html.j2",
            card=self._listing.shown(desk).card(issued.plan.after),
            secret=issued.secret_key.reveal(),
            is_new=False,
        )

    def _again(self, what: What, key_id: str) -> str:
        """Return the key's page for whoever loads the answer again: no secret is shown twice."""
        had_secret = what is What.ROTATE and self._keys.get(key_id).key_type is KeyType.HMAC
        return f"{_page_of(key_id)}?done={'rotate_again' if had_secret else 'again'}"

    def _rotate(self, key_id: str, filled: Filled, actor: str) -> Issued:
        is_hmac = self._keys.get(key_id).key_type is KeyType.HMAC
        public_key = None if is_hmac else filled.public_key or None
        return self._keys.rotate(key_id, public_key, actor, overlap_ms=filled.overlap_ms)

    def _revoke(self, key_id: str, filled: Filled, actor: str) -> None:
        del filled
        self._keys.revoke(key_id, actor)

    def _place(self, key_id: str, filled: Filled, actor: str) -> None:
        self._quarantine.place(key_id, actor, cause=filled.cause)

    def _release(self, key_id: str, filled: Filled, actor: str) -> None:
        del filled
        self._quarantine.release(key_id, actor)


def _page_of(key_id: str) -> str:
    return f"/console/keys/{key_id}"


def _act(what: What, key_id: str) -> str:
    return act_of(f"keys.{what}", key_id)


@get("/keys/{key_id:str}/{what:str}", opt=entry.OWNERS, sync_to_thread=True)
def ask(key_id: KeyId, what: GivenWhat, desk: GivenDesk, ending: Given[Ending]) -> Response[Any]:
    """Show what will follow."""
    return ending.ask(desk, what, key_id, Filled())


@post("/keys/{key_id:str}/{what:str}", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def do(
    key_id: KeyId, what: GivenWhat, desk: GivenDesk, ending: Given[Ending], form: GivenForm
) -> Response[Any]:
    """Do it."""
    return ending.do(desk, what, key_id, form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that rotate, revoke, quarantine and release."""
    return [ask, do]
