"""
The Tenures that are looked at: `tenure serve` in a sandbox, and the same store from the inside.

From the inside a test makes what it needs to find: accounts, keys, people who have joined. What is
being tested goes through the browser.
"""

import contextlib
import itertools
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tenure import settings, wiring
from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tenure.services.people.facade import People
from tests.builders import ms
from tests.house import House

_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A Tenure that runs at *url*, with its *home*; *house* is its store from the inside."""

    url: str
    home: Path
    house: House

    @property
    def people(self) -> People:
        """Who signs in here."""
        return self.house.worker.people

    def new_account(self) -> str:
        """Create one more normal account, and return its id."""
        return self.house.account(f"owner{next(_NUMBERS)}@example.com")

    def move(self, moment: str | int) -> None:
        """Set the clock forward, for everybody."""
        self.house.worker.clock.move(ms(moment) if isinstance(moment, str) else moment)  # type: ignore[union-attr]  # a sandbox

    def operator(self) -> httpx.Client:
        """Return a way in for programs of the house, to be closed."""
        token = (self.home / "operator-token").read_text("utf-8").strip()
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )

    def ask(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - the API's JSON
        """Ask the API as a program of the house, and return its answer."""
        with self.operator() as client:
            answer = client.request(method, path, json=body)
            assert answer.is_success, answer.text
            return answer.json()


@contextlib.contextmanager
def serving(home: Path, start: str = "2021-12-01T10:00:00Z", **more: object) -> Iterator[Served]:
    """Serve from *home* while the block runs, on a clock that stands at *start*."""
    # Where browsers know the console by name: a passkey belongs to a name, and a number is none.
    listen = free_address()
    given = settings.load(
        home=home / "home",
        listen=listen,
        workers=1,
        sandbox=True,
        sandbox_start=start,
        webhook_loopback=True,
        **more,
    )
    with (
        contextlib.closing(SystemClock(home)) as clock,
        starting(given, clock),
        contextlib.closing(wiring.open_worker(given)) as worker,
    ):
        house = House(worker=worker, signers={})
        yield Served(
            url=f"http://{listen.replace('127.0.0.1', 'localhost')}", home=given.home, house=house
        )


def free_address() -> str:
    """Return an address of this machine, by number, where nobody listens yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
