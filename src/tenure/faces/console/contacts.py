"""
Where an account is told things: adding contacts, and changing them.

A contact decides whether its owner hears of a thief, so every change asks for a second factor, once
the form is right and on a page that says what it will be: a passkey approves what it was shown and
nothing else. Ending one is in `contact_turns`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain import notices
from tenure.domain.contacts import Channel, Contact
from tenure.domain.errors import Conflict, Invalid
from tenure.domain.notices import Kind
from tenure.faces.console import entry, visitors
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.requests import AccountId, ContactId
from tenure.faces.console.stepping import act_of
from tenure.services import languages
from tenure.services.contacts import Added, Contacts, Wish
from tenure.services.languages import Language

BACK: Final = "/console/preferences"
MUTABLE: Final = tuple(kind for kind in Kind if notices.can_mute(kind))
SHOWN_ONCE: Final = "shown"
"""What settings say was done, to whoever loads the page again that showed a secret."""
ALWAYS_SENT: Final = tuple(kind for kind in Kind if not notices.can_mute(kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A contact as the page of settings lists it."""

    contact: Contact
    spoken: str
    muted: int

    @property
    def is_webhook(self) -> bool:
        """Whether it is sent to by a program."""
        return self.contact.channel is Channel.WEBHOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the form holds; *sent* are the kinds that are not muted."""

    channel: Channel = Channel.EMAIL
    address: str = ""
    language: str = ""
    time_zone: str = ""
    sent: frozenset[str] = frozenset(MUTABLE)

    @classmethod
    def of(cls, form: Form, channel: Channel | None) -> "Filled":
        """Read what was sent; a contact keeps the *channel* it has."""
        asked = form.one("channel")
        return cls(
            channel=channel or (Channel(asked) if asked in set(Channel) else Channel.EMAIL),
            address=form.one("address").strip(),
            language=form.one("language"),
            time_zone=form.one("time_zone").strip(),
            sent=frozenset(form.all("sent")),
        )

    @classmethod
    def as_it_is(cls, contact: Contact) -> "Filled":
        """Show a *contact*."""
        return cls(
            channel=contact.channel,
            address=contact.address,
            language=contact.language or "",
            time_zone=contact.time_zone or "",
            sent=frozenset(MUTABLE) - frozenset(contact.muted),
        )

    @property
    def wish(self) -> Wish:
        """What this asks the contact to be; what is left empty is the house's."""
        return Wish(
            address=self.address,
            language=self.language,
            time_zone=self.time_zone,
            muted=tuple(kind for kind in MUTABLE if kind not in self.sent),
        )

    def hidden(self) -> list[tuple[str, str]]:
        """Return every field by name and value, for a form that sends the same again."""
        return [
            ("channel", self.channel),
            ("address", self.address),
            ("language", self.language),
            ("time_zone", self.time_zone),
            *(("sent", kind) for kind in sorted(self.sent)),
        ]

    def act(self, name: str, *about: str) -> str:
        """Return what stands for doing just this."""
        muted = list(self.wish.muted or ())
        return act_of(
            name, *about, str(self.channel), self.address, self.language, self.time_zone, muted
        )


class Addresses:
    """Shows contacts, and changes them."""

    def __init__(self, contacts: Contacts, house_zone: str) -> None:
        """*house_zone* is the time zone of a contact that names none."""
        self._contacts, self._house_zone = contacts, house_zone

    def form(
        self,
        desk: Desk,
        account_id: str,
        filled: Filled,
        *,
        contact: Contact | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> Response[bytes]:
        """Show the form of a new contact, or of one that is there."""
        return desk.page(
            "contact.html.j2",
            status=422 if errors else 200,
            account_id=account_id,
            contact=contact,
            filled=filled,
            mutable=MUTABLE,
            always_sent=ALWAYS_SENT,
            zones=languages.time_zones(),
            house_zone=self._house_zone,
            offered=_offered(filled.language),
            errors=errors or {},
        )

    def add(self, desk: Desk, account_id: str, form: Form) -> Response[Any]:
        """Add a contact; a webhook's secret is shown this once."""
        filled = Filled.of(form, None)
        return self._save(desk, account_id, filled, form, None)

    def change(self, desk: Desk, account_id: str, contact_id: str, form: Form) -> Response[Any]:
        """Change a contact."""
        contact = self._contacts.get(account_id, contact_id)
        return self._save(desk, account_id, Filled.of(form, contact.channel), form, contact)

    def _save(
        self, desk: Desk, account_id: str, filled: Filled, form: Form, contact: Contact | None
    ) -> Response[Any]:
        try:
            self._contacts.check(filled.channel, filled.wish)
        except Invalid as error:
            errors = _beside(error, filled.channel, desk.language)
            return self.form(desk, account_id, filled, contact=contact, errors=errors)
        if form.has("back"):
            return self.form(desk, account_id, filled, contact=contact)
        if not form.has("reviewed"):
            return self._review(desk, account_id, filled, contact)
        return self._commit(desk, account_id, filled, form, contact)

    def _commit(
        self, desk: Desk, account_id: str, filled: Filled, form: Form, contact: Contact | None
    ) -> Response[Any]:
        actor, added = desk.signed_in.actor, None
        act = _act_on(account_id, contact, filled)
        has_secret = contact is None and filled.channel is Channel.WEBHOOK
        again = f"{BACK}?done={SHOWN_ONCE if has_secret else 'again'}#contacts"
        try:
            with desk.acting(act, form, again):
                if contact is None:
                    added = self._contacts.add(account_id, filled.channel, filled.wish, actor)
                else:
                    self._contacts.change(account_id, contact.contact_id, filled.wish, actor)
        except Invalid as error:
            return self._review(desk, account_id, filled, contact, {"code": error.message})
        except Conflict as conflict:
            if conflict.code != "limit":
                raise
            errors = {"form": desk.say("contacts.full")}
            return self.form(desk, account_id, filled, errors=errors)
        if added is not None and added.secret is not None:
            return secret_page(desk, added, is_new=True)
        done = "changed" if added is None else "added"
        return desk.go(f"{BACK}?done={done}#contacts")

    def _review(
        self,
        desk: Desk,
        account_id: str,
        filled: Filled,
        contact: Contact | None,
        errors: Mapping[str, str] | None = None,
    ) -> Response[bytes]:
        """Show what the contact will be, and ask for a second factor for just that."""
        return desk.page(
            "contact_review.html.j2",
            status=422 if errors else 200,
            account_id=account_id,
            contact=contact,
            filled=filled,
            spoken=dict(_offered(filled.language)).get(filled.language, ""),
            muted=[kind for kind in MUTABLE if kind not in filled.sent],
            house_zone=self._house_zone,
            act=_act_on(account_id, contact, filled),
            errors=errors or {},
        )


def shown(contact: Contact) -> Shown:
    """Show a contact in a list."""
    spoken = dict(_offered(contact.language or "")).get(contact.language or "", "")
    return Shown(contact=contact, spoken=spoken, muted=len(contact.muted))


def _offered(held: str) -> list[tuple[str, str]]:
    """Return the languages to choose from, with the one that is *held* where it is another."""
    offered = visitors.offered()
    return offered if not held or held in dict(offered) else [*offered, (held, held)]


def _act_on(account_id: str, contact: Contact | None, filled: Filled) -> str:
    if contact is None:
        return filled.act("contacts.add", account_id)
    return filled.act("contacts.change", account_id, contact.contact_id)


def secret_page(desk: Desk, added: Added, *, is_new: bool) -> Response[bytes]:
    """Show the secret that signs a webhook, this once."""
    return desk.page(
        "contact_secret.html.j2",
        contact=added.contact,
        secret="" if added.secret is None else added.secret.reveal(),
        is_new=is_new,
    )


def _beside(error: Invalid, channel: Channel, language: Language) -> dict[str, str]:
    """Return what is wrong by its field, in the reader's language."""
    names: Sequence[str] = [problem.field for problem in error.problems]
    known = {"address": f"contacts.wrong.{channel}", "language": "preferences.language_wrong"}
    known |= {"time_zone": "preferences.time_zone_wrong"}
    return {name: language.say(known[name]) for name in names if name in known}


@get("/accounts/{account_id:str}/contacts/new", opt=entry.OWNERS, sync_to_thread=True)
def show_new(
    account_id: AccountId, desk: GivenDesk, addresses: Given[Addresses]
) -> Response[bytes]:
    """Show the form of a new contact; `?channel=` chooses which."""
    asked = desk.asked.get("channel", "")
    channel = Channel(asked) if asked in set(Channel) else Channel.EMAIL
    return addresses.form(desk, account_id, Filled(channel=channel))


@post(
    "/accounts/{account_id:str}/contacts/new",
    opt=entry.OWNERS,
    status_code=200,
    sync_to_thread=True,
)
def add(
    account_id: AccountId, desk: GivenDesk, addresses: Given[Addresses], form: GivenForm
) -> Response[Any]:
    """Add a contact."""
    return addresses.add(desk, account_id, form)


@get("/accounts/{account_id:str}/contacts/{contact_id:str}", opt=entry.OWNERS, sync_to_thread=True)
def show_one(
    account_id: AccountId,
    contact_id: ContactId,
    desk: GivenDesk,
    addresses: Given[Addresses],
    contacts: Given[Contacts],
) -> Response[bytes]:
    """Show the form of a contact."""
    contact = contacts.get(account_id, contact_id)
    return addresses.form(desk, account_id, Filled.as_it_is(contact), contact=contact)


@post(
    "/accounts/{account_id:str}/contacts/{contact_id:str}",
    opt=entry.OWNERS,
    status_code=200,
    sync_to_thread=True,
)
def change(
    account_id: AccountId,
    contact_id: ContactId,
    desk: GivenDesk,
    addresses: Given[Addresses],
    form: GivenForm,
) -> Response[Any]:
    """Change a contact."""
    return addresses.change(desk, account_id, contact_id, form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of contacts."""
    return [show_new, add, show_one, change]
