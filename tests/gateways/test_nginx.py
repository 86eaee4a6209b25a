"""A real nginx asks Tenure about every request, configured as the how-to says."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from typing_extensions import override

from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tenure.settings import load
from tests import signers

ROOT = Path(__file__).parent.parent.parent
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
CONFIGURATION = """
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    {server}
}}
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt-get install nginx-light"),
]


class Api(BaseHTTPRequestHandler):
    """The API behind the gateway: says who it was told is calling."""

    def do_GET(self) -> None:
        """Answer with the identity headers that arrived."""
        said = f"{self.headers.get('Tenure-Account')} {self.headers.get('Tenure-Permission')}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    @override
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def an_api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def a_gateway(home: Path, tenure: str, api: str) -> Iterator[str]:
    page = (ROOT / "docs/howto/ask-from-a-gateway.md").read_text(encoding="utf-8")
    found = re.search(r"```nginx\n(.*?)```", page, re.DOTALL)
    assert found
    listen = f"127.0.0.1:{free_port()}"
    server = found.group(1).replace("127.0.0.1:8088", listen).replace("127.0.0.1:9000", api)
    server = server.replace("http://127.0.0.1:8080", tenure)
    (home / "nginx.conf").write_text(CONFIGURATION.format(home=home, server=server))
    assert NGINX
    process = subprocess.Popen([NGINX, "-c", str(home / "nginx.conf"), "-p", str(home)])
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, trust_env=False) as client:
            client.get(f"http://{listen}/")
        yield f"http://{listen}"
    finally:
        process.terminate()
        process.wait()


def test_nginx_lets_through_what_tenure_allows_and_nothing_else(tmp_path: Path) -> None:
    clock = SystemClock(tmp_path / "clock")
    settings = load(
        home=tmp_path / "var", listen="127.0.0.1:0", trusted_proxies=("127.0.0.1/32",), workers=1
    )
    with starting(settings, clock) as tenure, an_api() as api:
        operator = (tmp_path / "var" / "operator-token").read_text().strip()
        with httpx.Client(
            base_url=tenure, headers={"Authorization": f"Bearer {operator}"}, trust_env=False
        ) as client:
            account = client.post("/v1/accounts", json={"email": "a@example.com", "kind": "normal"})
            draft = {"label": "bot", "key_type": "hmac", "permissions": [], "ip_allowlist": []}
            owner = account.json()["account_id"]
            key = client.post(f"/v1/accounts/{owner}/keys", json=draft).json()
        query = f"timestamp={clock.wall_ms()}&recvWindow=60000"
        signature = signers.hmac_sign(key["secret_key"].encode(), query.encode())
        with (
            a_gateway(tmp_path, tenure, api) as gateway,
            httpx.Client(base_url=gateway, trust_env=False) as client,
        ):
            forged = {"Tenure-Account": "acct_somebody", "X-Original-URI": "/api/v3/ping"}
            signed = {"X-MBX-APIKEY": key["api_key"], **forged}

            allowed = client.get(f"/api/v3/account?{query}&signature={signature}", headers=signed)
            assert (allowed.status_code, allowed.text) == (200, f"{owner} reading")

            wrong = client.get(f"/api/v3/account?{query}&signature={'0' * 64}", headers=signed)
            assert wrong.status_code == 401
            assert "tenure-refusal" not in wrong.headers

            lacking = client.get(f"/fapi/v1/order?{query}&signature={signature}", headers=signed)
            assert lacking.status_code == 403
            assert lacking.headers["tenure-refusal"] == "route_unknown"

            public = client.get("/api/v3/ping", headers=forged)
            assert (public.status_code, public.text) == (200, "None None")
    clock.close()
