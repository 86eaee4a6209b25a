"""
Pushing checkpoints out of the box: a log whose head nobody else holds proves nothing (D16).

To a file, a directory or a web address, each tried until it has the latest one. How a POST is sent
is handed in. A place that holds more than this journal has is never written over: it knows of
events that are gone here.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import httpx
import structlog

from tenure import metrics
from tenure.clock import Clock
from tenure.domain import checkpoints as reading
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Invalid
from tenure.services import keyfiles
from tenure.services.outbound import egress
from tenure.settings import Settings
from tenure.store import checkpoints, holds
from tenure.store.checkpoints import Signed
from tenure.store.db import Store, Transaction

RETRY_MS_MAX: Final = 300_000
_RETRY_MS: Final = 1_000
_TIMEOUT_S: Final = 10.0

log = structlog.get_logger()


class PushError(Exception):
    """A place did not take the checkpoint."""


class Place(Protocol):
    """Somewhere else that holds checkpoints."""

    name: str
    """What logs call it."""

    def push(self, signed: Signed) -> None:
        """Hand it over; raises PushError."""


Post = Callable[[str, bytes], int]
"""Sends bytes to a URL and returns the HTTP status; raises OSError where it cannot be reached."""


Agree = Callable[[Checkpoint], bool]
"""Whether the journal that is pushed is one that a checkpoint held elsewhere was signed over."""


class Files:
    """A file that holds the latest checkpoint, or a directory that collects them all."""

    def __init__(self, path: Path, agrees: Agree = lambda _: True) -> None:
        """*path* is a directory where it is one already; *agrees* judges what lies there."""
        self._path, self._agrees, self.name = path, agrees, "checkpoint_file"

    def push(self, signed: Signed) -> None:
        """Put it there, whole or not at all."""
        try:
            self._require_same_history(reading.claims(_bytes(signed)))
            if self._path.is_dir():
                self._add(signed)
            else:
                self._replace(signed)
        except OSError as error:
            raise PushError(str(error)) from error

    def _require_same_history(self, pushed: Checkpoint) -> None:
        for file in _files(self._path, pushed.origin):
            with contextlib.suppress(FileNotFoundError, Invalid):
                held = reading.claims(file.read_bytes())
                is_ours = held.origin == pushed.origin and held.size <= pushed.size
                if is_ours and not self._agrees(held):
                    raise PushError(f"{file} is of another history than this journal's")
                return

    def _add(self, signed: Signed) -> None:
        origin = reading.claims(_bytes(signed)).origin
        path = self._path / f"{_prefix(origin)}{signed.size:012d}.txt"
        with contextlib.suppress(FileNotFoundError):
            if path.read_text(encoding="utf-8") == signed.note:
                return
            raise PushError(f"{path} holds another checkpoint of as many events")
        _write(path, signed.note)

    def _replace(self, signed: Signed) -> None:
        with contextlib.suppress(FileNotFoundError, Invalid):
            held = reading.claims(self._path.read_bytes())
            if held.size > signed.size and held.origin == reading.claims(_bytes(signed)).origin:
                raise PushError(f"{self._path} holds a checkpoint of {held.size} events, more")
        _write(self._path, signed.note)


class Web:
    """A web address that takes checkpoints as POSTs of plain text."""

    def __init__(self, url: str, post: Post) -> None:
        """*post* sends; who may be sent to is its business."""
        self._url, self._post, self.name = url, post, "checkpoint_url"

    def push(self, signed: Signed) -> None:
        """Send it; anything but a 2xx is a failure."""
        try:
            status = self._post(self._url, _bytes(signed))
        except OSError as error:
            raise PushError(str(error)) from error
        if not httpx.codes.is_success(status):
            raise PushError(f"answered {status}")


class Pusher:
    """Brings the latest checkpoint to every place, however often it takes."""

    def __init__(self, store: Store, clock: Clock, places: Sequence[Place]) -> None:
        """*places* are tried in order; one that fails keeps none of the others from it."""
        self._store, self._clock, self._places = store, clock, places
        self._held: dict[str, int] = {}
        # By place: how often it failed in a row, and when it is tried again (ns of elapsed time).
        self._failed: dict[str, tuple[int, int]] = {}

    def step(self) -> None:
        """Push what is not out yet; a place that failed is tried again later, ever more rarely."""
        signed = self._store.read(_unpushed)
        if signed is None or not self._places:
            return
        for place in self._places:
            if self._held.get(place.name) != signed.size:
                self._try(place, signed)
        if all(self._held.get(place.name) == signed.size for place in self._places):
            now_ms = self._clock.now_ms()
            self._store.write(lambda tx: checkpoints.mark_pushed(tx, signed.size, now_ms))

    def _try(self, place: Place, signed: Signed) -> None:
        times, not_before_ns = self._failed.get(place.name, (0, 0))
        if self._clock.elapsed_ns() < not_before_ns:
            return
        try:
            place.push(signed)
        except PushError as error:
            metrics.count_checkpoint("push_failed")
            wait_ms = min(_RETRY_MS << min(times, 16), RETRY_MS_MAX)
            self._failed[place.name] = (
                times + 1,
                self._clock.elapsed_ns() + wait_ms * 1_000_000,
            )
            log.warning(
                "a checkpoint is not out",
                place=place.name,
                size=signed.size,
                error=str(error),
                again_in_ms=wait_ms,
            )
        else:
            metrics.count_checkpoint("pushed")
            self._failed.pop(place.name, None)
            self._held[place.name] = signed.size


def places(settings: Settings, agrees: Agree) -> list[Place]:
    """Return where *settings* push checkpoints to; *agrees* judges what lies there already."""
    found: list[Place] = []
    if settings.checkpoint_file is not None:
        found.append(Files(settings.checkpoint_file, agrees))
    if settings.checkpoint_url:
        found.append(Web(settings.checkpoint_url, poster(settings)))
    return found


def furthest(path: Path | None, key: LogKey) -> Checkpoint | None:
    """
    Return the checkpoint of most events that was pushed to *path*, file or directory, by *key*.

    What is unreadable there, or somebody else's, is passed over.
    """
    if path is None:
        return None
    for file in _files(path, key.name):
        with contextlib.suppress(FileNotFoundError, Invalid):
            return reading.read(file.read_bytes(), [key])
    return None


def poster(settings: Settings) -> Post:
    """
    Return what sends plain text, and follows no redirects.

    Through the proxy and trusting the authorities that *settings* name. The address is the
    operator's own choice, in a network of theirs perhaps: unlike a webhook's it is not judged.
    """
    trust, proxy = egress.trust(settings.egress_trust_file), settings.egress_proxy or None

    def post(url: str, body: bytes) -> int:
        headers = {"content-type": "text/plain; charset=utf-8"}
        try:
            with httpx.Client(
                trust_env=False, timeout=_TIMEOUT_S, verify=trust, proxy=proxy
            ) as client:
                return client.post(url, content=body, headers=headers).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The address may hold a secret of the receiver's: only the kind of trouble is told.
            raise OSError(type(error).__name__) from error

    return post


def _files(path: Path, origin: str) -> list[Path]:
    """Return where checkpoints of *origin* lie, those of most events first, by their names."""
    pattern = f"{_prefix(origin)}*.txt"
    return sorted(path.glob(pattern), reverse=True) if path.is_dir() else [path]


def _prefix(origin: str) -> str:
    # Several logs may share a directory, and one that was restored goes on under another name.
    return f"checkpoint-{hashlib.sha256(origin.encode()).hexdigest()[:8]}-"


def _unpushed(tx: Transaction) -> Signed | None:
    signed = checkpoints.latest(tx)
    is_out = signed is None or signed.pushed_at_ms is not None
    return None if is_out or holds.held(tx) else signed


def _bytes(signed: Signed) -> bytes:
    return signed.note.encode()


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    keyfiles.keep_directory(path.parent)
