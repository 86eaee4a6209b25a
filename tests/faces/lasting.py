"""
Applications that are built once and stand on whatever house a test puts under them.

Building one takes longer than most of what is asked of it. It keeps the parts it was given when it
was built, so it is given parts that pass everything on to those of the house that is there now.
"""

from collections.abc import Callable
from typing import Any, cast

from litestar import Litestar
from typing_extensions import override

from tenure.wiring import Worker


class _Part:
    """Passes everything on to what *find* finds, and says it is that."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    @property  # type: ignore[misc]  # what `isinstance` asks, of whoever stands in for another
    @override
    def __class__(self) -> Any:
        return type(self._find())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        find = self._find
        value = getattr(find(), name)
        module = type(value).__module__
        # What is of the domain is a value: the same wherever the settings are the same.
        is_part = module.startswith("tenure.") and not module.startswith("tenure.domain.")
        return _Part(lambda: getattr(find(), name)) if is_part else value


class Lasting:
    """What *build* builds, once: on the worker that was put under it last."""

    def __init__(self, build: Callable[[Worker], Litestar]) -> None:
        self._build = build
        self._app: Litestar | None = None
        self._worker: Worker | None = None

    def on(self, worker: Worker) -> Litestar:
        """Return it, standing on *worker* from now on, whose settings are those it always has."""
        self._worker = worker
        if self._app is None:
            self._app = self._build(cast("Worker", _Part(lambda: self._worker)))
        return self._app
