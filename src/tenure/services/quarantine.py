"""
Quarantine: what to do about a key that may have leaked, before anybody is sure.

A key in quarantine may read and cancel, and nothing else, until it is released; its terms run on.
Whoever proves possession is told since when and why. A rotation's overlap ends with it: the secret
that was replaced is the one most likely to be in wrong hands.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tenure.clock import Clock
from tenure.domain import events, model
from tenure.domain.errors import Invalid, Why
from tenure.domain.events import Event, Tag
from tenure.domain.model import ApiKey
from tenure.services import key_events
from tenure.store import keys
from tenure.store.db import Store, Transaction

CAUSE_CODE_POINTS_MAX: Final = 200
"""A sentence or two; it is told with every refusal."""


class Quarantine:
    """Puts keys into quarantine and takes them out again."""

    def __init__(self, store: Store, clock: Clock, catch_up: Callable[[int], None]) -> None:
        """*catch_up* returns once the keyring holds the event it is given the seq of."""
        self._store, self._clock, self._catch_up = store, clock, catch_up

    def place(self, key_id: str, actor: str, *, cause: str) -> ApiKey:
        """
        Let *key_id* only read and cancel from now on, and tell its callers the *cause*.

        In force on this machine when this returns. A second time changes nothing, the cause
        neither. Raises NotFound, Invalid, Conflict `revoked`.
        """
        said = _cause_of(cause)

        def place(tx: Transaction) -> tuple[ApiKey, Event | None]:
            now_ms = self._clock.now_ms()
            before = keys.get(tx, key_id)
            key_events.require_alive(before)
            if before.quarantine is not None:
                return before, None
            quarantine = model.Quarantine(since_ms=now_ms, cause=said)
            after = replace(before, quarantine=quarantine, overlap=None)
            return self._save(tx, Tag.KEY_QUARANTINED, before, after, actor, now_ms)

        return self._commit(place)

    def release(self, key_id: str, actor: str) -> ApiKey:
        """
        Let *key_id* do again what it may; a second time changes nothing.

        Raises NotFound, Conflict `revoked`.
        """

        def release(tx: Transaction) -> tuple[ApiKey, Event | None]:
            now_ms = self._clock.now_ms()
            before = keys.get(tx, key_id)
            key_events.require_alive(before)
            if before.quarantine is None:
                return before, None
            after = replace(before, quarantine=None)
            return self._save(tx, Tag.KEY_RELEASED, before, after, actor, now_ms)

        return self._commit(release)

    def _save(  # noqa: PLR0913, PLR0917 - a change, and what its event is made of
        self, tx: Transaction, tag: Tag, before: ApiKey, after: ApiKey, actor: str, now_ms: int
    ) -> tuple[ApiKey, Event]:
        after = replace(after, version=before.version + 1, edited_at_ms=now_ms)
        keys.save(tx, before, after)
        body = {"key": events.key_state(after)}
        return after, key_events.record(tx, tag, after, actor, now_ms, body)

    def _commit(self, act: Callable[[Transaction], tuple[ApiKey, Event | None]]) -> ApiKey:
        key, event = self._store.write(act)
        if event is not None:
            self._catch_up(event.seq)
        return key


def _cause_of(text: str) -> str:
    cause = text.strip()
    if not 1 <= len(cause) <= CAUSE_CODE_POINTS_MAX:
        message = f"must have 1 to {CAUSE_CODE_POINTS_MAX} characters"
        raise Invalid("cause", message, why=Why("cause_length", {"most": CAUSE_CODE_POINTS_MAX}))
    if not cause.isprintable():
        message = "has characters that cannot be printed; use one line of text"
        raise Invalid("cause", message, why=Why("cause_signs"))
    return cause
