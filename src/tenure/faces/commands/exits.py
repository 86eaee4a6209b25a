"""
What a command ends with: the exit codes, and errors as lines a person can act on.

The one place that knows both; `tenure --help` and docs/reference/cli.md show the same table.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from tenure.domain import errors
from tenure.domain.errors import TenureError


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    REFUSED = 1
    INVALID = 2
    UNCONFIRMED = 3
    UNREACHABLE = 4
    CONFLICT = 5
    INTERRUPTED = 130


MEANINGS: Final = {
    Exit.DONE: "done",
    Exit.REFUSED: "refused, or a check failed, or a row of the demo differs",
    Exit.INVALID: "what was given does not make sense",
    Exit.UNCONFIRMED: "it has consequences that nobody confirmed; nothing was changed",
    Exit.UNREACHABLE: "the server, or the store, cannot be reached or cannot answer safely",
    Exit.CONFLICT: "there is no such thing, or it is not as it was any more",
    Exit.INTERRUPTED: "interrupted",
}

CODES: Final[tuple[tuple[type[TenureError], Exit], ...]] = (
    (errors.Invalid, Exit.INVALID),
    (errors.NotFound, Exit.CONFLICT),
    (errors.Conflict, Exit.CONFLICT),
    (errors.Unauthenticated, Exit.REFUSED),
    (errors.Forbidden, Exit.REFUSED),
    (errors.Unavailable, Exit.UNREACHABLE),
)


def code_of(error: TenureError) -> Exit:
    """Return the exit code for *error*."""
    if isinstance(error, errors.Conflict) and error.code == "confirmation_required":
        return Exit.UNCONFIRMED
    return next((code for kind, code in CODES if isinstance(error, kind)), Exit.REFUSED)


def lines_of(error: TenureError) -> Iterator[str]:
    """Yield *error* as lines: every field with what is wrong with it, then what lies behind."""
    if isinstance(error, errors.Invalid):
        for problem in error.problems:
            yield f"{problem.field}: {problem.message}"
    else:
        yield error.message
    # What is for the log alone on a server is for whoever typed the command here.
    if error.context:
        yield f"({error.context})"


def epilog() -> str:
    r"""Return the table of exit codes as `--help` shows it; `\b` keeps its lines as they are."""
    lines = [f"  {code.value:<5}{meaning}" for code, meaning in MEANINGS.items()]
    return "\n".join(["\b", "Exit codes:", *lines])
