"""
The processes of `tenure serve`: one that starts and watches, the ticks, notices, HTTP's workers.

Workers decide and answer, under a process that listens; the ticks follow the journal and sweep,
and beside them a thread signs and pushes checkpoints; notices are made and sent in a process of
their own. If either of these two dies it is started again. Without ticks the staleness bound
protects meanwhile: workers refuse rather than guess. When the first process goes, all go.
How processes are forked and watched is in `forked`.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
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
from tenure.faces.http.forked import Processes
from tenure.settings import Settings
from tenure.wiring import Prepared

_LOOK_EVERY_S: Final = 0.05
_DAY_MS: Final = 86_400_000


def serve(settings: Settings) -> None:
    """
    Serve until told to stop (SIGINT, SIGTERM).

    Raises TenureError where this store cannot be opened so, or the rulebook will not do, and where
    nobody listens any more.
    """
    logs.configure()
    prepared = wiring.prepare(settings)
    first_link = wiring_people.first_link(settings)
    os.environ[RUN_ENVIRONMENT] = settings.model_dump_json()
    process.harden()
    with Processes() as processes:
        is_ticking = partial(wiring.has_ticked, settings, prepared.ready_ns)
        processes.start("tenure-ticks", partial(tick, settings))
        processes.start("tenure-notices", partial(notify, settings))
        if not processes.watch_until(is_ticking, _LOOK_EVERY_S):
            return
        processes.start("tenure-http", partial(listen, settings), is_vital=True)
        with httpx.Client(trust_env=False) as client:
            is_answering = processes.watch_until(partial(_answers, client, settings), _LOOK_EVERY_S)
        if is_answering:
            print(_greeting(prepared, first_link), flush=True)  # noqa: T201 - for who started it
            processes.watch()


def listen(settings: Settings) -> None:
    """Listen, and keep workers that answer, until told to stop or the parent is gone."""
    process.end_with_parent()
    # Each worker is forked before anything is open, as this process was.
    multiprocessing.set_start_method("fork", force=True)
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


def tick(settings: Settings) -> None:
    """Run the ticks until told to stop or the parent is gone; the whole life of their process."""
    until = _until_stopped()
    ticks, errands = wiring.open_ticks(settings), wiring.open_errands(settings)
    errands.start()
    ticks.run(until)
    errands.stop()
    ticks.close()


def notify(settings: Settings) -> None:
    """Make notices and send them until told to stop or the parent is gone."""
    until = _until_stopped()
    notifying = wiring.open_notifying(settings)
    notifying.run(until)
    notifying.close()


def _until_stopped() -> Callable[[], bool]:
    """Set up a process beside the workers; return what says that it is to end."""
    process.end_with_parent()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    return stopped.is_set


def _answers(client: httpx.Client, settings: Settings) -> bool:
    """Whether it is ready, asked where everybody will ask."""
    # Whoever listens everywhere listens here too.
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    try:
        return client.get(f"http://{host}:{settings.port}/readyz").is_success
    except httpx.TransportError:
        return False


def _greeting(prepared: Prepared, first_link: Secret | None) -> str:
    settings = prepared.settings
    lines = [f"Tenure serves at http://{settings.listen}  (API: /openapi.json)"]
    token = prepared.operator_token_path
    lines.append(f"Operator token: {token}" if token else "Operator token: from the settings")
    lines.append(f"Console: {settings.console_at}/console")
    for rule in prepared.rulebook.rules:
        if rule.withdrawn_at_ms is not None:
            continue
        terms = f"unrestricted {_length(rule.unrestricted)}, restricted {_length(rule.restricted)}"
        since = wording.instant(rule.effective_from_ms)
        lines.append(f"Rule {rule.rule_id}: {', '.join(rule.permissions)}: {terms}, from {since}")
    if settings.sandbox:
        lines.append("SANDBOX: the clock stands still; move it with PUT /sandbox/clock")
    if first_link is not None:
        # Last, to be found; here and nowhere else: who sees this terminal may open the home too.
        lines.append(f"Become its first administrator: {first_link.reveal()}")
    return "\n".join(lines)


def _length(lifetime: int | str) -> str:
    if isinstance(lifetime, str):
        return lifetime.replace("_", " ")
    days, rest_ms = divmod(lifetime, _DAY_MS)
    return f"{days} days" if not rest_ms else f"{lifetime} ms"
