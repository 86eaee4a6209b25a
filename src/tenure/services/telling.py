"""What tells owners things, in one hand: a worker's faces are given it whole."""

from dataclasses import dataclass

from tenure.services.calendars import Calendars
from tenure.services.contacts import Contacts
from tenure.services.lead_times import Leads
from tenure.services.notices import Notices
from tenure.services.rendering import Rendering


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What owners are told, where, and in which words."""

    notices: Notices
    contacts: Contacts
    leads: Leads
    calendars: Calendars
    rendering: Rendering
