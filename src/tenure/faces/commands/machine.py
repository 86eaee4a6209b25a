"""
What `tenure doctor` makes of the machine: Python, SQLite, the clock, the disk, and the keyring.

The checks of the home and the store are in `checkup`.
"""

import contextlib
import ctypes
import platform
import shutil
import socket
import subprocess
from typing import Final

from tenure.clock import SandboxClock, SystemClock
from tenure.domain.errors import Unavailable
from tenure.faces.commands.checks import Check, failed, ok, unknown
from tenure.services.keyring import Evidence
from tenure.settings import Settings
from tenure.store import condition

FREE_BYTES_MIN: Final = 256 * 2**20
"""Room for the store's log, the keyring's growth, and time to act before writes fail."""

_TIME_ERROR: Final = 5
"""What adjtimex(2) answers where nothing keeps the clock right."""
_TIMEX_BYTES: Final = 512
"""More than the kernel's struct timex, which is about 208 on 64 bits."""
_STEP_S: Final = 5
_CONNECT_S: Final = 0.5


def python() -> Check:
    """Which Python runs this; the package itself asks for 3.11 or later."""
    return ok("python", f"{platform.python_implementation()} {platform.python_version()}")


def sqlite(settings: Settings) -> Check:
    """Whether the SQLite in use may share a store between processes (SECURITY D8)."""
    if condition.file_of(settings.database_url) is None:
        return ok("sqlite", "not in use: another database is")
    found = condition.sqlite()
    mend = "install Tenure's own requirements again: pysqlite3 brings SQLite with it"
    if not found.is_new_enough:
        needed = f"{found.version} can corrupt a shared store; {found.version_min} is needed"
        return failed("sqlite", needed, mend)
    if not found.is_thread_safe:
        return failed("sqlite", f"{found.version}, built without threads", mend)
    return ok("sqlite", f"{found.version}, safe between threads and processes")


def clock(settings: Settings) -> Check:
    """Whether something keeps the machine's clock right, and it has not gone back (T29, D19)."""
    try:
        if (settings.home / "time-mark").is_file():
            with contextlib.closing(SystemClock(settings.home)) as held:
                held.now_ms()
    except Unavailable as error:
        mend = "set the clock right; until it has caught up nobody is decided"
        return failed("clock", error.message, mend)
    is_synchronised = _kernel_says()
    if is_synchronised is None:
        is_synchronised = _system_says()
    if is_synchronised is None:
        return unknown("clock", "neither the kernel nor timedatectl says if it is synchronised")
    if not is_synchronised:
        mend = "run chrony or systemd-timesyncd here, or on the host where this is a container"
        return failed("clock", "the kernel says it is not synchronised", mend)
    return ok("clock", "synchronised")


def disk(settings: Settings) -> Check:
    """Whether there is room where the home is, or will be."""
    place = settings.home.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < FREE_BYTES_MIN:
        mend = f"free some: at least {FREE_BYTES_MIN // 2**20} MiB, or writes will fail"
        return failed("disk", f"{free // 2**20} MiB free at {place}", mend)
    return ok("disk", f"{free / 2**30:.1f} GiB free at {place}")


def keyring(settings: Settings) -> Check:
    """Whether this machine's copy of the keys is followed; without a server it need not be."""
    if not (settings.home / "keyring-evidence").is_file():
        return unknown("keyring", "never followed here", "run `tenure serve`")
    evidence = Evidence(settings.home).read()
    is_sandbox = SandboxClock.stands_in(settings.home)
    made = SandboxClock(settings.home) if is_sandbox else SystemClock(settings.home)
    age_ms = None
    with contextlib.closing(made) as now:
        if evidence is not None and evidence[1] == now.boot():
            age_ms = (now.elapsed_ns() - evidence[0]) // 1_000_000
    if age_ms is not None and age_ms <= settings.staleness_ms and evidence is not None:
        return ok("keyring", f"followed {age_ms} ms ago, at event {evidence[3]}")
    found = (
        "no evidence of this boot" if age_ms is None else f"last followed {age_ms / 1000:.0f} s ago"
    )
    if _somebody_serves(settings):
        mend = "its ticks stand still, and it refuses everything: look at its log, restart it"
        return failed("keyring", f"{found}, though a server answers at {settings.listen}", mend)
    return unknown("keyring", f"{found}, and no server answers at {settings.listen}")


def _kernel_says() -> bool | None:
    """Ask adjtimex(2), without changing anything; None where it may not be asked."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(
            ctypes.create_string_buffer(_TIMEX_BYTES)
        )
    except (AttributeError, OSError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _system_says() -> bool | None:
    """Ask systemd; None where it is not there or does not know."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    asked = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=_STEP_S, check=False)  # noqa: S603 - found on the path, no arguments from outside
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(said.stdout.strip())


def _somebody_serves(settings: Settings) -> bool:
    try:
        with socket.create_connection((settings.host, settings.port), timeout=_CONNECT_S):
            return True
    except OSError:
        return False
