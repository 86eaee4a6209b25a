"""
Creating a key in two steps: what kind of key it is, then what it may do; and its secret, once.

An Ed25519 key pair can be made in the browser, so that the private key never leaves the page. The
secret of an HMAC key is in the answer to the last form and nowhere else, ever (SECURITY I13).
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain import admission
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import READING, KeyType
from tenure.faces.console import edits, entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.keys import Listing
from tenure.faces.console.requests import AccountId
from tenure.faces.console.stepping import act_of
from tenure.faces.console.words import Words
from tenure.services.keys import Draft, Keys
from tenure.services.languages import Language

_TYPES: Final = (KeyType.ED25519, KeyType.RSA, KeyType.HMAC)
"""In the order they are recommended (SECURITY 7)."""
_NAMING: Final = frozenset({"label", "key_type", "public_key"})
"""The fields of the first step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the two steps have in their fields, or were sent with."""

    label: str = ""
    key_type: str = KeyType.ED25519
    public_key: str = ""
    is_unsaved: bool = False
    """Whether the public key was made in the page and its private half not saved there."""
    access: str = edits.ANY
    addresses: str = ""
    permissions: frozenset[str] = frozenset({str(READING)})

    @classmethod
    def of(cls, form: Form) -> "Filled":
        """Read what was sent."""
        key_type = form.one("key_type", KeyType.ED25519)
        given = cls(
            label=form.one("label"),
            key_type=key_type,
            public_key=form.one("public_key").strip(),
            # A pair is made for Ed25519 alone; whoever chose another type since gave it up.
            is_unsaved=bool(form.one("made_here")) and key_type == KeyType.ED25519,
        )
        if not form.has("access"):
            return given
        return replace(
            given,
            access=form.one("access"),
            addresses=form.one("addresses"),
            permissions=frozenset(form.all("permission")) | {str(READING)},
        )

    def draft(self, language: Language) -> Draft:
        """Return what is asked for; raises Invalid."""
        if self.key_type not in set(KeyType):
            raise Invalid("key_type", language.say("create.type_missing"))
        return Draft(
            label=self.label,
            key_type=KeyType(self.key_type),
            public_key=self.public_key or None if self.key_type != KeyType.HMAC else None,
            permissions=tuple(sorted(self.permissions - {str(READING)})),
            ip_allowlist=edits.entries_of(self.access, self.addresses),
        )

    def hidden(self, *, all_of_it: bool) -> list[tuple[str, str]]:
        """Return the fields of the first step, or of both, for a form that sends them again."""
        naming = [
            ("label", self.label),
            ("key_type", self.key_type),
            ("public_key", self.public_key),
        ]
        if not all_of_it:
            return naming
        return [
            *naming,
            ("access", self.access),
            ("addresses", self.addresses),
            *(("permission", each) for each in sorted(self.permissions)),
        ]


class Creating:
    """Shows the steps, and issues."""

    def __init__(self, keys: Keys, listing: Listing, words: Words) -> None:
        """One per worker."""
        self._keys, self._listing, self._words = keys, listing, words

    def naming(
        self,
        desk: Desk,
        account_id: str,
        filled: Filled,
        errors: Any = None,  # noqa: ANN401 - as `Listing.wrong` makes them
    ) -> Response[bytes]:
        """Show the first step; a private key that was pasted is not shown again."""
        if filled.is_unsaved:
            # The private half went with the page: a key made from this one could never sign.
            filled = replace(filled, public_key="")
            errors = {**(errors or {}), "public_key": desk.say("keygen.lost")}
        if admission.is_private(filled.public_key):
            filled = replace(filled, public_key="")
        return desk.page(
            "create_naming.html.j2",
            status=422 if errors else 200,
            account=self._listing.account(account_id),
            is_own=self._listing.is_own(desk, account_id),
            filled=filled,
            types=_TYPES,
            errors=errors or {},
        )

    def restricting(
        self,
        desk: Desk,
        account_id: str,
        filled: Filled,
        errors: Any = None,  # noqa: ANN401 - as above
    ) -> Response[bytes]:
        """Show the second step."""
        account = self._listing.account(account_id)
        return desk.page(
            "create_restricting.html.j2",
            status=422 if errors else 200,
            account=account,
            is_own=self._listing.is_own(desk, account_id),
            filled=filled,
            boxes=self._listing.shown(desk).offers(KeyType(filled.key_type), account.kind),
            errors=errors or {},
            suggested=[],
        )

    def named(self, desk: Desk, account_id: str, form: Form) -> Response[bytes]:
        """Take the first step, or show it again with what is wrong."""
        filled = Filled.of(form)
        try:
            # Everything that a step asks for is looked at there, and not two pages later.
            bare = replace(filled, access=edits.ANY, permissions=frozenset())
            self._keys.preview_issue(account_id, bare.draft(desk.language))
        except Invalid as error:
            return self.naming(desk, account_id, filled, self._listing.wrong(desk, error))
        except Conflict as conflict:
            return self._full(desk, account_id, filled, conflict)
        return self.restricting(desk, account_id, filled)

    def review(
        self,
        desk: Desk,
        account_id: str,
        filled: Filled,
        errors: Any = None,  # noqa: ANN401 - as above
    ) -> Response[bytes]:
        """Show what the key will be, and ask for a second factor; or the step that is wrong."""
        try:
            issued = self._keys.preview_issue(account_id, filled.draft(desk.language))
        except Invalid as error:
            wrong = self._listing.wrong(desk, error, filled.addresses)
            show = self.naming if wrong.keys() & _NAMING else self.restricting
            return show(desk, account_id, filled, wrong)
        except Conflict as conflict:
            return self._full(desk, account_id, filled, conflict)
        card = self._listing.shown(desk).card(issued.plan.after)
        sentences = self._words.sentences(issued.plan.consequences, issued.rulebook, desk.language)
        return desk.page(
            "create_review.html.j2",
            status=422 if errors else 200,
            account=self._listing.account(account_id),
            is_own=self._listing.is_own(desk, account_id),
            card=card,
            filled=filled,
            sentences=sentences,
            warnings=[box.warning for box in card.boxes if box.warning and box.is_ticked],
            act=_act(account_id, filled),
            errors=errors or {},
        )

    def issue(self, desk: Desk, account_id: str, form: Form) -> Response[Any]:
        """Issue the key, and show its secret; sent again, show the key that is there by now."""
        filled = Filled.of(form)
        draft, act = filled.draft(desk.language), _act(account_id, filled)
        try:
            with desk.acting(act, form, lambda done: f"/console/keys/{done.key_id}?done=created"):
                issued = self._keys.issue(account_id, draft, desk.signed_in.actor)
        except Invalid as error:
            wrong = self._listing.wrong(desk, error, filled.addresses)
            return self.review(desk, account_id, filled, wrong)
        except Conflict as conflict:
            return self._full(desk, account_id, filled, conflict)
        secret = issued.secret_key
        return desk.page(
            "secret.html.j2",
            card=self._listing.shown(desk).card(issued.plan.after),
            secret="" if secret is None else secret.reveal(),
            is_new=True,
        )

    def _full(
        self, desk: Desk, account_id: str, filled: Filled, conflict: Conflict
    ) -> Response[bytes]:
        """Show the first step, of an account with as many keys as it may have; else raise."""
        if conflict.code != "limit":
            raise conflict
        said = desk.say("keys.full", most=desk.language.number(self._listing.keys_max))
        return self.naming(desk, account_id, filled, {"form": said})


def _act(account_id: str, filled: Filled) -> str:
    return act_of("keys.issue", account_id, filled.hidden(all_of_it=True))


@get("/accounts/{account_id:str}/keys/new", opt=entry.OWNERS, sync_to_thread=True)
def show_naming(
    account_id: AccountId, desk: GivenDesk, creating: Given[Creating]
) -> Response[bytes]:
    """Show the first step."""
    return creating.naming(desk, account_id, Filled())


@post("/accounts/{account_id:str}/keys/new", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def take_naming(
    account_id: AccountId, desk: GivenDesk, creating: Given[Creating], form: GivenForm
) -> Response[bytes]:
    """Take the first step, and show the second; or the first again, to change it."""
    if form.has("back"):
        return creating.naming(desk, account_id, Filled.of(form))
    return creating.named(desk, account_id, form)


@post(
    "/accounts/{account_id:str}/keys/new/review",
    opt=entry.OWNERS,
    status_code=200,
    sync_to_thread=True,
)
def review_key(
    account_id: AccountId, desk: GivenDesk, creating: Given[Creating], form: GivenForm
) -> Response[bytes]:
    """Show what the key will be, or the second step again to change it; changes nothing."""
    if form.has("back"):
        return creating.restricting(desk, account_id, Filled.of(form))
    return creating.review(desk, account_id, Filled.of(form))


@post(
    "/accounts/{account_id:str}/keys/new/issue",
    opt=entry.OWNERS,
    status_code=200,
    sync_to_thread=True,
)
def issue_key(
    account_id: AccountId, desk: GivenDesk, creating: Given[Creating], form: GivenForm
) -> Response[Any]:
    """Issue the key."""
    return creating.issue(desk, account_id, form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that create a key."""
    return [show_naming, take_naming, review_key, issue_key]
