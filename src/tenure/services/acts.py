"""
Acting once: a request with an Idempotency-Key that is sent again changes nothing again (I6).

What is kept is that it was done, and by which event: never the answer, which may have had a secret
in it (decision 0016). How a row and a change come to be one is in `store.acts`.
"""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Final

from tenure.clock import Clock
from tenure.domain.errors import Invalid
from tenure.store import acts, db
from tenure.store.acts import Act, Done
from tenure.store.db import Store

__all__ = ["FIELD", "Acts", "Done", "enter"]

FIELD: Final = "Idempotency-Key"
KEY_CHARACTERS_MAX: Final = 255
KEPT_MS: Final = 7 * 86_400_000
"""How long an act is remembered: retries come within minutes, and a queue may be down for days."""
_BATCH: Final = 500


class Acts:
    """Begins acts, and forgets old ones."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """One per worker, and one for the ticks."""
        self._store, self._clock = store, clock

    def begin(self, actor: str, keys: Sequence[str], asked: Sequence[bytes]) -> Act | None:
        """
        Return the act that *actor* begins under the one of *keys*, None where there is none.

        *asked* is all that says what is asked for: method, target, body. Raises Invalid for a key
        that will not do or was used for another request, Conflict `repeated` for what was done.
        """
        if not keys:
            return None
        if len(keys) > 1:
            raise Invalid(FIELD, "comes twice")
        (key,) = keys
        if not 1 <= len(key) <= KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
            raise Invalid(FIELD, f"must have 1 to {KEY_CHARACTERS_MAX} printable ASCII characters")
        act = Act(act_id=_digest(actor.encode(), key.encode()), digest=_digest(*asked))
        self._store.read(partial(acts.require_new, act=act))
        return act

    def is_done(self, act: Act | None) -> bool:
        """Whether *act* was done by now, by this request or by another one under its name."""
        return act is not None and self._store.read(partial(acts.is_done, act=act))

    def step(self) -> bool:
        """Forget a batch of old acts; return whether there may be more."""
        before_ms = self._clock.now_ms() - KEPT_MS
        forgotten = self._store.write(lambda tx: acts.forget(tx, before_ms, _BATCH))
        return forgotten == _BATCH


def enter(act: Act | None) -> None:
    """Let *act* be what the rest of this request does, or nothing in particular."""
    acts.CURRENT.set(act)
    # Asked under the write lock too: of two at once the second is to hear that it is a repeat, and
    # not that things are no longer as it thought.
    db.ASKED_FIRST.set(None if act is None else partial(acts.require_new, act=act))


def _digest(*parts: bytes) -> str:
    # Each with its length before it, or two parts could be read as one.
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hashlib.sha256(framed).hexdigest()
