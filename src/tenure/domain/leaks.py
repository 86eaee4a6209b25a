"""
Reports that an API key was found where it should not be: what one says, and what is done about it.

What scanners find is the API key, whose prefix they look for. It is public by design and proves
nothing; but a key that signs by HMAC seldom stands anywhere without its secret beside it, while
the private half of an RSA or Ed25519 key has no reason to be there. Hence one action for each.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tenure.domain.model import ApiKey, KeyId, KeyType

PLACES_SHOWN_MAX: Final = 20
"""Places an event names; of a secret that was copied a thousand times they all say the same."""
TEXT_LENGTH_MAX: Final = 2_048
"""Of a place's URL and of what kind it is: more is cut off, for the report must not be lost."""


class LeakAction(StrEnum):
    """What a leak report does to the key it names."""

    REVOKE = "revoke"
    QUARANTINE = "quarantine"
    TELL = "tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    Somebody, the *reporter*, found the key *key_id* at *url*; *source* says in what kind of place.

    *found_at_ms* is when, None where nobody said.
    """

    key_id: KeyId
    reporter: str
    url: str = ""
    source: str = ""
    found_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What is done about keys with a shared secret (*hmac*), and about all others."""

    hmac: LeakAction = LeakAction.REVOKE
    asymmetric: LeakAction = LeakAction.TELL

    def upon(self, key: ApiKey) -> LeakAction:
        """Return what a report does to *key*."""
        return self.hmac if key.key_type is KeyType.HMAC else self.asymmetric


def digest(report: Report) -> str:
    """
    Return what makes two reports the same: who found which key where (SHA-256, hex).

    Content alone. A signature would be no name for a report: of every valid ECDSA signature anybody
    can make a second one (SECURITY T19).
    """
    said = [report.reporter, report.key_id, report.url, report.source]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def shown(text: str | None) -> str:
    """Return *text* from outside as it may be kept: cut, and without what cannot be printed."""
    cut = (text or "")[:TEXT_LENGTH_MAX]
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in cut)


def reported(reports: Sequence[Report], action: LeakAction) -> Mapping[str, object]:
    """Return the body of the event that records *reports* about one key, and the *action*."""
    return {
        "action": str(action),
        "reports": len(reports),
        "places": [
            {
                "reporter": report.reporter,
                "url": report.url,
                "source": report.source,
                "found_at_ms": report.found_at_ms,
            }
            for report in reports[:PLACES_SHOWN_MAX]
        ],
    }


def challenge(api_key: str) -> bytes:
    """
    Return the fixed text that whoever holds a key's private half signs to report it as leaked.

    It is no request and looks like none, so a signature over it can do nothing else.
    """
    return f"Tenure: report this API key as leaked: {api_key}".encode()
