"""
An event as one line of text: what the journal is exported as, and what its Merkle tree holds.

A line is JSON in one spelling (sorted names, no blanks, ASCII), so that whoever has it has the very
bytes that were hashed: the leaf of event `seq` is its line without the line feed. Here an event is
a `Record` of plain texts and numbers, so that a tag that only a newer Tenure knows is read,
exported and checked all the same. What tags there are is in `events`.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

LINE_BYTES_MAX: Final = 16 * 2**20
"""More than any event; a file without line feeds is not read into memory whole."""

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: object) -> str:
    """Return *value* as JSON in one spelling: sorted names, no blanks, ASCII."""
    return _ENCODER.encode(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event as it is stored; *body* is JSON in its one spelling."""

    seq: int
    recorded_at_ms: int
    tag: str
    actor: str
    happened_at_ms: int
    account_id: str | None
    key_id: str | None
    body: str
    previous_hash: str
    hash: str

    @property
    def content(self) -> dict[str, Any]:
        """The body as JSON values."""
        said: dict[str, Any] = json.loads(self.body)
        return said

    @property
    def line(self) -> str:
        """The event as one line, without the line feed."""
        # Put together around the body, which has its one spelling already and is most of it.
        return (
            f'{{"account_id":{_text(self.account_id)},"actor":{_text(self.actor)},'
            f'"body":{self.body},"happened_at_ms":{self.happened_at_ms},'
            f'"hash":{_text(self.hash)},"key_id":{_text(self.key_id)},'
            f'"previous_hash":{_text(self.previous_hash)},'
            f'"recorded_at_ms":{self.recorded_at_ms},"seq":{self.seq},"tag":{_text(self.tag)}}}'
        )


_NAMES: Final = frozenset(Record.__dataclass_fields__)
_NUMBERS: Final = ("seq", "recorded_at_ms", "happened_at_ms")
_TEXTS: Final = ("tag", "actor", "previous_hash", "hash")
_TEXTS_OR_NONE: Final = ("account_id", "key_id")


def digest(record: Record) -> str:
    """Return the SHA-256 (hex) over everything *record* says and the hash before it."""
    said = (
        f"[{_text(record.previous_hash)},{record.seq},{record.recorded_at_ms},"
        f"{_text(record.tag)},{_text(record.actor)},{record.happened_at_ms},"
        f"{_text(record.account_id)},{_text(record.key_id)},{record.body}]"
    )
    return hashlib.sha256(said.encode()).hexdigest()


def read(line: bytes) -> Record:
    """Return the event in *line*, without its line feed; raises ValueError, saying what is off."""
    members, spelled = _read(line.decode("ascii", "replace"))
    if members.keys() != _NAMES:
        raise ValueError("is no event: it has other members")
    if spelled.encode() != line:
        raise ValueError("is not spelled as it was recorded")
    if not isinstance(members["body"], dict):
        raise ValueError("its body is no object")  # noqa: TRY004 - a wrong text, not a wrong type
    return _of({**members, "body": canonical(members["body"])})


def of(members: dict[str, Any]) -> Record:
    """
    Return the event made of *members*, its body a text; raises ValueError where one is not so.

    A database may hold anything in any column, once somebody wrote into it by hand.
    """
    if _read(members["body"])[1] != members["body"]:
        raise ValueError("its body is not spelled as it was recorded")
    return _of(members)


def _of(members: dict[str, Any]) -> Record:
    for name in _NUMBERS:
        if type(members[name]) is not int:
            raise ValueError(f"{name} is no number")
    for name in _TEXTS:
        if type(members[name]) is not str:
            raise ValueError(f"{name} is no text")
    for name in _TEXTS_OR_NONE:
        if members[name] is not None and type(members[name]) is not str:
            raise ValueError(f"{name} is no text")
    return Record(**members)


def _read(text: object) -> tuple[dict[str, Any], str]:
    """Return the object that is *text*, and how it is spelled; raises ValueError for no object."""
    try:
        said = json.loads(text)  # type: ignore[arg-type]  # whatever a column holds
        spelled = canonical(said)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError("is no JSON") from error
    if not isinstance(said, dict):
        raise ValueError("is no object of JSON")  # noqa: TRY004 - a wrong text, not a wrong type
    return said, spelled


def _text(value: str | None) -> str:
    return "null" if value is None else json.dumps(value)
