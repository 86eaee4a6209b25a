"""
What everything about people stands on: the store, two clocks, and how a change goes on record.

Events are dated by Tenure's clock like all others. What concerns the people themselves (sessions,
codes, holds) runs on the machine's real time, which is another one in a sandbox: there Tenure's
clock stands still, and a sign-in must not.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenure.clock import Clock
from tenure.domain.events import Change, Event, Tag
from tenure.domain.people import Person
from tenure.domain.person_states import person_state
from tenure.store import journal
from tenure.store.db import Store, Transaction

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """*clock* dates events, *real* everything else; *catch_up* waits for the keyring."""

    store: Store
    clock: Clock
    real: Clock
    catch_up: Callable[[int], None]

    def change(self, act: Callable[[Transaction], tuple[_Answer, Event | None]]) -> _Answer:
        """Run *act* in one transaction; return its answer once its event, if any, is followed."""
        answer, event = self.store.write(act)
        if event is not None:
            self.catch_up(event.seq)
        return answer

    def record(
        self, tx: Transaction, tag: Tag, person: Person, actor: str | None = None, **more: object
    ) -> Event:
        """Record what happened to *person*, as it is by now; by itself where nobody is named."""
        now_ms = self.clock.now_ms()
        change = Change(
            tag=tag,
            actor=person.actor if actor is None else actor,
            happened_at_ms=now_ms,
            body={"person": person_state(person), **more},
            account_id=person.account_id,
        )
        return journal.append(tx, change, now_ms)


def digest(*parts: str) -> str:
    """Return the SHA-256 (hex) of *parts*, of which no two can be read as others."""
    framed = b"".join(
        len(raw).to_bytes(8, "big") + raw
        for raw in (part.encode("utf-8", "surrogatepass") for part in parts)
    )
    return hashlib.sha256(framed).hexdigest()
