"""
The languages Tenure speaks to owners in: texts, dates, lengths of time, by Babel.

The texts are gettext catalogues in `tenure/texts`, a directory a language and in it a file for each
part of Tenure that speaks, read when they are first needed: there is no build step. Where an
owner's language is missing, English stands in and says so.
"""

import datetime
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, Literal

from babel import Locale, UnknownLocaleError, dates, numbers, units
from babel.messages.pofile import read_po

from tenure.domain import wording
from tenure.domain.errors import Invalid

ENGLISH: Final = "en"
TEXTS: Final[Mapping[str, str]] = {"en": "en", "es": "es", "ja": "ja", "zh_Hans": "zh_CN"}
"""The languages there are texts in: how a locale begins, and the name of its directory."""

_SHORT_UNITS: Final = frozenset({"ja", "zh"})
"""CLDR has one form of `7 days` for these, which Babel finds under its short name alone."""
_UNITS: Final = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))

_CONTINENTS: Final = frozenset(
    {
        *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe"),
        *("Indian", "Pacific"),
    }
)


@dataclass(frozen=True, slots=True)
class Language:
    """How one reader is spoken to: words, dates and the reader's time zone."""

    tag: str
    locale: Locale
    zone: datetime.tzinfo
    texts: Mapping[str, str]
    missing: str | None
    is_page: bool = False
    """Whether it is for a page, which says once which zone its times are in; a message does not."""

    def say(self, text_id: str, **parts: object) -> str:
        """Return the text called *text_id* with its placeholders filled in."""
        return self.texts[text_id].format_map({name: str(part) for name, part in parts.items()})

    def instant(self, at_ms: int) -> str:
        """
        Return an instant (ms, UTC) in the reader's zone and, where it is another one, in UTC.

        On a page as every other `moment` there.
        """
        if self.is_page:
            return self.moment(at_ms)
        moment = _utc(at_ms)
        shown = dates.format_datetime(moment, "long", tzinfo=self.zone, locale=self.locale)
        # CLDR puts narrow blanks into times, which not every mail program has a glyph for.
        shown = shown.replace("\u202f", " ")
        if moment.astimezone(self.zone).utcoffset() == datetime.timedelta(0):
            return shown
        return f"{shown} ({wording.instant(at_ms)})"

    def moment(self, at_ms: int) -> str:
        """Return an instant (ms, UTC) in the reader's zone, to the minute: `21 Dec 2021, 10:05`."""
        local = _utc(at_ms).astimezone(self.zone)
        day = dates.format_date(local, "medium", locale=self.locale)
        time = dates.format_time(local, "short", tzinfo=self.zone, locale=self.locale)
        # As CLDR joins the two, which is not the same everywhere.
        joined = dates.get_datetime_format("medium", locale=self.locale)
        return str(joined).format(time, day).replace("\u202f", " ").replace("'", "")

    def day(self, at_ms: int) -> str:
        """Return the day of an instant (ms, UTC) in the reader's zone: `21 Dec 2021`."""
        local = _utc(at_ms).astimezone(self.zone)
        return dates.format_date(local, "medium", locale=self.locale)

    def left(self, length_ms: int) -> str:
        """
        Return what is left (ms) in words: `30 days`, `47 hours`, `2 minutes`.

        Days to the nearest, so that what was just begun is not told as a day less; all else rounded
        down, as it is the end that is near then.
        """
        for unit_ms, unit in _UNITS:
            # Two of a unit at least, so that the last day counts down by the hour.
            if length_ms >= 2 * unit_ms or unit == "second":
                half_ms = unit_ms // 2 if unit == "day" else 0
                return self._units((max(length_ms, 0) + half_ms) // unit_ms, unit)
        raise AssertionError(length_ms)

    def midnight_ms(self, day: datetime.date) -> int:
        """Return when *day* begins in the reader's zone (ms, UTC)."""
        begins = datetime.datetime.combine(day, datetime.time(), self.zone)
        return int(begins.timestamp()) * 1000

    def zone_name(self, at_ms: int) -> str:
        """
        Return how the reader's zone is called, in summer as in winter: `Central European Time`.

        One that is no region's, such as UTC, is called as it is then.
        """
        region, _, place = str(self.zone).partition("/")
        is_regions = bool(place) and region != "Etc"
        return dates.get_timezone_name(
            self.zone if is_regions else _utc(at_ms).astimezone(self.zone),
            "long",
            locale=self.locale,
        )

    def length(self, length_ms: int) -> str:
        """Return a length of time (ms) in the largest unit that tells it exactly: `7 days`."""
        unit_ms, unit = next(
            (found for found in _UNITS if length_ms % found[0] == 0), (1, "millisecond")
        )
        return self._units(length_ms // unit_ms, unit)

    def number(self, value: float) -> str:
        """Return a number as the reader groups its digits."""
        return numbers.format_decimal(value, locale=self.locale)

    def _units(self, count: int, unit: str) -> str:
        form: Literal["short", "long"] = "short" if self.locale.language in _SHORT_UNITS else "long"
        return units.format_unit(count, f"duration-{unit}", form, locale=self.locale)


def language(tag: str, time_zone: str) -> Language:
    """
    Return how to speak to a reader of *tag* (`es-MX`) who lives in *time_zone* (an IANA name).

    Never fails: an unknown zone is read as UTC, and where there are no texts in the language they
    are English, and *missing* names the language.
    """
    locale = _locale(tag)
    catalogue = _catalogue_of(locale)
    if locale is None or catalogue is None:
        english = Locale.parse(ENGLISH)
        return Language(ENGLISH, english, _zone(time_zone), _texts(ENGLISH), _named(tag, locale))
    return Language(
        str(locale).replace("_", "-"), locale, _zone(time_zone), _texts(catalogue), None
    )


def require_time_zone(name: str) -> str:
    """Return *name* if it is an IANA time zone, `Asia/Tokyo`; raises Invalid `time_zone`."""
    try:
        dates.get_timezone(name)
    except (LookupError, ValueError, OSError) as error:
        raise Invalid("time_zone", "must be an IANA time zone such as Asia/Tokyo or UTC") from error
    return name


@cache
def time_zones() -> tuple[str, ...]:
    """Return the IANA time zones that are places, to choose from."""
    known = zoneinfo.available_timezones()
    return ("UTC", *sorted(name for name in known if name.partition("/")[0] in _CONTINENTS))


@lru_cache(maxsize=1_000)
def _zone(name: str) -> datetime.tzinfo:
    try:
        return dates.get_timezone(name)
    except (LookupError, ValueError, OSError):
        return datetime.UTC  # Known when it was saved; this machine's zones may be others.


@lru_cache(maxsize=1_000)
def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return None


def _catalogue_of(locale: Locale | None) -> str | None:
    if locale is None:
        return None
    script = locale.script
    if locale.language == "zh" and script is None:
        # CLDR: these write Chinese in traditional signs, everybody else in simplified ones.
        script = "Hant" if locale.territory in {"TW", "HK", "MO"} else "Hans"
    return TEXTS.get(f"zh_{script}" if locale.language == "zh" else locale.language)


def _named(tag: str, locale: Locale | None) -> str:
    """Return a language by its English and its own name, by its tag where nobody knows it."""
    if locale is None or locale.english_name is None:
        return tag
    own = locale.get_display_name(locale)
    return locale.english_name if own is None else f"{locale.english_name}, {own}"


@cache
def _texts(catalogue: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for file in catalogue_files(catalogue):
        with file.open("rb") as opened:
            read = read_po(opened, locale=catalogue, abort_invalid=True)
        found.update({str(message.id): str(message.string) for message in read if message.id})
    return found


def catalogue_files(catalogue: str) -> list[Traversable]:
    """Return the files that hold the texts of one of `TEXTS`, by name."""
    parts = resources.files("tenure").joinpath(f"texts/{catalogue}").iterdir()
    return sorted((part for part in parts if part.name.endswith(".po")), key=lambda part: part.name)


def _utc(at_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC)
