"""
`python -m benchmarks.revoking`: a third party leaks very many keys, and all of them are revoked.

The keys stand in a real store, with secrets that are really sealed; previewed, committed, and then
every single one asks with a good signature and has to be refused, while a bystander is not.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from rich.progress import track

from benchmarks import filling
from benchmarks.filling import Kind
from tenure import settings, wiring
from tenure.domain import allowlist
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.marks import Selection
from tenure.domain.model import Account, AccountKind, ApiKey
from tenure.services import sealing
from tenure.settings import Settings
from tenure.store import accounts, keys
from tenure.store.db import Transaction
from tenure.wiring import Worker

_LABEL: Final = "a third party"
_BATCH: Final = 5_000
_TICK_EVERY: Final = 1_000
"""Keys asked between two ticks: far less than the staleness bound takes."""


def main() -> None:
    """Measure as the arguments say."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.revoking", description=__doc__)
    options.add_argument("--keys", type=int, default=100_000, help="keys that bear the label")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        chosen = settings.load(home=Path(directory))
        kind = next(filling.kinds())
        leaked, bystander = _fill(chosen, kind, given.keys)
        worker = wiring.open_alone(chosen)
        for name, value in _measure(worker, kind, leaked, bystander):
            print(f"{name:<42} {value}")  # noqa: T201 - what this is for
        worker.close()


def _measure(
    worker: Worker, kind: Kind, leaked: list[ApiKey], bystander: ApiKey
) -> Iterator[tuple[str, str]]:
    assert worker.follower is not None
    worker.follower.tick()  # Making the keyring may have taken longer than it is good for.
    count = len(leaked)
    assert isinstance(_ask(worker, kind, leaked[0]), Allowed)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # The peak starts from here.
    held_mib = _mib("VmRSS")

    begun = time.perf_counter()
    shown = worker.revocations.preview(Selection(label=_LABEL))
    previewed = time.perf_counter()
    done = worker.revocations.commit(Selection(label=_LABEL), shown.stamp, "bench")
    committed = time.perf_counter()
    more_mib = _mib("VmHWM") - held_mib
    assert shown.plan.matched == done.plan.matched == count

    asked = time.perf_counter()
    for number, key in enumerate(track(leaked, "asking each", transient=True)):
        if number % _TICK_EVERY == 0:
            worker.follower.tick()
        outcome = _ask(worker, kind, key)
        assert isinstance(outcome, Refused), key
        assert outcome.reason is Reason.KEY_REVOKED
    answered = time.perf_counter()
    worker.follower.tick()
    assert isinstance(_ask(worker, kind, bystander), Allowed)

    yield "keys of the label", f"{count:,}"
    yield "previewed in", f"{(previewed - begun) * 1000:.0f} ms"
    yield "committed and in force in", f"{(committed - previewed) * 1000:.0f} ms"
    yield "memory that took at most", f"{max(0.0, more_mib):.1f} MiB"
    yield "rows and events it wrote", f"{len(worker.revocations.every())} and 1"
    yield "refused although well signed", f"{count:,} of {count:,}"
    yield "each of them asked and answered in", f"{(answered - asked) / count * 1e6:.0f} µs"


def _fill(chosen: Settings, kind: Kind, count: int) -> tuple[list[ApiKey], ApiKey]:
    """Store *count* keys that leak, ten an account, and one that does not."""
    worker = wiring.open_alone(chosen)
    sealing_key = sealing.read_key(chosen.sealing_key_path)
    assert sealing_key is not None
    assert kind.secret is not None
    secret, now_ms = kind.secret, worker.clock.now_ms()
    labels = [_LABEL] * count + ["somebody else"]
    made = [
        replace(filling.a_key(kind, number, now_ms), label=label)
        for number, label in enumerate(labels)
    ]

    def add(tx: Transaction, batch: list[ApiKey]) -> None:
        for key in batch:
            data_key = sealing.data_key(tx, sealing_key, worker.clock, now_ms)
            names = {"key_id": key.key_id, "account_id": key.account_id}
            keys.add(tx, key, sealing_key.seal(secret, **names, data_key=data_key))

    for start in track(range(0, len(made), _BATCH), f"storing {count:,}", transient=True):
        batch = made[start : start + _BATCH]
        worker.store.write(partial(_add_accounts, batch=batch, now_ms=now_ms))
        worker.store.write(partial(add, batch=batch))
    worker.close()
    # The rows were written past the journal, so no keyring has heard of them: it is made anew.
    shutil.rmtree(chosen.home / "keyring")
    return made[:count], made[count]


def _add_accounts(tx: Transaction, batch: list[ApiKey], now_ms: int) -> None:
    for account_id in dict.fromkeys(key.account_id for key in batch):
        account = Account(
            account_id=account_id,
            kind=AccountKind.NORMAL,
            email=f"{account_id}@example.com",
            created_at_ms=now_ms,
        )
        accounts.add(tx, account)


def _ask(worker: Worker, kind: Kind, key: ApiKey) -> Allowed | Refused:
    query = f"symbol=BTCUSDT&timestamp={worker.clock.now_ms()}"
    sent = f"{query}&signature={kind.sign(query.encode())}".encode()
    address = allowlist.parse_address("203.0.113.7")
    assert address is not None
    return worker.decider.decide_raw(key.api_key, sent, b"", address, filling.TRADING)


def _mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (found,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(found.split()[1]) / 1024


if __name__ == "__main__":
    main()
