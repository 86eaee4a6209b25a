"""The routes of contacts: where an account is told things, in which language, and what not."""

from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType
from typing_extensions import override

from tenure.domain.contacts import Channel, Contact
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.contacts import Added, Contacts, Wish

# Coarse bounds: what is exactly right, the domain says.
Address: TypeAlias = Annotated[str, msgspec.Meta(max_length=2048)]
Tag: TypeAlias = Annotated[str, msgspec.Meta(max_length=35)]
Zone: TypeAlias = Annotated[str, msgspec.Meta(max_length=64)]
Kinds: TypeAlias = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=64)
]


class ChangedContact(requests.Body):
    """What is to change about a contact: left out stays as it is, empty takes the house's own."""

    address: Address | UnsetType = UNSET
    language: Tag | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET
    muted: Kinds | UnsetType = UNSET
    confirmed: bool | UnsetType = UNSET

    def wish(self) -> Wish:
        """Return it in the services' words, where None leaves alone."""
        return Wish(
            address=None if self.address is UNSET else self.address,
            language=None if self.language is UNSET else self.language,
            time_zone=None if self.time_zone is UNSET else self.time_zone,
            muted=None if self.muted is UNSET else tuple(self.muted),
            confirmed=None if self.confirmed is UNSET else self.confirmed,
        )


class NewContact(ChangedContact, kw_only=True):
    """A contact to add; nothing is sent to one with `confirmed` false until it is confirmed."""

    channel: Channel
    address: Address


class ContactView(View):
    """A contact; language and time zone are null where the house's own are taken."""

    contact_id: str
    account_id: str
    channel: Channel
    address: str
    language: str | None
    time_zone: str | None
    muted: list[str]
    added_at_ms: int
    confirmed_at_ms: int | None


class AddedView(ContactView):
    """A contact just added or rotated; `secret` signs a webhook, shown now and never again."""

    secret: str | UnsetType = UNSET

    @override
    def __repr__(self) -> str:
        return f"AddedView({self.contact_id!r})"


class ContactsView(View):
    """All contacts of an account, the oldest first."""

    contacts: list[ContactView]


def show(contact: Contact) -> ContactView:
    """Show a contact."""
    return ContactView(**_state(contact))


def show_added(added: Added) -> AddedView:
    """Show a contact with its secret, which leaves Tenure nowhere else."""
    secret = added.secret
    return AddedView(**_state(added.contact), secret=UNSET if secret is None else secret.reveal())


@get(
    "/{account_id:str}/contacts",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def list_contacts(account_id: requests.AccountId, contacts: Given[Contacts]) -> ContactsView:
    """List where an account is told things; it begins with its own e-mail."""
    return ContactsView(contacts=[show(contact) for contact in contacts.of_account(account_id)])


@post(
    "/{account_id:str}/contacts",
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 404, 409, 413, 422, 503),
    sync_to_thread=True,
)
def add_contact(
    account_id: requests.AccountId,
    data: JSONBody[NewContact],
    contacts: Given[Contacts],
    actor: Given[str],
) -> AddedView:
    """Add a contact. Channels: email, webhook; a webhook's signing `secret` is shown here alone."""
    return show_added(contacts.add(account_id, data.channel, data.wish(), actor))


@put(
    "/{account_id:str}/contacts/{contact_id:str}",
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 404, 413, 422, 503),
    sync_to_thread=True,
)
def change_contact(
    account_id: requests.AccountId,
    contact_id: requests.ContactId,
    data: JSONBody[ChangedContact],
    contacts: Given[Contacts],
    actor: Given[str],
) -> ContactView:
    """Change a contact. `muted` names kinds of notice not to send there; urgent ones always go."""
    return show(contacts.change(account_id, contact_id, data.wish(), actor))


@post(
    "/{account_id:str}/contacts/{contact_id:str}/rotate",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def rotate_contact(
    account_id: requests.AccountId,
    contact_id: requests.ContactId,
    contacts: Given[Contacts],
    actor: Given[str],
) -> AddedView:
    """Give a webhook a new signing secret; the former one signs beside it for a day."""
    return show_added(contacts.rotate(account_id, contact_id, actor))


@delete(
    "/{account_id:str}/contacts/{contact_id:str}",
    opt=rights.OPERATORS,
    status_code=200,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def remove_contact(
    account_id: requests.AccountId,
    contact_id: requests.ContactId,
    contacts: Given[Contacts],
    actor: Given[str],
) -> ContactView:
    """Send nothing more to a contact, and show it for the last time."""
    return show(contacts.remove(account_id, contact_id, actor))


def routes() -> Router:
    """Return what is answered under `/accounts/{id}/contacts`."""
    return Router(
        "/accounts",
        route_handlers=[
            list_contacts,
            add_contact,
            change_contact,
            rotate_contact,
            remove_contact,
        ],
        tags=["contacts"],
    )


def _state(contact: Contact) -> dict[str, Any]:
    return {
        "contact_id": contact.contact_id,
        "account_id": contact.account_id,
        "channel": contact.channel,
        "address": contact.address,
        "language": contact.language,
        "time_zone": contact.time_zone,
        "muted": [str(kind) for kind in contact.muted],
        "added_at_ms": contact.added_at_ms,
        "confirmed_at_ms": contact.confirmed_at_ms,
    }
