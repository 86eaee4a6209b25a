"""
The part of the composition root that tells owners: contacts, notices, calendars, and who sends.

`telling` is what a worker's faces stand on; `notifying` is the process beside the ticks.
"""

from collections.abc import Callable, Mapping
from functools import partial

from tenure.clock import Clock, SandboxClock, SystemClock
from tenure.domain import mailing
from tenure.domain.catalog import Catalog
from tenure.domain.contacts import Channel
from tenure.services import contacts
from tenure.services.calendars import Calendars
from tenure.services.channels import FileSender, MailSender, Sender, WebhookSender
from tenure.services.contacts import Contacts
from tenure.services.lead_times import Leads
from tenure.services.notices import Notices
from tenure.services.notify import Notify
from tenure.services.notifying import Notifying
from tenure.services.outbound.channels import Channels
from tenure.services.outbound.mail import Mail
from tenure.services.outbound.webhooks import Webhook
from tenure.services.rendering import House, Rendering
from tenure.services.sealing import SealingKey
from tenure.services.sending import Sending
from tenure.services.telling import Telling
from tenure.settings import Settings
from tenure.store.db import Store


def telling(  # noqa: PLR0913, PLR0917 - what it stands on, once each
    settings: Settings,
    store: Store,
    clock: Clock,
    catalog: Catalog,
    sealing_key: SealingKey | None,
    catch_up: Callable[[int], None],
) -> Telling:
    """Build what a worker's faces stand on."""
    words = _rendering(settings, catalog)
    return Telling(
        notices=Notices(store, clock),
        contacts=Contacts(
            store, clock, sealing_key, catch_up, Channels.of(settings, clock).webhooks.check
        ),
        leads=Leads(store, clock, catch_up),
        calendars=Calendars(store, clock, words, catch_up),
        rendering=words,
    )


def notifying(
    settings: Settings,
    store: Store,
    clock: SystemClock | SandboxClock,
    catalog: Catalog,
    sealing_key: SealingKey | None,
) -> Notifying:
    """Build the process that makes notices and sends them."""
    sending = Sending(
        store,
        clock,
        _rendering(settings, catalog),
        senders(settings, clock),
        partial(contacts.secrets_of, sealing_key),
    )

    def close() -> None:
        store.close()
        clock.close()

    return Notifying(Notify(store, clock), sending, close)


def senders(settings: Settings, clock: Clock) -> Mapping[Channel, Sender]:
    """Return how each channel sends; what is not set up waits, and is given up after four days."""
    if settings.notice_file is not None:
        return dict.fromkeys(Channel, FileSender(settings.notice_file))
    ways = Channels.of(settings, clock)
    found: dict[Channel, Sender] = {
        Channel.WEBHOOK: WebhookSender(lambda **parts: ways.webhooks.send(Webhook(**parts)))
    }
    if (mailer := ways.mailer) is not None:
        domain = mailing.read_sender(settings.mail_from).address.rpartition("@")[2]
        found[Channel.EMAIL] = MailSender(lambda **parts: mailer.send(Mail(**parts)), domain)
    return found


def _rendering(settings: Settings, catalog: Catalog) -> Rendering:
    house = House(
        public_url=settings.owners_url,
        language=settings.notice_language,
        time_zone=settings.notice_time_zone,
    )
    return Rendering(catalog, house)
