"""
Deciding, with everything `decide` must be handed: the key, the clock, the route's permission.

No database and nothing awaited. Raises rather than guesses: whatever goes wrong here refuses.
"""

from typing import Final, final

from tenure import metrics
from tenure.clock import Clock
from tenure.domain import decide, signing
from tenure.domain.allowlist import Address
from tenure.domain.catalog import Catalog
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.signing import RECV_WINDOW_MS_MAX, Malformed, Signed
from tenure.services.keyring import Keyring
from tenure.services.refusals import TurnedAway
from tenure.services.replay import Replays
from tenure.services.usage import Uses

MALFORMED: Final = Refused(Reason.REQUEST_MALFORMED)
REPLAYED: Final = Refused(Reason.REPLAYED)


@final
class Decider:
    """What a worker asks for every request; one per face."""

    def __init__(  # noqa: PLR0913 - what it stands on, once each
        self,
        keyring: Keyring,
        clock: Clock,
        catalog: Catalog,
        *,
        decoded_retry: bool,
        sandbox: bool,
        replays: Replays | None = None,
        uses: Uses | None = None,
        turned_away: TurnedAway | None = None,
    ) -> None:
        """
        In a *sandbox* the receive window may fit the machine's clock instead.

        What is allowed is noted in *uses*, what is refused in *turned_away*; a process without a
        store has neither.

        Raises ValueError where *catalog* sells one-time permissions and there are no *replays*.
        """
        self.catalog = catalog
        self._one_time = one_time(catalog)
        self._replays = replays
        if self._one_time and replays is None:
            raise ValueError("a one-time permission needs a replay cache")
        self._keyring, self._clock = keyring, clock
        self._decoded_retry, self._sandbox = decoded_retry, sandbox
        self._uses, self._turned_away = uses, turned_away

    def decide(
        self, request: Signed, permission: str | None, route: tuple[str, str] | None = None
    ) -> Allowed | Refused:
        """
        Decide whether *request* may act under *permission* now; None is a route nobody knows.

        *route* is the method and the path asked for, as it was sent: a key in quarantine may go on
        cancelling, and which routes do only that the catalog says. Without one nothing counts so.

        Under a one-time permission asking is acting: a second time it is refused. Raises
        Unavailable `stale`, `clock`, `sealed`, `keyring`, `replay`: answer 503, never allow.
        """
        now_ms = self._clock.now_ms()
        loaded = self._keyring.find(request.api_key)
        outcome = decide.decide(
            request,
            permission,
            loaded,
            now_ms,
            window_now_ms=self._clock.wall_ms() if self._sandbox else None,
            decoded_retry=self._decoded_retry,
            overlaps_until_ms=self._keyring.overlaps_until_ms,
        )
        # Asked for after proof, and of a key in quarantine alone: nobody else pays for it.
        if (
            isinstance(outcome, Refused)
            and outcome.reason is Reason.KEY_QUARANTINED
            and loaded is not None
            and self.catalog.keeps(permission, route)
        ):
            outcome = decide.judge(loaded, request.address, permission, now_ms, is_kept=True)
        if permission in self._one_time and isinstance(outcome, Allowed):
            outcome = self._once(request, outcome)
        # The one place where a use, and a refusal, is noted. Whatever is allowed and yet should not
        # count as use of the key is to be told apart here.
        if isinstance(outcome, Refused):
            if self._turned_away is not None:
                self._turned_away.note(outcome, loaded, permission, request.address, now_ms)
            return outcome
        if outcome.used_old_secret:
            metrics.old_secret_uses.inc()
        if self._uses is not None:
            self._uses.note(outcome, request.address, now_ms)
        return outcome

    def decide_raw(  # noqa: PLR0913, PLR0917 - one argument per part of a request
        self,
        api_key: str,
        query: bytes,
        body: bytes,
        address: Address,
        permission: str | None,
        route: tuple[str, str] | None = None,
    ) -> Allowed | Refused:
        """Parse and decide; what cannot be read is refused. Raises as `decide`."""
        request = signing.parse(api_key, query, body, address)
        if isinstance(request, Malformed):
            return MALFORMED
        return self.decide(request, permission, route)

    def once(self, request: Signed, allowed: Allowed) -> Allowed | Refused:
        """
        Let *request*, which was *allowed*, act if it is the first; for what nobody may do twice.

        Under a one-time permission deciding has done so. Raises Unavailable `replay`.
        """
        if allowed.permission in self._one_time:
            return allowed
        outcome = self._once(request, allowed)
        if isinstance(outcome, Refused) and self._turned_away is not None:
            asked, now_ms = allowed.permission, self._clock.now_ms()
            self._turned_away.note(outcome, allowed.loaded, asked, request.address, now_ms)
        return outcome

    def is_ready(self) -> bool:
        """Whether requests can be decided just now."""
        try:
            self._clock.now_ms()
            self._keyring.require_fresh()
        except Unavailable:
            return False
        return True

    def now_ms(self) -> int:
        """Return the instant a decision made now is made at; raises Unavailable `clock`."""
        return self._clock.now_ms()

    def window_now_ms(self) -> int | None:
        """Return the machine's clock in a sandbox, where the window may fit it; else None."""
        return self._clock.wall_ms() if self._sandbox else None

    def _once(self, request: Signed, allowed: Allowed) -> Allowed | Refused:
        if self._replays is None:
            raise Unavailable("replay", context="this decider was opened without a replay cache")
        # For the longest window there is: bytes moved between query and body may read as a longer
        # one than its sender named, under the same signature (BI-20).
        is_first = self._replays.spend(
            allowed.key_id,
            request.fingerprint(),
            request.timestamp_us,
            RECV_WINDOW_MS_MAX * 1000,
        )
        return allowed if is_first else REPLAYED


def one_time(catalog: Catalog) -> frozenset[str]:
    """Return the permissions of *catalog* under which each signed request may act but once."""
    return frozenset(offer.permission for offer in catalog.offers.values() if offer.one_time)
