"""
The journal of an account tree in its owner's words: page by page from the end, and as a file.

Which events are asked for is in `domain.activity`. An owner sees who acted as far as he may know it
(`domain.rights.shown_actor`): a sub-account learns that its master acted, and not by which key.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from tenure.domain import notices, rights, wording
from tenure.domain.activity import Asked
from tenure.domain.events import Event, Tag
from tenure.domain.notices import Kind, Notice
from tenure.domain.rights import Owner
from tenure.domain.rules import Rulebook
from tenure.services.languages import Language
from tenure.services.rendering import Rendering
from tenure.store import accounts, activity, rules
from tenure.store.db import Store, Transaction

PAGE: Final = 50
EXPORTED_MAX: Final = 50_000
"""Events in one file: some seconds of reading; whoever has more asks for them by time."""
_EXPORT_PAGE: Final = 1_000
_WHOLE: Final = frozenset(
    {
        *(Kind.KEY_ADDRESS_SEEN, Kind.KEY_OLD_SECRET_USED, Kind.KEY_REPORTED),
        *(Kind.KEY_QUARANTINED, Kind.TERM_ENDED, Kind.KEYS_REVOKED),
    }
)
"""The kinds of notice whose one line leaves out what matters."""
_COLUMNS: Final = (
    *("seq", "happened_at", "tag", "what", "who", "account_id", "key_id", "key", "details"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would reckon out, full width too (OWASP, CSV injection)."""


class Form(StrEnum):
    """How a file is written."""

    CSV = "csv"
    LINES = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One event in words: *title* in one line, what else there is to it in *details*.

    *actor* is whom the journal names, as far as the reader may know; *who* is that in words. The
    key's *label* is the one it had then, where the event says so, else the one it has.
    """

    seq: int
    happened_at_ms: int
    tag: Tag
    account_id: str | None
    key_id: str | None
    label: str | None
    title: str
    details: tuple[str, ...]
    actor: str
    who: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries, the latest first; *next_before* asks for the ones before them, None at the start."""

    entries: tuple[Entry, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What events are put into words with, besides themselves."""

    rulebook: Rulebook
    emails: Mapping[str, str]
    labels: Mapping[str, str]


class Activity:
    """What happened to accounts and keys, for their owners."""

    def __init__(self, store: Store, rendering: Rendering) -> None:
        """*store* is only read; *rendering* puts into words what is a notice too."""
        self._store, self._rendering = store, rendering

    def page(
        self,
        asked: Asked,
        reader: Owner,
        language: Language,
        *,
        before: int | None = None,
        most: int = PAGE,
    ) -> Page:
        """Return at *most* so many entries before a seq, the latest first; raises NotFound."""

        def read(tx: Transaction) -> tuple[list[Event], _Known]:
            accounts.get(tx, asked.account_id)
            found = activity.latest(tx, asked, before=before, most=most + 1)
            return found, _known(tx, found)

        found, known = self._store.read(read)
        entries = tuple(self._entry(event, reader, language, known) for event in found[:most])
        return Page(entries=entries, next_before=entries[-1].seq if len(found) > most else None)

    def export(
        self, asked: Asked, reader: Owner, language: Language, form: Form
    ) -> Iterator[bytes]:
        """Yield a file of all that is *asked* for, piece by piece; raises NotFound at once."""
        # The first page is read now, so that what does not exist is no file that breaks off.
        first = self.page(asked, reader, language, most=_EXPORT_PAGE)
        return self._pieces(first, asked, reader, language, form)

    def _pieces(
        self, page: Page, asked: Asked, reader: Owner, language: Language, form: Form
    ) -> Iterator[bytes]:
        if form is Form.CSV:
            yield _row(_COLUMNS)
        count = 0
        while True:
            for entry in page.entries:
                yield _row(_cells(entry)) if form is Form.CSV else _line(entry)
            count += len(page.entries)
            if page.next_before is None or count >= EXPORTED_MAX:
                return
            page = self.page(asked, reader, language, before=page.next_before, most=_EXPORT_PAGE)

    def _entry(self, event: Event, reader: Owner, language: Language, known: _Known) -> Entry:
        change = event.change
        notice = _notice(event, known)
        actor = rights.shown_actor(reader, change.actor, change.account_id)
        label = None if notice is None else notice.facts.get("label")
        title, details = self._said(event, notice, language, known)
        return Entry(
            seq=event.seq,
            happened_at_ms=change.happened_at_ms,
            tag=change.tag,
            account_id=change.account_id,
            key_id=change.key_id,
            label=None if label is None else str(label),
            title=title,
            details=details,
            actor=actor,
            who=_who(actor, language, known),
            body=rights.shown_body(reader, change.body),
        )

    def _said(
        self, event: Event, notice: Notice | None, language: Language, known: _Known
    ) -> tuple[str, tuple[str, ...]]:
        text_id = f"activity.{str(event.change.tag).replace(':', '_')}"
        if notice is None or text_id in language.texts:
            return language.say(text_id, **_parts(event, known)), ()
        said = self._rendering.told(notice, language, known.rulebook)
        details = said.items
        if notice.kind in _WHOLE:
            # The first line says that a language is missing, where one is.
            details = (*said.lines[language.missing is not None :], *details)
        return said.subject, details


def _known(tx: Transaction, found: Sequence[Event]) -> _Known:
    changes = [event.change for event in found]
    acting = [change.actor.split("/") for change in changes if "/" in change.actor]
    account_ids = {change.account_id for change in changes if change.account_id is not None}
    key_ids = {change.key_id for change in changes if change.key_id is not None}
    return _Known(
        rules.rulebook(tx),
        accounts.emails(tx, account_ids | {account_id for account_id, *_ in acting}),
        activity.labels(tx, key_ids | {by for _, *rest in acting for by in rest}),
    )


def _notice(event: Event, known: _Known) -> Notice | None:
    """Return the notice of *event*, with the label of its key."""
    notice = notices.of_event(event)
    if notice is None:
        return None
    label = known.labels.get(notice.key_id or "")
    known_as = {} if label is None else {"label": label}
    return replace(notice, facts={**known_as, **notice.facts})


def _parts(event: Event, known: _Known) -> dict[str, object]:
    body = event.change.body
    person, contact = _mapping(body.get("person")), _mapping(body.get("contact"))
    return {
        "account": known.emails.get(event.change.account_id or "", event.change.account_id),
        "email": person.get("email", ""),
        "address": contact.get("address", ""),
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _who(actor: str, language: Language, known: _Known) -> str:
    """Return who *actor* is: a person by the account's e-mail, a key by its label, or a part."""
    account_id, slash, by = actor.partition("/")
    if slash:
        email = known.emails.get(account_id, account_id)
        if not by.startswith("key_"):
            return email
        return language.say("activity.who.key", account=email, key=known.labels.get(by, by))
    if actor == rights.MASTER:
        return language.say("activity.who.master")
    return language.say(f"activity.who.{'system' if actor.startswith('tenure:') else 'operator'}")


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry.seq),
        wording.rfc3339(entry.happened_at_ms),
        str(entry.tag),
        entry.title,
        entry.who,
        entry.account_id or "",
        entry.key_id or "",
        entry.label or "",
        " ".join(entry.details),
    )


def _row(cells: Sequence[str]) -> bytes:
    written = io.StringIO()
    safe = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    csv.writer(written).writerow(safe)
    return written.getvalue().encode()


def _line(entry: Entry) -> bytes:
    members = {
        "seq": entry.seq,
        "happened_at_ms": entry.happened_at_ms,
        "tag": str(entry.tag),
        "what": entry.title,
        "details": list(entry.details),
        "actor": entry.actor,
        "who": entry.who,
        "account_id": entry.account_id,
        "key_id": entry.key_id,
        "body": dict(entry.body),
    }
    return json.dumps(members, ensure_ascii=False).encode() + b"\n"
