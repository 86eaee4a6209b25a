"""Instants in forms: as a browser's field for date and time has them, in the reader's zone."""

import datetime
from typing import Final

from tenure.domain.errors import Invalid
from tenure.services.languages import Language

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS: Final = datetime.timedelta(milliseconds=1)


def read(field: str, text: str, language: Language) -> int | None:
    """
    Return the instant (ms, UTC) that *text* names in the reader's zone, None for nothing.

    Of an hour that a change of the clock repeats the first is meant. Raises Invalid for *field*.
    """
    if not text.strip():
        return None
    try:
        local = datetime.datetime.fromisoformat(text.strip())
        moment = local if local.tzinfo else local.replace(tzinfo=language.zone)
        return (moment.astimezone(datetime.UTC) - _EPOCH) // _MS
    except (ValueError, OverflowError) as error:
        raise Invalid(field, language.say("operate.wrong.instant")) from error


def written(at_ms: int | None, language: Language) -> str:
    """Return an instant as such a field has it, to the minute; nothing for None."""
    if at_ms is None:
        return ""
    local = (_EPOCH + at_ms * _MS).astimezone(language.zone)
    return local.strftime("%Y-%m-%dT%H:%M")
