"""The how-to's snippets do what the page says, run as they stand by the Python of their client."""

import re
import subprocess
from collections.abc import Mapping

import pytest

from tenure.domain.model import KeyType
from tests.clients import installing
from tests.clients.bots import Client
from tests.clients.venue import TERM_MS, Key, Venue

pytestmark = pytest.mark.clients

PAGE = (installing.ROOT / "docs/howto/use-with-binance-clients.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8090"


def snippets() -> Mapping[str, str]:
    """Return the Python of each section that opens with some, by the section's title."""
    found = re.findall(r"^## ([^\n]+)\n.*?^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return {str(title): str(code) for title, code in found}


def run(client: Client, venue: Venue, key: Key) -> list[str]:
    code = snippets()[client.name]
    assert ADDRESS in code
    assert key.secret_key is not None
    done = subprocess.run(
        [installing.install(client.name), "-c", code.replace(ADDRESS, venue.url)],
        env={"NO_PROXY": "*", "API_KEY": key.key["api_key"], "SECRET_KEY": key.secret_key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_snippet_tells_the_end_before_it_and_the_reason_after_it(
    here: Venue, client: Client
) -> None:
    key = here.issue(here.account(), KeyType.HMAC)
    end_ms = here.now_ms() + TERM_MS

    assert run(client, here, key) == [f"trading ends at {end_ms}", "order accepted"]

    here.move(end_ms)
    assert run(client, here, key) == [
        "trading ends at no time",
        "refused: 401 -2015 Invalid API-key, IP, or permissions for action.",
        f"because: permission_expired {end_ms}",
    ]
