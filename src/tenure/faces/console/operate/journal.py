"""
The journal: filtered and newest first, as a file, and with proof that it is as it was recorded.

The filters are a form that is sent to the page's own address, so they work without a script and can
be kept as a bookmark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation
from litestar.response import Stream

from tenure.domain.errors import Invalid
from tenure.domain.events import Tag
from tenure.domain.health import Topic
from tenure.faces.console import entry, parameters
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.operate import instants, rows, told
from tenure.faces.console.operate.given import GivenOperating, Seq
from tenure.faces.http.requests import ACCOUNT_ID, KEY_ID
from tenure.services.browsing import Filters, Sought
from tenure.services.checkpoints import Checkpoints

PATH: Final = "/console/operate/journal"
_NAMES: Final = ("tag", "account_id", "key_id", "actor", "from", "until", "house")
_ACTOR_CHARACTERS_MAX: Final = 300
_VERIFIED: Final = (Topic.READING, Topic.SIGNING, Topic.PUSHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the filters hold, as they were sent; what makes no sense is in *errors* and left out."""

    values: dict[str, str]
    filters: Filters
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The filters as part of an address."""
        return urlencode([(name, value) for name, value in self.values.items() if value])

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.query)

    @classmethod
    def of(cls, desk: Desk) -> "Filled":
        """Read the filters from the page's address."""
        values = {name: desk.asked.get(name, "").strip() for name in _NAMES}
        errors: dict[str, str] = {}
        instant_ms: dict[str, int | None] = {}
        for name in ("from", "until"):
            try:
                instant_ms[name] = instants.read(name, values[name], desk.language)
            except Invalid as error:
                errors[name], instant_ms[name] = error.message, None
        for name, pattern in (("account_id", ACCOUNT_ID), ("key_id", KEY_ID)):
            if values[name] and not re.fullmatch(pattern, values[name]):
                errors[name] = desk.say(f"operate.wrong.{name}")
        tag = values["tag"] if values["tag"] in set(Tag) else ""
        sought = Sought(
            tags=(tag,) if tag else (),
            account_id=None if "account_id" in errors else values["account_id"] or None,
            key_id=None if "key_id" in errors else values["key_id"] or None,
            is_house=bool(values["house"]),
            actor=values["actor"][:_ACTOR_CHARACTERS_MAX] or None,
        )
        filters = Filters(sought=sought, from_ms=instant_ms["from"], until_ms=instant_ms["until"])
        return cls(values=values, filters=filters, errors=errors)


@get("/journal", opt=entry.VIEWERS, sync_to_thread=True)
def show(desk: GivenDesk, operating: GivenOperating) -> Response[bytes]:
    """Show a page of it."""
    filled, language = Filled.of(desk), desk.language
    before = parameters.number(desk, "before")
    found = operating.browsing.browse(filled.filters, before)
    health = operating.checkup.look()
    more = [*filter(None, [filled.query]), f"before={found.before}"]
    return desk.page(
        "operate/journal.html.j2",
        status=422 if filled.errors else 200,
        filled=filled,
        found=found,
        rows=rows.of_entries(found.entries, language),
        older=None if found.before is None else f"{PATH}?{'&'.join(more)}",
        is_first=before is None,
        groups=_groups(),
        tiles=[told.tile(health.of(topic), language) for topic in _VERIFIED],
        errors=filled.errors,
    )


@get("/journal/export", opt=entry.VIEWERS, sync_to_thread=True)
def export(desk: GivenDesk, operating: GivenOperating) -> Response[Any]:
    """Return what the filters let through as a file, a line of JSON each."""
    filled = Filled.of(desk)
    if filled.errors:
        raise Invalid("from", " ".join(filled.errors.values()))
    return Stream(
        _lines(operating.browsing.export(filled.filters)),
        media_type="application/jsonl",
        headers={"content-disposition": 'attachment; filename="tenure-journal.jsonl"'},
    )


@get("/journal/{seq:int}/proof", opt=entry.VIEWERS, sync_to_thread=True)
def prove(seq: Seq, log: Given[SkipValidation[Checkpoints]]) -> Response[str]:
    """Return the proof that an event is under the last checkpoint, as a file."""
    return Response(
        log.proof(seq),
        media_type="text/plain",
        headers={"content-disposition": f'attachment; filename="event-{seq}.tlog-proof"'},
    )


def _lines(found: Iterator[str]) -> Iterator[bytes]:
    for line in found:
        yield f"{line}\n".encode()


def _groups() -> dict[str, list[str]]:
    """Return the tags by what they are about, for a list to choose from."""
    groups: dict[str, list[str]] = {}
    for tag in Tag:
        groups.setdefault(tag.partition(":")[0], []).append(str(tag))
    return groups


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of the journal."""
    return [show, export, prove]
