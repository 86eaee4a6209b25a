"""The ways by which Tenure can tell somebody outside something, made from the settings."""

from typing import NamedTuple

from tenure.clock import Clock
from tenure.services.outbound.egress import Egress
from tenure.services.outbound.mail import Mailer
from tenure.services.outbound.webhooks import Webhooks
from tenure.settings import Settings


class Channels(NamedTuple):
    """Webhooks, and e-mail where the settings name a relay."""

    webhooks: Webhooks
    mailer: Mailer | None

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> "Channels":
        """Return the channels that *settings* describe; nothing is connected to."""
        return cls(Webhooks(Egress.of(settings), clock), Mailer.of(settings, clock))
