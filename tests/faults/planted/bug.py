"""What a planted bug is: a patch to a copy of the source, and the tests that have to see it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Swap:
    """In the module at *path* below `src/tenure`, *old* (there exactly once) becomes *new*."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A way to be wrong: its *number*, in words, as *swaps*; each test it is *caught_by* fails."""

    number: str
    words: str
    swaps: tuple[Swap, ...]
    caught_by: tuple[str, ...]
