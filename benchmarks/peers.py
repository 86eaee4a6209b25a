"""
Others that let a gateway's request pass or not, run beside Tenure: nginx with Lua, and better-auth.

Each is installed where it can be (nginx by Debian's packages, better-auth by npm into `.clients`);
where it cannot, `Unavailable` says why and the run goes on without it.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tenure.domain.errors import Unavailable

_HERE: Final = Path(__file__).parent
_INSTALLED: Final = _HERE.parent / ".clients" / "better-auth"
_BETTER_AUTH: Final = ("better-auth@1.7.5", "@better-auth/api-key@1.7.5")
_LUA: Final = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")


class Peer(NamedTuple):
    """Where a peer answers, and the headers it wants besides those every server is sent."""

    url: str
    headers: Mapping[str, str]


@contextlib.contextmanager
def nginx_lua(api_key: str, secret: str, pinned: Sequence[str]) -> Iterator[Peer]:
    """Run nginx, one worker, that checks HMAC signatures of *api_key* by *secret* in Lua."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is None or not _LUA.is_file():
        raise Unavailable("nginx", "not there: apt-get install nginx libnginx-mod-http-lua")
    with tempfile.TemporaryDirectory(prefix="tenure-peer-") as home:
        port = _free_port()
        text = (_HERE / "beside" / "nginx.conf").read_text(encoding="utf-8")
        for name, value in {
            "{home}": home,
            "{port}": str(port),
            "{api_key}": api_key,
            "{secret}": secret,
        }.items():
            text = text.replace(name, value)
        configuration = Path(home) / "nginx.conf"
        configuration.write_text(text, encoding="utf-8")
        with _running([*pinned, nginx, "-p", home, "-c", str(configuration)]) as process:
            _await_port(port, process)
            yield Peer(f"http://127.0.0.1:{port}/", {})


@contextlib.contextmanager
def better_auth(pinned: Sequence[str]) -> Iterator[Peer]:
    """Run better-auth's API-key plug-in over its memory adapter, in one Node process."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Unavailable("node", "not there: apt-get install nodejs npm")
    if not (_INSTALLED / "node_modules" / "better-auth").is_dir():
        _INSTALLED.mkdir(parents=True, exist_ok=True)
        # Its plug-in names another exact version of a helper than it does itself.
        quiet = ("--silent", "--no-audit", "--no-fund", "--legacy-peer-deps")
        done = subprocess.run([npm, "install", *quiet, *_BETTER_AUTH], cwd=_INSTALLED, check=False)
        if done.returncode:
            raise Unavailable("node", "npm could not install better-auth")
    script = _INSTALLED / "server.mjs"
    shutil.copyfile(_HERE / "beside" / "better-auth.mjs", script)
    port = _free_port()
    with _running([*pinned, node, str(script), str(port)]) as process:
        assert process.stdout is not None
        key = process.stdout.readline().strip()
        if not key:
            raise Unavailable("node", "better-auth did not start")
        yield Peer(f"http://127.0.0.1:{port}/", {"X-API-Key": key})


@contextlib.contextmanager
def _running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _await_port(port: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
    raise Unavailable("nginx", "it did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
