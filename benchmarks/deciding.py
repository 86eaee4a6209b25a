"""The whole in-process decision over its bare signature check, by key type and number of keys."""

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmarks import filling, measuring
from benchmarks.filling import TRADING, Kind
from tenure.domain import allowlist, signing
from tenure.domain.decide import Allowed
from tenure.wiring import Worker

TARGETS: Final = {"hmac": 3.0}
TARGET: Final = 1.25
_ORDER: Final = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=60000"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; times in µs, ratios over the bare check."""

    kind: str
    keys: int
    bare: measuring.Cost
    hot: measuring.Cost
    spread_over_all: measuring.Cost
    target: float

    @property
    def hot_ratio(self) -> float:
        """How often the bare check fits in a decision on a key that was just decided on."""
        return self.hot.median_us / self.bare.median_us

    @property
    def all_ratio(self) -> float:
        """How often the bare check fits in a decision on a random key of all."""
        return self.spread_over_all.median_us / self.bare.median_us


def measure(sizes: list[int], *, rounds: int, calls: int) -> list[Row]:
    """Measure every kind of key at every size; *calls* decisions a round."""
    return [
        _measure(kind, size, rounds=rounds, calls=calls)
        for size in sizes
        for kind in filling.kinds()
    ]


def _measure(kind: Kind, size: int, *, rounds: int, calls: int) -> Row:
    with tempfile.TemporaryDirectory() as directory:
        worker = filling.fill(Path(directory), kind, size)
        try:
            costs = _costs(worker, kind, size, rounds=rounds, calls=calls)
        finally:
            worker.close()
    return Row(
        kind=kind.name,
        keys=size,
        bare=costs["bare"],
        hot=costs["hot"],
        spread_over_all=costs["all"],
        target=TARGETS.get(kind.name, TARGET),
    )


def _costs(
    worker: Worker, kind: Kind, size: int, *, rounds: int, calls: int
) -> dict[str, measuring.Cost]:
    assert worker.follower is not None
    address = allowlist.parse_address("198.51.100.9")
    assert address is not None
    chance = random.Random(size)  # noqa: S311 - which keys are asked for, not a secret
    drawn = [filling.api_key(kind, chance.randrange(size)) for _ in range(calls)]
    query = signed(worker, kind)
    request = signing.parse(drawn[0], query, b"", address)
    assert isinstance(request, signing.SignedRequest)
    verifier = worker.keyring.find(drawn[0])
    assert verifier is not None
    decide = worker.decider.decide_raw

    def bare() -> int:
        verify, payload, signature = verifier.verifier.verify, request.payload, request.signature
        for _ in drawn:
            assert verify(payload, signature)
        return calls

    def deciding(keys: list[str]) -> Callable[[], int]:
        def run() -> int:
            for api_key in keys:
                assert type(decide(api_key, query, b"", address, TRADING)) is Allowed
            return calls

        return run

    candidates = {"bare": bare, "hot": deciding([drawn[0]] * calls), "all": deciding(drawn)}

    def refresh() -> None:
        nonlocal query
        assert worker.follower is not None
        worker.follower.tick()
        query = signed(worker, kind)

    return measuring.interleaved(candidates, rounds, refresh)


def signed(worker: Worker, kind: Kind) -> bytes:
    """Return an order as a client of that *kind* signs it now."""
    text = f"{_ORDER}&timestamp={worker.clock.now_ms()}"
    return f"{text}&signature={quote(kind.sign(text.encode()), safe='')}".encode()
