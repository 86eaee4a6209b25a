"""
Settings: language and time zone, how long before an end to warn, and the calendar link.

Where notices are sent is in `contacts`. The language and zone are of the person who signs in; lead
times, contacts and the calendar are the account's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.contacts import Channel, Contact
from tenure.domain.errors import Invalid
from tenure.faces.console import contacts as sent_to
from tenure.faces.console import entry, parameters, visitors
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.origins import Origin
from tenure.faces.console.stepping import act_of
from tenure.services import languages
from tenure.services.contacts import Contacts, Wish
from tenure.services.lead_times import Choice
from tenure.services.people.facade import People
from tenure.services.telling import Telling

_OWN = "own"
"""What the form of lead times says where the account chose its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the two forms hold: as they were sent, or as things are."""

    language: str
    time_zone: str
    is_own: bool
    leads: frozenset[int]


class Preferences:
    """Shows the settings, and changes them."""

    def __init__(self, people: People, telling: Telling, origin: Origin) -> None:
        """*origin* is where the calendar's address begins."""
        self._people, self._telling, self._origin = people, telling, origin

    def page(
        self,
        desk: Desk,
        filled: Filled | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> Response[bytes]:
        """Show the settings, as they are or as they were *filled* in."""
        account_id = desk.signed_in.account_id
        choice = self._telling.leads.of_account(account_id)
        listed = self._telling.contacts.of_account(account_id)
        return desk.page(
            "preferences.html.j2",
            status=422 if errors else 200,
            filled=filled or self._as_it_is(desk, choice),
            account_id=account_id,
            contacts=[sent_to.shown(contact) for contact in listed],
            is_told_by_mail=_own_mail(listed, desk.signed_in.person.email) is not None,
            zones=languages.time_zones(),
            house_zone=self._telling.rendering.house.time_zone,
            choice=choice,
            offered=visitors.offered(),
            calendar_ms=self._telling.calendars.made_at_ms(account_id),
            errors=errors or {},
        )

    def speak(self, desk: Desk, form: Form) -> Response[Any]:
        """Take another language and time zone, for the pages and, if wanted, the owner's e-mail."""
        visitor = desk.signed_in
        tag, zone = form.one("language"), form.one("time_zone").strip()
        errors: dict[str, str] = {}
        if tag not in dict(visitors.offered()):
            errors["language"] = desk.say("preferences.language_wrong")
        try:
            zone = languages.require_time_zone(zone) if zone else ""
        except Invalid:
            errors["time_zone"] = desk.say("preferences.time_zone_wrong")
        if errors:
            as_it_is = self._as_it_is(desk, self._telling.leads.of_account(visitor.account_id))
            filled = Filled(
                language=tag, time_zone=zone, is_own=as_it_is.is_own, leads=as_it_is.leads
            )
            return self.page(desk, filled, errors)
        self._people.prefer(visitor.person.person_id, language=tag, time_zone=zone or None)
        if form.has("also"):
            self._speak_by_mail(desk, self._telling.contacts, Wish(language=tag, time_zone=zone))
        # The language of this browser too, or what was chosen there before would win.
        return desk.go(f"/console/preferences?done=language&lang={tag}")

    def warn(self, desk: Desk, form: Form) -> Response[Any]:
        """Take other lead times, or leave them to the rules."""
        visitor = desk.signed_in
        is_own = form.one("by") == _OWN
        sent = map(parameters.number_in, form.all("lead"))
        leads = frozenset(lead_ms for lead_ms in sent if lead_ms is not None)
        try:
            self._telling.leads.choose(visitor.account_id, leads if is_own else None, visitor.actor)
        except Invalid:
            as_it_is = self._as_it_is(desk, self._telling.leads.of_account(visitor.account_id))
            filled = Filled(
                language=as_it_is.language,
                time_zone=as_it_is.time_zone,
                is_own=is_own,
                leads=leads,
            )
            return self.page(desk, filled, {"lead": desk.say("preferences.leads_wrong")})
        return desk.go("/console/preferences?done=leads#leads")

    def ask_for_calendar(
        self, desk: Desk, errors: Mapping[str, str] | None = None
    ) -> Response[bytes]:
        """Show what a new calendar link means, and ask for a second factor."""
        account_id = desk.signed_in.account_id
        return desk.page(
            "calendar.html.j2",
            status=422 if errors else 200,
            since_ms=self._telling.calendars.made_at_ms(account_id),
            act=_calendar_act(account_id),
            errors=errors or {},
        )

    def renew_calendar(self, desk: Desk, form: Form) -> Response[Any]:
        """Give the feed a new address, and show it this once."""
        visitor = desk.signed_in
        act = _calendar_act(visitor.account_id)
        try:
            with desk.acting(act, form, f"{sent_to.BACK}?done={sent_to.SHOWN_ONCE}#calendar"):
                secret = self._telling.calendars.renew(visitor.account_id, visitor.actor)
        except Invalid as error:
            return self.ask_for_calendar(desk, {"code": error.message})
        address = f"{self._origin.text}/calendar/{secret.reveal()}.ics"
        return desk.page("calendar_made.html.j2", address=address)

    def _as_it_is(self, desk: Desk, choice: Choice) -> Filled:
        return Filled(
            language=_spoken(desk),
            time_zone=desk.signed_in.person.time_zone or "",
            is_own=choice.chosen is not None,
            leads=frozenset(choice.in_force),
        )

    def _speak_by_mail(self, desk: Desk, known: Contacts, wish: Wish) -> None:
        visitor = desk.signed_in
        found = _own_mail(known.of_account(visitor.account_id), visitor.person.email)
        if found is None:
            return
        known.change(visitor.account_id, found.contact_id, wish, visitor.actor)


def _spoken(desk: Desk) -> str:
    """Return which of the languages that are offered the reader is spoken to in."""
    spoken = desk.language.locale.language
    return next((tag for tag, _ in visitors.offered() if tag.partition("-")[0] == spoken), "en")


def _own_mail(listed: Sequence[Contact], email: str) -> Contact | None:
    return next(
        (each for each in listed if each.channel is Channel.EMAIL and each.address == email), None
    )


def _calendar_act(account_id: str) -> str:
    return act_of("calendar.renew", account_id)


@get("/preferences", opt=entry.OWNERS, sync_to_thread=True)
def show(desk: GivenDesk, preferences: Given[Preferences]) -> Response[bytes]:
    """Show the settings."""
    return preferences.page(desk)


@post("/preferences", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def speak(desk: GivenDesk, preferences: Given[Preferences], form: GivenForm) -> Response[Any]:
    """Change language and time zone."""
    return preferences.speak(desk, form)


@post("/preferences/lead-times", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def warn(desk: GivenDesk, preferences: Given[Preferences], form: GivenForm) -> Response[Any]:
    """Change the lead times."""
    return preferences.warn(desk, form)


@get("/preferences/calendar", opt=entry.OWNERS, sync_to_thread=True)
def ask_for_calendar(desk: GivenDesk, preferences: Given[Preferences]) -> Response[bytes]:
    """Show what a new calendar link means."""
    return preferences.ask_for_calendar(desk)


@post("/preferences/calendar", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def renew_calendar(
    desk: GivenDesk, preferences: Given[Preferences], form: GivenForm
) -> Response[Any]:
    """Make a new calendar link."""
    return preferences.renew_calendar(desk, form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of settings."""
    return [show, speak, warn, ask_for_calendar, renew_calendar]
