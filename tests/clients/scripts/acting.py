"""
What the scripts of this directory share: one act a line in, what came of it a line out.

These modules run under another Python environment than the tests, the one a client's users have:
standard library and that client only. An act names its `call` and its `parameters`, as whom
(`api_key`, and `secret_key` or `private_key`), where (`base_url`), from which of the machine's
addresses (`source_address`) and how far the machine's clock is behind (`behind_s`).
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from unittest import mock

Act: TypeAlias = Mapping[str, Any]
Outcome: TypeAlias = Mapping[str, Any]


def serve(do: Callable[[Act], Outcome]) -> None:
    """*do* every act that standard input names, until it ends."""
    for line in sys.stdin:
        act = json.loads(line)
        with _clock_behind(act.get("behind_s", 0)):
            outcome = do(act)
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()


def came_back(result: object, headers: Mapping[str, str]) -> Outcome:
    """Say that the call returned *result*."""
    return {"result": result, "headers": _tenures(headers)}


def raised(
    error: Exception, status: int, code: int | None, message: str, headers: Mapping[str, str]
) -> Outcome:
    """Say that the call raised *error*, and what can be read off it."""
    return {
        "raised": type(error).__name__,
        "status": status,
        "code": code,
        "message": message,
        "headers": _tenures(headers),
    }


def come_from(session: Any, address: str | None) -> None:  # noqa: ANN401 - a requests.Session
    """Have the *session* of requests connect from *address*, one of this machine's."""
    if address is not None:
        session.get_adapter("http://").init_poolmanager(1, 1, source_address=(address, 0))


def _tenures(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name.lower(): value for name, value in headers.items() if name.lower().startswith("tenure-")
    }


@contextlib.contextmanager
def _clock_behind(seconds: float) -> Iterator[None]:
    """Let a machine's clock be wrong, as the client sees it."""
    right = time.time

    def wrong() -> float:
        return right() - seconds

    with mock.patch.object(time, "time", wrong):
        yield
