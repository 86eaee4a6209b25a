"""
The exceptions for requests that cannot be carried out.

    TenureError
    |-- Invalid           it parsed and makes no sense: one or more problems, each with its field
    |-- NotFound          no such thing, or the caller may not know that there is
    |-- Conflict          the world moved (`stale`), or the owner must confirm first
    |-- Unauthenticated   no proof of who is asking, on the management face
    |-- Forbidden         known, but not allowed, on the management face
    `-- Unavailable       the store is gone, the keyring too old, or secrets are sealed: fail closed

A refusal to let a signed request act is none of these: it is a value (see `decide`). The first
line of a class's docstring is its default public message; nothing here knows HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from typing_extensions import override

_Answer = TypeVar("_Answer")
_Otherwise = TypeVar("_Otherwise")


class TenureError(Exception):
    """Something went wrong."""

    code = "error"

    def __init__(self, message: str = "", *, context: str = "") -> None:
        """*message* is public; *context* is for the log alone."""
        # `python -OO` leaves no docstrings: then the code has to do.
        self.message = message or (self.__doc__ or self.code).strip().splitlines()[0]
        self.context = context
        super().__init__(self.message)

    @override
    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Why:
    """
    What is wrong, for pages that say it in other languages than a message does.

    *name* is what it is called, `label_length`, empty where no page says it; *parts* are what its
    sentence is about, such as the most characters there may be.
    """

    name: str = ""
    parts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field of what was sent, or one line of a file."""

    field: str
    message: str
    why: Why = Why()


class Invalid(TenureError):
    """What was sent does not make sense."""

    code = "invalid"

    def __init__(
        self,
        field: str,
        message: str,
        *,
        why: Why | None = None,
        more: tuple[Problem, ...] = (),
        rule_id: str = "",
    ) -> None:
        """*more* holds the further problems; *rule_id* is of the rule that does not allow it."""
        super().__init__(message)
        self.field, self.rule_id = field, rule_id
        self.problems = (Problem(field, message, why or Why()), *more)

    @classmethod
    def of(cls, problems: list[Problem], *, rule_id: str = "") -> "Invalid":
        """Raise-ready error for a non-empty list of *problems*; *rule_id* forbids the first."""
        first, *more = problems
        return cls(first.field, first.message, why=first.why, more=tuple(more), rule_id=rule_id)

    @override
    def __str__(self) -> str:
        return "; ".join(f"{problem.field}: {problem.message}" for problem in self.problems)


class Gathered:
    """What several looks find wrong, told at once; nothing is lost where only one does."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self._errors: list[Invalid] = []

    def look(self, look: Callable[[], _Answer], otherwise: _Otherwise) -> _Answer | _Otherwise:
        """Return what *look* returns, *otherwise* where it raises Invalid, which is kept."""
        try:
            return look()
        except Invalid as error:
            self._errors.append(error)
            return otherwise

    def settle(self) -> None:
        """Raise Invalid with every problem that was found, if any."""
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            problems = [problem for error in self._errors for problem in error.problems]
            raise Invalid.of(problems, rule_id=self._errors[0].rule_id)


class NotFound(TenureError):
    """There is no such thing, or it is not yours to see."""

    code = "not_found"


class Conflict(TenureError):
    """Something changed since you looked."""

    def __init__(self, code: str, message: str = "", *, plan: object = None) -> None:
        """*code* is `stale`, `repeated`, `revoked`, `exists` or the like; *plan* is shown."""
        super().__init__(message)
        self.code = code
        self.plan = plan


class Unauthenticated(TenureError):
    """Say who you are: send `Authorization: Bearer <operator token>`, or sign natively."""

    code = "unauthenticated"

    def __init__(self, message: str = "", *, code: str = "", context: str = "") -> None:
        """*code*, where given, is why somebody cannot sign in: `wrong`, `locked` or `expired`."""
        super().__init__(message, context=context)
        self.code = code or self.code


class Forbidden(TenureError):
    """You are known, but this is not yours to do."""

    code = "forbidden"

    def __init__(self, message: str = "", *, code: str = "", context: str = "") -> None:
        """*code*, where given, says why: `step_up` asks for a fresh second factor first."""
        super().__init__(message, context=context)
        self.code = code or self.code


class Unavailable(TenureError):
    """Tenure cannot answer safely just now; try again shortly."""

    def __init__(self, code: str, message: str = "", *, context: str = "") -> None:
        """
        *code* is what is wrong.

        `store`, `stale`, `clock`, `sealed`, `keyring`, `replay`, `restored` or `github_keys`; of a
        start `listen`, `start` or `ended`.
        """
        super().__init__(message, context=context)
        self.code = code
