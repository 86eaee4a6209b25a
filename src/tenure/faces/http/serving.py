"""
The processes of `tenure serve`: one that starts and supervises, the ticks, notices, the workers.

Workers decide and answer; the ticks follow the journal and sweep, and beside them a thread signs
and pushes checkpoints; notices are made and sent in a process of their own. If either of these two
processes dies it is started again. Without ticks the staleness
bound protects meanwhile: workers refuse rather than guess. When the first process goes, all go.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Final

import httpx
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, TaskImpl

from tenure import wiring, wiring_people
from tenure.domain import wording
from tenure.domain.model import Secret
from tenure.faces import logs
from tenure.faces.http import process
from tenure.faces.http.app import RUN_ENVIRONMENT
from tenure.settings import Settings
from tenure.wiring import Prepared

_RESTART_PAUSE_S: Final = 0.5
_LOOK_EVERY_S: Final = 0.1
_DAY_MS: Final = 86_400_000


def serve(settings: Settings) -> int:
    """
    Serve until told to stop (SIGINT, SIGTERM); return the exit code.

    Raises TenureError where this store cannot be opened so, or the rulebook will not do.
    """
    logs.configure()
    # A fork would carry threads and open databases over; a spawned worker starts clean.
    multiprocessing.set_start_method("spawn", force=True)
    prepared = wiring.prepare(settings)
    first_link = wiring_people.first_link(settings)
    _environment(settings)
    process.harden()
    with _beside(settings, tick, "tenure-ticks"), _beside(settings, notify, "tenure-notices"):
        wiring.await_ticks(settings)
        threading.Thread(target=_greet, args=(prepared, first_link), daemon=True).start()
        Granian(
            "tenure.faces.http.app:create",
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGINL,
            loop=Loops.uvloop,
            workers=settings.workers,
            http=HTTPModes.http1,  # One parser, one reading (SECURITY T13).
            websockets=False,
            task_impl=TaskImpl.asyncio,  # A context a request: what an act is stands in one.
            log_level="warning",  # type: ignore[arg-type]  # granian takes the name too
            respawn_failed_workers=True,
            workers_kill_timeout=10,
        ).serve()
    return 0


def _environment(settings: Settings) -> None:
    os.environ[RUN_ENVIRONMENT] = settings.model_dump_json()
    # One file a process; what an earlier start counted is not this one's.
    counts = settings.home / "metrics"
    counts.mkdir(mode=0o700, exist_ok=True)
    for stale in counts.glob("*.db"):
        stale.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts)


@contextlib.contextmanager
def _beside(
    settings: Settings, target: Callable[[Settings, int], None], name: str
) -> Iterator[None]:
    """Keep *target* running, in a process of its own called *name*, while the block runs."""
    spawning = multiprocessing.get_context("spawn")
    stopping = threading.Event()

    def start() -> BaseProcess:
        child = spawning.Process(target=target, args=(settings, os.getpid()), name=name)
        child.start()
        return child

    running = start()

    def supervise() -> None:
        nonlocal running
        while not stopping.is_set():
            running.join(_RESTART_PAUSE_S)
            if running.exitcode is not None and not stopping.is_set():
                logs.log.error(
                    "a process ended; starting it again", name=name, exitcode=running.exitcode
                )
                stopping.wait(_RESTART_PAUSE_S)
                running = start()

    watcher = threading.Thread(target=supervise, name=f"{name}-watcher", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stopping.set()
        watcher.join()
        running.terminate()
        running.join(10)


def tick(settings: Settings, parent: int) -> None:
    """Run the ticks until told to stop or the parent is gone; the whole life of their process."""
    until = _until_stopped(parent)
    ticks, errands = wiring.open_ticks(settings), wiring.open_errands(settings)
    errands.start()
    ticks.run(until)
    errands.stop()
    ticks.close()


def notify(settings: Settings, parent: int) -> None:
    """Make notices and send them until told to stop or the parent is gone."""
    until = _until_stopped(parent)
    notifying = wiring.open_notifying(settings)
    notifying.run(until)
    notifying.close()


def _until_stopped(parent: int) -> Callable[[], bool]:
    """Set up a process beside the workers; return what says that it is to end."""
    logs.configure()
    process.harden()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The terminal's Ctrl-C is the parent's to handle.
    return lambda: stopped.is_set() or os.getppid() != parent


def _greet(prepared: Prepared, first_link: Secret | None) -> None:
    """Say where everything is, once it answers there: not before."""
    settings = prepared.settings
    # Whoever listens everywhere listens here too.
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    with httpx.Client(trust_env=False) as client:
        stopping = threading.Event()  # Never set: the process ends first.
        while True:
            with contextlib.suppress(httpx.TransportError):
                if client.get(f"http://{host}:{settings.port}/readyz").is_success:
                    break
            stopping.wait(_LOOK_EVERY_S)
    print(_greeting(prepared, first_link), flush=True)  # noqa: T201 - for the person who started it


def _greeting(prepared: Prepared, first_link: Secret | None) -> str:
    settings = prepared.settings
    lines = [f"Tenure serves at http://{settings.listen}  (API: /openapi.json)"]
    token = prepared.operator_token_path
    lines.append(f"Operator token: {token}" if token else "Operator token: from the settings")
    lines.append(f"Console: {settings.console_at}/console")
    if first_link is not None:
        # Shown here and nowhere else: whoever sees this terminal may open the home too.
        lines.append(f"Become its first administrator: {first_link.reveal()}")
    for rule in prepared.rulebook.rules:
        if rule.withdrawn_at_ms is not None:
            continue
        terms = f"unrestricted {_length(rule.unrestricted)}, restricted {_length(rule.restricted)}"
        since = wording.instant(rule.effective_from_ms)
        lines.append(f"Rule {rule.rule_id}: {', '.join(rule.permissions)}: {terms}, from {since}")
    if settings.sandbox:
        lines.append("SANDBOX: the clock stands still; move it with PUT /sandbox/clock")
    return "\n".join(lines)


def _length(lifetime: int | str) -> str:
    if isinstance(lifetime, str):
        return lifetime.replace("_", " ")
    days, rest_ms = divmod(lifetime, _DAY_MS)
    return f"{days} days" if not rest_ms else f"{lifetime} ms"
