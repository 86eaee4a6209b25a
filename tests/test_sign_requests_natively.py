"""The how-to page is run as it stands, and what it prints is decided on."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tenure.domain import decide, messages
from tenure.domain.messages import SignedMessage
from tenure.domain.model import ApiKey, KeyType
from tests import signers
from tests.builders import TRADING, a_key, an_address, load

PAGE = Path(__file__).parent.parent / "docs" / "howto" / "sign-requests-natively.md"
HOST, TARGET = "api.example.com", "/api/v3/order?symbol=BTCUSDT&side=BUY"
BODY = b'{"quantity":"1"}'


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    return found.group(1)


def judged(key: ApiKey, headers: dict[str, str], body: bytes, target: str = TARGET) -> object:
    sent = {name.lower(): value for name, value in headers.items()} | {"host": HOST}
    request = messages.parse("POST", target, sent, body, an_address())
    assert isinstance(request, SignedMessage), request
    return decide.decide(request, TRADING, load(key), time.time_ns() // 1_000_000)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl on this machine")
def test_the_shell_example_signs(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(signers.private_key())
    stub = tmp_path / "curl"
    stub.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    stub.chmod(0o755)
    key = a_key(TRADING, key_type=KeyType.ED25519)
    ran = subprocess.run(
        ["/bin/sh", "-eu", "-c", block("sh")],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "API_KEY": key.api_key},
    )

    arguments = ran.stdout.splitlines()
    assert arguments[:3] == ["--request", "POST", f"https://{HOST}{TARGET}"]
    assert arguments[arguments.index("--data") + 1] == BODY.decode()
    given = [arguments[at + 1] for at, name in enumerate(arguments) if name == "--header"]
    headers = dict(header.split(": ", 1) for header in given)
    assert isinstance(judged(key, headers, BODY), decide.Allowed)


@pytest.mark.parametrize("body", [b"", BODY])
@pytest.mark.parametrize("target", [TARGET, "/"])
def test_the_python_example_signs(target: str, body: bytes) -> None:
    example: dict[str, Any] = {}
    exec(block("python"), example)  # noqa: S102 - our own page
    key = a_key(TRADING, key_type=KeyType.HMAC)
    url = f"https://{HOST.upper()}{target}".removesuffix("/")
    headers = example["sign"]("POST", url, body, key.api_key, signers.SECRET)
    assert isinstance(judged(key, headers, body, target), decide.Allowed)
