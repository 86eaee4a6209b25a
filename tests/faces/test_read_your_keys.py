"""The how-to page for owners is run as it stands, against a server that really runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # A server starts, which takes some seconds.

HOWTO = Path(__file__).parents[2] / "docs" / "howto"


def block(page: str) -> str:
    found = re.search(r"```python\n(.*?)```", (HOWTO / page).read_text("utf-8"), re.DOTALL)
    assert found
    return found.group(1)


def test_the_example_lists_an_owners_keys_and_ends_one(server: Server, tmp_path: Path) -> None:
    (tmp_path / "sign.py").write_text(block("sign-requests-natively.md"), "utf-8")
    (tmp_path / "keys.py").write_text(block("read-your-keys-over-the-api.md"), "utf-8")
    account_id, stranger_s = server.account("reads@example.com"), server.key("other@example.com")

    def create(label: str, *words: str) -> dict[str, str]:
        made = server.tenure("keys", "create", account_id, "--label", label, "--json", *words)
        key: dict[str, str] = made.json()
        return key

    reader, trader = create("reader"), create("trader", "--tick", "spot_margin_trading")

    def run(key: dict[str, str], *words: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "keys.py", *words],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={
                "TENURE_SERVER": server.url,
                "ACCOUNT_ID": account_id,
                "API_KEY": key["api_key"],
                "SECRET_KEY": key["secret_key"],
            },
        )
        return done.stdout, done.stderr

    listed, said = run(reader)
    assert said == ""
    assert f"{reader['key_id']} reader active" in listed
    # Other tests move the clock of this server.
    assert re.search(r"  spot_margin_trading: on, ends 16409448\d{5}\n", listed)
    assert run(reader, trader["key_id"])[1].startswith("permission_missing: ")
    assert run(trader, stranger_s)[1].startswith("not_found: ")
    assert f"{reader['key_id']} reader revoked" in run(trader, reader["key_id"])[0]
    assert run(reader)[1].startswith("key_revoked: ")
