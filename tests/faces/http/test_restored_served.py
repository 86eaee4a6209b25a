"""A restored store behind a real server: held on every worker, and released without a restart."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tenure import settings, wiring
from tenure.domain.model import AccountKind, KeyType
from tenure.services.keys import Draft
from tests import signers
from tests.faces.terminal import tenure

WITHIN_S = 60


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with a store in it that was backed up, and restored there."""
    before, after = tmp_path / "before", tmp_path / "after"
    with closing(wiring.open_alone(settings.load(home=before))) as worker:
        account = worker.accounts.create("a@example.com", AccountKind.NORMAL, None, "operator")
        draft = Draft(label="x", key_type=KeyType.HMAC, permissions=("spot_margin_trading",))
        issued = worker.keys.issue(account.account_id, draft, "operator")
        assert issued.secret_key is not None
        (tmp_path / "secret").write_text(issued.secret_key.reveal())
        (tmp_path / "api_key").write_text(issued.plan.after.api_key)
    assert tenure("backup", str(tmp_path / "backup"), "--home", str(before)).code == 0
    assert tenure("restore", str(tmp_path / "backup"), "--home", str(after)).code == 0
    for name in ("sealing-key", "log-key", "operator-token"):
        shutil.copy2(before / name, after / name)
    return after


@contextlib.contextmanager
def serving(home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = {name: value for name, value in os.environ.items() if "TENURE_" not in name}
    words = ["serve", "--home", str(home), "--listen", listen, "--workers", "2"]
    with (home / "serve.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tenure", *words],
            env={**environment, "TENURE_CHECKPOINT_EVERY_MS": "1000"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"http://{listen}"
    finally:
        process.terminate()
        process.wait(WITHIN_S)


def until(web: httpx.Client, path: str, status: int) -> httpx.Response:
    """Ask again and again until that is the answer."""
    for _ in range(WITHIN_S * 10):
        with contextlib.suppress(httpx.TransportError):
            reply = web.get(path)
            if reply.status_code == status:
                return reply
        time.sleep(0.1)
    pytest.fail(f"{path} was never {status}")


@pytest.mark.slow
def test_a_restored_store_is_held_on_every_worker_until_it_is_released(home: Path) -> None:
    secret = (home.parent / "secret").read_bytes()
    token = (home / "operator-token").read_text().strip()
    as_operator = {"authorization": f"Bearer {token}"}

    def restrictions(url: str) -> httpx.Response:
        query = f"timestamp={time.time_ns() // 1_000_000}"
        signed = f"{query}&signature={signers.hmac_sign(secret, query.encode())}"
        api_key = (home.parent / "api_key").read_text()
        # A connection of its own, so that either worker may get it.
        path = f"{url}/sapi/v1/account/apiRestrictions?{signed}"
        return httpx.get(path, headers={"x-mbx-apikey": api_key}, trust_env=False)

    with serving(home) as url, httpx.Client(base_url=url, trust_env=False) as web:
        assert until(web, "/readyz", 503).json()["code"] == "restored"
        assert {restrictions(url).status_code for _ in range(40)} == {503}
        body = {"email": "b@example.com", "kind": "normal"}
        refused = web.post("/v1/accounts", json=body, headers=as_operator)
        assert (refused.status_code, refused.json()["code"]) == (503, "restored")

        assert tenure("restore", "--accept", "a rehearsal", "--home", str(home)).code == 0
        until(web, "/readyz", 200)
        assert {restrictions(url).status_code for _ in range(40)} == {200}
        assert web.post("/v1/accounts", json=body, headers=as_operator).status_code == 201
        latest = until(web, "/v1/checkpoints/latest", 200).text
        assert latest.splitlines()[0].startswith("tenure/store_")
        assert re.search(r"/5-[0-9a-f]{8}\Z", latest.splitlines()[0])
