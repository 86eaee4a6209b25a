"""What the guards share: one decider per process, and a last look at the clock."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from prometheus_client import REGISTRY

from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.model import ApiKey
from tenure.domain.signing import SignedRequest
from tenure.faces import gate
from tenure.faces.gate import Gate
from tenure.faces.http import refusals
from tenure.faces.http.callers import API_KEY, Caller
from tenure.services.deciding import Decider
from tests.builders import TRADING, an_address
from tests.house import House
from tests.together import together

ORDER = "/api/v3/order"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House.open(tmp_path, staleness_ms=60_000)
    yield house
    house.close()


@pytest.fixture
def key(house: House) -> ApiKey:
    return house.issue(house.account(), TRADING)


class Dawdling:
    """A decider that takes *takes_ms* of the sandbox's time to say what *house* decides."""

    def __init__(self, house: House, takes_ms: int) -> None:
        self._house, self._takes_ms = house, takes_ms
        self.now_ms = house.worker.decider.now_ms
        self.window_now_ms = house.worker.decider.window_now_ms

    def decide(
        self, request: SignedRequest, permission: str | None, route: tuple[str, str] | None
    ) -> Allowed | Refused:
        """Decide, and let the time pass."""
        outcome = self._house.worker.decider.decide(request, permission, route)
        self._house.move(self._house.worker.clock.now_ms() + self._takes_ms)
        return outcome


def decide(asked: Gate, key: ApiKey, query: str, body: bytes = b"") -> object:
    caller = Caller(an_address(), {API_KEY: key.api_key}, is_trusted=False)
    return asked.decide(caller, query.encode(), body, TRADING)


def counted(reason: str) -> float:
    labels = {"face": "guard", "outcome": reason}
    return REGISTRY.get_sample_value("tenure_decisions_total", labels) or 0.0


@pytest.mark.parametrize("takes_ms", [0, 999, 1_000])
def test_a_request_that_is_still_in_time_when_decided_is_allowed(
    house: House, key: ApiKey, takes_ms: int
) -> None:
    asked = Gate(lambda: cast("Decider", Dawdling(house, takes_ms)), {})
    query = house.signed_query(key, at_ms=house.worker.clock.now_ms() - 4_000)
    before = counted("allowed")

    assert isinstance(decide(asked, key, query), Allowed)
    assert counted("allowed") == before + 1


def test_a_request_that_grew_too_old_while_it_was_decided_is_refused(
    house: House, key: ApiKey
) -> None:
    """WIRE section 4: the second half of the window once more, just before the service acts."""
    asked = Gate(lambda: cast("Decider", Dawdling(house, 1_001)), {})
    query = house.signed_query(key, at_ms=house.worker.clock.now_ms() - 4_000)
    before = counted("allowed")

    assert decide(asked, key, query) == Refused(Reason.OUTSIDE_RECEIVE_WINDOW)
    assert counted("allowed") == before


def test_in_a_sandbox_the_window_may_fit_the_machines_clock_instead(tmp_path: Path) -> None:
    """A client stamps requests with its machine's clock, which a rehearsal has left behind."""
    house = House.open(tmp_path, start="2090-01-01T00:00:00Z", staleness_ms=60_000)
    key = house.issue(house.account(), TRADING)
    asked = Gate(lambda: cast("Decider", Dawdling(house, 60_000)), {})
    wall_ms = house.worker.clock.wall_ms()

    assert isinstance(decide(asked, key, house.signed_query(key, at_ms=wall_ms)), Allowed)
    late = decide(asked, key, house.signed_query(key, at_ms=wall_ms - 60_000))
    assert late == Refused(Reason.OUTSIDE_RECEIVE_WINDOW)
    house.close()


def test_the_decider_is_opened_once_however_many_threads_ask(house: House) -> None:
    opened: list[int] = []

    def open_decider() -> Decider:
        opened.append(os.getpid())
        threading.Event().wait(0.02)  # So that the others arrive meanwhile.
        return house.worker.decider

    asked = Gate(open_decider, {})
    assert opened == []

    assert set(together([asked.open] * 8)) == {house.worker.decider}
    assert len(opened) == 1


def test_a_forked_process_opens_its_own(house: House) -> None:
    """D20: an LMDB environment carried over a fork seems to work, and is undefined."""
    opened: list[int] = []

    def open_decider() -> Decider:
        opened.append(os.getpid())
        return house.worker.decider

    asked = Gate(open_decider, {})
    asked.open()
    child = os.fork()
    if not child:
        asked.open()
        os._exit(len(opened))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2


def test_what_cannot_be_opened_is_tried_again_the_next_time(house: House) -> None:
    attempts = iter([Unavailable("stale"), None])

    def open_decider() -> Decider:
        if (problem := next(attempts)) is not None:
            raise problem
        return house.worker.decider

    asked = Gate(open_decider, {})
    with pytest.raises(Unavailable):
        asked.needed("POST", ORDER)
    assert asked.needed("POST", ORDER) == TRADING


def test_a_body_that_is_no_text_is_no_form(house: House, key: ApiKey) -> None:
    """WIRE section 4: however well it was signed."""
    asked = Gate(lambda: house.worker.decider, {})
    for body, expected in ((b"x=\xc3\xa9", None), (b"x=\xc3", gate.NO_BODY)):
        query = f"timestamp={house.worker.clock.now_ms()}"
        signature = house.signers[key.key_id](query.encode() + body)
        outcome = decide(asked, key, f"{query}&signature={signature}", body)
        assert outcome == expected or (expected is None and isinstance(outcome, Allowed))


def test_a_path_with_two_readings_has_no_permission(house: House) -> None:
    asked = Gate(lambda: house.worker.decider, {})
    for path in (None, "", "//api", "/api/v3/%6frder", "/api/%2e%2e/x", "/api/v3/order;x"):
        assert asked.needed("POST", path) == gate.NO_PATH
    assert asked.needed("POST", "/nowhere") is None


def test_a_route_table_of_ones_own_needs_no_decider() -> None:
    def fail() -> Decider:
        raise AssertionError

    asked = Gate(fail, {"permission_for": lambda _, path: TRADING if path == "/x" else None})
    assert (asked.needed("GET", "/x"), asked.needed("GET", "/y")) == (TRADING, None)


def test_what_stands_in_the_way_is_counted_by_its_precise_reason() -> None:
    asked = Gate(lambda: cast("Decider", None), {})
    before = counted("key_unknown"), counted("request_malformed")

    assert asked.answer(Refused(Reason.KEY_UNKNOWN), ORDER) == refusals.unauthorized()
    assert asked.answer(gate.NO_PATH, ORDER) == refusals.unauthorized()

    assert (counted("key_unknown"), counted("request_malformed")) == (before[0] + 1, before[1] + 1)
    assert asked.answer(Unavailable("clock"), ORDER)[0] == asked.fail(ORDER)[0] == 503
