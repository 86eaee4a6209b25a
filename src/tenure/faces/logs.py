"""How Tenure logs: one JSON object a line, to standard error, controls escaped, no secrets."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

SCRUBBED: Final = frozenset(
    {"signature", "authorization", "secret", "secret_key", "operator_token", "private_key"}
)
"""Names whose values never reach a log, whoever passes them (SECURITY T34)."""

log = structlog.get_logger()


def configure() -> None:
    """Set up logging for this process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            scrub,
            structlog.processors.JSONRenderer(),
        ],
        # Refusals before proof are written at debug: anybody can cause as many as he likes.
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace what must not be written down."""
    return {name: "***" if name.lower() in SCRUBBED else value for name, value in event.items()}
