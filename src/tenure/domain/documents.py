"""
TOML files a venue writes, read so that every problem is named with its line.

`tomllib` forgets where a value stood, so the lines are found by a second, simple look at the text:
a table starts at its `[name]` or `[[name]]`, a key at `key =`. What the values mean is the
business of `catalog` and `rulebooks`.
"""

import datetime
import re
import tomllib
from dataclasses import dataclass, field

from tenure.domain.errors import Invalid, Problem

_HEADER = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")
_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([dhm])")
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000}


@dataclass(slots=True)
class Section:
    """
    One table of the file; asking it for a value notes a problem where the value will not do.

    Every `take_*` returns a harmless stand-in after noting a problem, so that a reader can go on
    and name the rest; `Document.finish` raises them all together.
    """

    name: str
    values: dict[str, object]
    line: int
    lines: dict[str, int]
    problems: list[Problem]
    _taken: set[str] = field(default_factory=set)

    def complain(self, key: str, message: str) -> None:
        """Note a problem with *key* of this table, at its line."""
        self.problems.append(Problem(f"line {self.lines.get(key, self.line)}", message))

    def _take(self, key: str) -> object:
        self._taken.add(key)
        return self.values.get(key)

    def take_text(self, key: str, *, default: str | None = None) -> str:
        """Return the non-empty text at *key*; without a *default* it must be there."""
        value = self._take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            self.complain(key, f"{self.name}: `{key}` must be a text that is not empty")
            return default or "?"
        return value

    def take_texts(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the list of texts at *key*, each once; empty only where *default* is empty."""
        value = self._take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.complain(key, f"{self.name}: `{key}` must be a list of texts")
            return default or ()
        if not value and default != ():
            self.complain(key, f"{self.name}: `{key}` must name at least one")
        if len(set(value)) != len(value):
            self.complain(key, f"{self.name}: `{key}` names something twice")
        return tuple(value)

    def take_flag(self, key: str) -> bool:
        """Return the boolean at *key*, false where it is absent."""
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            self.complain(key, f"{self.name}: `{key}` must be true or false")
        return value is True

    def take_instant_ms(self, key: str) -> int:
        """Return the instant at *key* (ms, UTC): an RFC 3339 date-time with its zone."""
        value = self._take(key)
        if not isinstance(value, datetime.datetime) or value.tzinfo is None:
            self.complain(
                key, f"{self.name}: `{key}` must be an instant with its zone: 2021-07-09T00:00:00Z"
            )
            return 0
        return instant_ms(value)

    def take_mapping(self, key: str) -> dict[str, str]:
        """Return the table of texts at *key*, empty where it is absent."""
        value = self._take(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            self.complain(key, f"{self.name}: `{key}` must be a table of texts")
            return {}
        return dict(value)

    def finish(self) -> None:
        """Complain of every key nobody asked for: a typo must not pass for a default."""
        for key in sorted(self.values.keys() - self._taken):
            self.complain(key, f"{self.name}: `{key}` is not known here")


@dataclass(frozen=True, slots=True)
class Document:
    """The tables of one file, by name, and the problems met so far."""

    sections: dict[str, list[Section]]
    problems: list[Problem]

    def take(self, name: str) -> list[Section]:
        """Return the tables called *name*, in file order."""
        return self.sections.get(name, [])

    def finish(self, *known: str) -> None:
        """Raise Invalid naming every problem, unknown tables and keys included."""
        for name, sections in self.sections.items():
            if name not in known:
                line = sections[0].line
                self.problems.append(Problem(f"line {line}", f"table `{name}` is not known here"))
                continue
            for section in sections:
                section.finish()
        if self.problems:
            raise Invalid.of(sorted(self.problems, key=_line_number))


def read(text: str) -> Document:
    """
    Read the TOML *text* into its tables.

    Raises Invalid for what is no TOML, naming the line.
    """
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Besides its own error the library lets numbers of thousands of digits and lists nested
        # a thousand deep fail in the interpreter's way.
        found = re.search(r"\(at line (\d+), column \d+\)\Z", str(error))
        line = found.group(1) if found else str(text.count("\n") + 1)
        raise Invalid(f"line {line}", f"this is not TOML: {error}") from error

    problems: list[Problem] = []
    places = _places(text)
    _, top_lines = places[""][0]
    sections: dict[str, list[Section]] = {}
    for name, value in values.items():
        top_line = top_lines.get(name, 1)
        tables = value if isinstance(value, list) else [value]
        if not tables or not all(isinstance(table, dict) for table in tables):
            problems.append(Problem(f"line {top_line}", f"`{name}` stands outside any table"))
            continue
        sections[name] = []
        for index, table in enumerate(tables):
            found_at = places.get(name, [])
            line, lines = found_at[index] if index < len(found_at) else (top_line, {})
            sections[name].append(Section(name, table, line, lines, problems))
    return Document(sections, problems)


def instant_ms(moment: datetime.datetime) -> int:
    """Return *moment*, which carries its zone, as integer milliseconds UTC, without floats."""
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (moment - epoch) // datetime.timedelta(milliseconds=1)


def lifetime_ms(text: str) -> int | None:
    """Return the length `30d`, `12h` or `45m` says (ms), or None where it says none."""
    found = _LIFETIME.fullmatch(text)
    return int(found.group(1)) * _UNIT_MS[found.group(2)] if found else None


def _places(text: str) -> dict[str, list[tuple[int, dict[str, int]]]]:
    lines: dict[str, int] = {}
    places: dict[str, list[tuple[int, dict[str, int]]]] = {"": [(1, lines)]}
    # Not splitlines(), which also ends a line at characters that TOML allows within one.
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            name, _, rest = header.group(1).partition(".")
            if rest:  # `[[permission.wire]]` belongs to the permission above it.
                lines.setdefault(rest, number)
                continue
            lines = {}
            places.setdefault(name, []).append((number, lines))
        elif key := _KEY.match(line):
            lines.setdefault(key.group(1), number)
    return places


def _line_number(problem: Problem) -> int:
    return int(problem.field.removeprefix("line "))
