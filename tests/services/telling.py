"""A house that tells its owners: what sends is a recorder, and ticks run when called."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tenure.domain.contacts import Channel
from tenure.domain.notices import Kind
from tenure.services import contacts
from tenure.services.calendars import Calendars
from tenure.services.channels import Outgoing
from tenure.services.contacts import Contacts
from tenure.services.lead_times import Leads
from tenure.services.notices import Notices
from tenure.services.notify import Notify
from tenure.services.outbound.outcome import Outcome, Sent
from tenure.services.rendering import House, Rendering
from tenure.services.sending import Sending
from tenure.store.notices import Listed
from tests.builders import the_catalog
from tests.services import parts as building
from tests.services.parts import Parts

PUBLIC_URL = "https://example.com/api-keys"


class Recorder:
    """Takes what is sent; *answer* says what becomes of it."""

    def __init__(self, answer: Callable[[Outgoing], Outcome] | None = None) -> None:
        self.sent: list[Outgoing] = []
        self.answer = answer or (lambda _: Sent())

    def send(self, outgoing: Outgoing) -> Outcome:
        """Note it and answer."""
        self.sent.append(outgoing)
        return self.answer(outgoing)

    @property
    def subjects(self) -> list[str]:
        """What was sent, in order."""
        return [outgoing.message.subject for outgoing in self.sent]


class Teller:
    """What tells the owners of *parts*."""

    def __init__(self, parts: Parts) -> None:
        """Everything stands on the same store and clock."""
        self.parts = parts
        self.house = House(public_url=PUBLIC_URL)
        self.rendering = Rendering(the_catalog(), self.house)
        self.contacts = Contacts(
            parts.store, parts.clock, parts.sealing_key, parts.follower.catch_up
        )
        self.notices = Notices(parts.store, parts.clock)
        self.calendars = Calendars(
            parts.store, parts.clock, self.rendering, parts.follower.catch_up
        )
        self.leads = Leads(parts.store, parts.clock, parts.follower.catch_up)
        self.notify = Notify(parts.store, parts.clock)
        self.mail, self.webhook = Recorder(), Recorder()
        self.sending = self.sender()

    def sender(self) -> Sending:
        """Return another one that sends, as after a restart."""
        return Sending(
            self.parts.store,
            self.parts.clock,
            self.rendering,
            {Channel.EMAIL: self.mail, Channel.WEBHOOK: self.webhook},
            partial(contacts.secrets_of, self.parts.sealing_key),
            threads=1,
        )

    def tick(self) -> None:
        """Sweep, notify and send."""
        self.parts.sweep.tick()
        self.notify.tick()
        self.sending.tick()

    def at(self, moment: str | int) -> None:
        """Let time pass until *moment*, and tick."""
        self.parts.clock.set(moment)
        self.tick()

    def told(self, account_id: str, *, unread: bool = False) -> list[Listed]:
        """Return what an account was told."""
        return self.notices.of_account(account_id, unread=unread)

    def kinds(self, account_id: str) -> list[Kind]:
        """Return the kinds of what an account was told, in order."""
        return [listed.notice.kind for listed in self.told(account_id)]


def opened(home: Path, url: str = "sqlite://") -> Teller:
    """Return a house that tells, over a new store or the one at *url*."""
    return Teller(building.opened(home, url=url))
