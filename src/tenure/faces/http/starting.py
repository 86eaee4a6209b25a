"""Starting a whole Tenure as a child, for the demo and for whoever tests against a real one."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx

from tenure.clock import Clock
from tenure.domain.errors import Unavailable
from tenure.settings import Settings

READY_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.05
_STOP_WITHIN_S = 20.0


@contextlib.contextmanager
def starting(settings: Settings, clock: Clock) -> Iterator[str]:
    """
    Run `tenure serve` with *settings* while the block runs; yield its base URL once it is ready.

    A port of 0 is replaced by a free one. *clock* only waits. Raises Unavailable `start` with what
    the server said where it does not get ready.
    """
    if settings.port == 0:
        settings = settings.model_copy(update={"listen": f"{settings.host}:{_free_port()}"})
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.home / "serve.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tenure", "serve"],
            env=_environment(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://{settings.listen}"
    try:
        _wait(process, url, settings, clock)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str, settings: Settings, clock: Clock) -> None:
    with httpx.Client(trust_env=False) as client:
        for _ in range(int(READY_WITHIN_S / _LOOK_EVERY_S)):
            if process.poll() is not None:
                break
            with contextlib.suppress(httpx.TransportError):
                if client.get(f"{url}/readyz").is_success:
                    return
            clock.sleep(_LOOK_EVERY_S)
    said = (settings.home / "serve.log").read_text(errors="replace")
    raise Unavailable("start", f"the server did not get ready:\n{said[-4000:]}")


def _environment(settings: Settings) -> dict[str, str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("TENURE_")
    }
    for name, value in settings.model_dump(mode="json").items():
        if value is not None:
            text = ",".join(value) if isinstance(value, list) else str(value)
            environment[f"TENURE_{name.upper()}"] = text
    return environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
