"""The routes that exist only in a sandbox: reading and moving its clock, for rehearsals."""

from typing import Final, TypeAlias

from litestar import Router, get, put
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody, SkipValidation

from tenure.clock import SandboxClock
from tenure.domain.errors import Invalid
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View

NOW_MS_MAX: Final = 4_102_444_800_000
"""2100-01-01: far enough for any rehearsal, with room for the longest term before year 9999."""

GivenSandboxClock: TypeAlias = Given[SkipValidation[SandboxClock]]


class Move(requests.Body):
    """Where the clock is to stand: an instant, or so much later; whether it is to run."""

    now_ms: requests.Integer | None = None
    advance_ms: requests.Integer | None = None
    running: bool | None = None


class ClockView(View):
    """The sandbox's now (ms, UTC), and whether it moves by itself."""

    now_ms: int
    running: bool


@get(
    "/clock",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 422),
    sync_to_thread=False,
)
def get_clock(clock: GivenSandboxClock) -> ClockView:
    """Read the sandbox's clock."""
    return show(clock)


@put(
    "/clock",
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 413, 422),
    sync_to_thread=True,
)
def move_clock(data: JSONBody[Move], clock: GivenSandboxClock) -> ClockView:
    """Move the clock forward, start or stop it; decisions change by themselves."""
    if data == Move():
        raise Invalid("body", "send now_ms, advance_ms or running")
    if data.now_ms is not None and data.advance_ms is not None:
        raise Invalid("advance_ms", "send it or now_ms, not both")
    target_ms = data.now_ms
    if data.advance_ms is not None:
        target_ms = clock.now_ms() + data.advance_ms
    if target_ms is not None:
        if target_ms > NOW_MS_MAX:
            field = "now_ms" if data.now_ms is not None else "advance_ms"
            raise Invalid(field, f"the sandbox ends at {NOW_MS_MAX}")
        clock.move(target_ms)
    if data.running is not None:
        clock.run(running=data.running)
    return show(clock)


def show(clock: SandboxClock) -> ClockView:
    """Show the clock."""
    return ClockView(now_ms=clock.now_ms(), running=clock.is_running)


def routes() -> Router:
    """Return what is answered under `/sandbox`, for operators."""
    return Router("/sandbox", route_handlers=[get_clock, move_clock], tags=["sandbox"])
