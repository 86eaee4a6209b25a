"""
How a key is proved, by the public key it brings or the HMAC secret it is given; and by another.

The old secret, or public key, may keep working beside the new one for a while, so that every bot of
an owner can move over. There are never more than two: another rotation, a revocation or quarantine
ends the overlap at once. It lets nobody do more than the key may do: terms run and end as they do.
"""

from dataclasses import replace
from typing import Final, final

from tenure.clock import Clock
from tenure.domain import admission, apikeys, events
from tenure.domain.errors import Invalid, Unavailable, Why
from tenure.domain.events import Event, Tag
from tenure.domain.model import ApiKey, KeyType, Overlap, Secret
from tenure.services import key_events, sealing
from tenure.store import keys
from tenure.store.db import Transaction

OVERLAP_MS_MAX: Final = 604_800_000
"""7 days: long enough for a weekend and a release, short enough to be seen through."""
_SECRET_BYTES: Final = 48
"""Random bytes handed to `apikeys.secret_text`."""


@final
class Proofs:
    """Makes what a key is proved with."""

    def __init__(self, clock: Clock, sealing_key: sealing.SealingKey | None) -> None:
        """*sealing_key* None leaves secrets sealed: no HMAC key can be given one."""
        self._clock, self._sealing_key = clock, sealing_key

    def public_key(self, key_type: KeyType, text: str | None) -> str | None:
        """Return the public key in *text* as it is stored; raises Invalid where it will not do."""
        if key_type is KeyType.HMAC:
            if text is not None:
                message = "an hmac key has none; leave it out"
                raise Invalid("public_key", message, why=Why("public_key_hmac"))
            return None
        if text is None:
            message = f"an {key_type} key needs the public key, as PEM text"
            raise Invalid("public_key", message, why=Why("public_key_missing"))
        return admission.admit(key_type, text)

    def new_secret(
        self, tx: Transaction, key: ApiKey, now_ms: int
    ) -> tuple[Secret | None, bytes | None]:
        """
        Return a new secret for *key*, and the same sealed; nothing for a key with a public one.

        Raises Unavailable `sealed`.
        """
        if key.key_type is not KeyType.HMAC:
            return None, None
        if self._sealing_key is None:
            raise Unavailable("sealed", "secrets are sealed: the sealing key is missing or wrong")
        text = apikeys.secret_text(self._clock.random_bytes(_SECRET_BYTES))
        sealed = self._sealing_key.seal(
            text.encode(),
            key_id=key.key_id,
            account_id=key.account_id,
            data_key=sealing.data_key(tx, self._sealing_key, self._clock, now_ms),
        )
        return Secret(text), sealed


def require_overlap(overlap_ms: int) -> None:
    """Raise Invalid unless an old secret may work on for *overlap_ms*."""
    if not 0 <= overlap_ms <= OVERLAP_MS_MAX:
        raise Invalid("overlap_ms", f"must be 0 to {OVERLAP_MS_MAX} ms, which is 7 days")


def rotate(  # noqa: PLR0913 - one argument per fact
    tx: Transaction,
    proofs: Proofs,
    key_id: str,
    public_key: str | None,
    *,
    overlap_ms: int,
    now_ms: int,
    actor: str,
) -> tuple[ApiKey, ApiKey, Secret | None, Event]:
    """
    Give *key_id* another secret or public key, inside the caller's transaction.

    Returns the key before and after, the secret (HMAC), and the event. The old secret works on for
    *overlap_ms*. Raises NotFound, Invalid, Conflict `revoked`, Unavailable `sealed`.
    """
    before = keys.get(tx, key_id)
    key_events.require_alive(before)
    admitted = proofs.public_key(before.key_type, public_key)
    overlap = Overlap(until_ms=now_ms + overlap_ms, public_key=before.public_key)
    after = replace(
        before,
        public_key=admitted,
        # What is leaked and what is not, nobody in quarantine can tell: nothing old works on.
        overlap=overlap if overlap_ms and before.quarantine is None else None,
        version=before.version + 1,
        edited_at_ms=now_ms,
    )
    secret, sealed = proofs.new_secret(tx, after, now_ms)
    keys.save(tx, before, after)
    keys.set_secret(tx, after, sealed)
    body = {"key": events.key_state(after)}
    return before, after, secret, key_events.record(tx, Tag.KEY_ROTATED, after, actor, now_ms, body)
