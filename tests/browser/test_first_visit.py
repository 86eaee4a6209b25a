"""The tutorial, lived by clicking: from an empty home and the printed link to an allowed order."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tenure import settings
from tenure.clock import SystemClock
from tenure.faces.http.starting import starting
from tests.browser import served, tutorial
from tests.browser.desks import Desk, sitting
from tests.browser.passkeys import Passkeys

PASSWORD: Final = "several words are hard to guess"
IMAGES_BYTES_MAX: Final = 1_000_000
"""Of all pictures together: every clone carries them."""
_LINK = re.compile(r"Become its first administrator: (http://\S+)")
_SAID_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class Told:
    """What of the document's words and pictures was there in fact."""

    words: set[str] = field(default_factory=set)
    pictures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who does what is *told*, at a *page* with a passkey plugged in."""

    page: Page
    told: Told

    @classmethod
    def arrives(cls, desk: Desk, told: Told, link: str) -> "Newcomer":
        """Open the *link* in a browser of her own."""
        context = desk.browse()
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        Passkeys.plug(page)
        page.goto(link)
        return cls(page, told)

    def sees(self, words: str) -> Locator:
        """Wait until a heading or link says so."""
        shown = self.page.get_by_role("heading", name=words, exact=True)
        shown = shown.or_(self.page.get_by_role("button", name=words, exact=True)).first
        expect(shown).to_be_visible()
        self.told.words.add(words)
        return shown

    def fills(self, label: str, text: str) -> None:
        """Fill in a field."""
        self.page.get_by_label(label, exact=True).fill(text)
        self.told.words.add(label)

    def presses(self, words: str) -> None:
        """Press the button or link that says so to whoever looks at it."""
        pressed = self.page.locator("main").locator("a, button").filter(visible=True)
        pressed.filter(has_text=re.compile(rf"^\s*{re.escape(words)}\b")).first.click()
        self.told.words.add(words)

    def pictures(self, name: str, *, secret: str | None = None) -> None:
        """Take the picture that the document shows here."""
        tutorial.take(self.page, name, secret=self.page.locator(secret) if secret else None)
        self.told.pictures.append(name)

    def copies(self) -> str:
        """Press the button that copies, and return what was copied."""
        self.presses("Copy")
        copied: str = self.page.evaluate("navigator.clipboard.readText()")
        return copied

    def downloads(self) -> Path:
        """Press the button that downloads, and return the file."""
        with self.page.expect_download() as saved:
            self.presses("Download")
        return Path(saved.value.path())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return where it keeps its files: empty."""
    return tmp_path / "var"


@pytest.fixture
def desk(browser: Browser, home: Path) -> Iterator[Desk]:
    """Serve as `make serve` does, but for the port, and sit down before it."""
    given = settings.load(home=home, listen=served.free_address(), workers=1)
    with (
        closing(SystemClock(home.parent / "clock")) as clock,
        starting(given, clock),
        sitting(browser, f"http://{given.listen}".replace("127.0.0.1", "localhost")) as desk,
    ):
        yield desk


def printed_link(home: Path) -> str:
    """Return the link that the server prints once it answers."""
    for _ in range(_SAID_WITHIN_S * 10):
        found = _LINK.search((home / "serve.log").read_text("utf-8"))
        if found:
            return found.group(1)
        time.sleep(0.1)
    pytest.fail("no link was printed")


def runs(home: Path, url: str, api_key: str, private_key: Path, path: str = "") -> str:
    """Run the document's program as it tells to, or with another *path*; return what it prints."""
    program = tutorial.program()
    assert "http://127.0.0.1:8080/" in program
    program = program.replace("http://127.0.0.1:8080", url.replace("localhost", "127.0.0.1"))
    file = home.parent / "order.py"
    file.write_text(program.replace("/api/v3/order", path) if path else program, "utf-8")
    ran = subprocess.run(
        [sys.executable, "order.py", api_key, private_key],
        cwd=home.parent,
        env={},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ran.stdout.strip()


def becomes_administrator(ada: Newcomer) -> None:
    """Live step 2."""
    ada.pictures("welcome")
    ada.fills("E-mail", "ada@example.com")
    ada.fills("Choose a password", PASSWORD)
    ada.presses("Continue")
    ada.sees("Set up a second factor")
    ada.sees("Set up an app")
    ada.pictures("factor")
    ada.presses("Create a passkey")
    ada.sees("Your recovery codes")
    assert len(ada.downloads().read_text("utf-8").split()) >= 10
    ada.presses("I have kept them")


def creates_account(ada: Newcomer) -> str:
    """Live step 3, and return the link."""
    ada.sees("Overview")
    ada.sees("There is no account yet")
    ada.pictures("overview")
    ada.presses("Create the first account")
    ada.fills("E-mail", "tess@example.com")
    ada.presses("Continue")
    ada.presses("Create the account")
    ada.sees("The link is made")
    ada.pictures("link", secret="#invitation")
    return ada.copies()


def becomes_owner(tess: Newcomer) -> None:
    """Live step 4."""
    expect(tess.page.get_by_text("tess@example.com")).to_be_visible()
    tess.fills("Choose a password", PASSWORD)
    tess.presses("Continue")
    tess.presses("Create a passkey")
    tess.presses("I have kept them")


def makes_key(tess: Newcomer) -> tuple[str, Path]:
    """Live step 5, and return the API key and the file of its private key."""
    tess.sees("API Management")
    tess.sees("No API keys yet")
    tess.presses("Create your first API key")
    tess.fills("Label", "my first bot")
    tess.presses("Make a key pair here")
    tess.pictures("pair", secret="#private-key")
    private_key = tess.downloads()
    tess.presses("Next")
    tess.page.get_by_label("Enable Spot & Margin Trading", exact=True).check()
    tess.told.words.add("Enable Spot & Margin Trading")
    tess.pictures("boxes")
    tess.presses("Review")
    tess.presses("Create key")
    tess.sees("Your API key is ready")
    tess.pictures("ready")
    return tess.copies(), private_key


def test_a_newcomer_who_does_what_the_tutorial_says_is_allowed(desk: Desk, home: Path) -> None:
    told = Told()
    ada = Newcomer.arrives(desk, told, printed_link(home))
    becomes_administrator(ada)
    tess = Newcomer.arrives(desk, told, creates_account(ada))
    becomes_owner(tess)
    api_key, private_key = makes_key(tess)

    assert runs(home, desk.url, api_key, private_key) == "allowed"
    withdrawal = "/sapi/v1/capital/withdraw/apply"
    assert f"`{withdrawal}`" in tutorial.PAGE.read_text("utf-8")
    refused = runs(home, desk.url, api_key, private_key, withdrawal)
    assert refused == "refused: permission_missing"

    tess.presses("To the key")
    tess.sees("my first bot")
    tess.pictures("key")
    tess.presses("Edit restrictions")
    assert told.words - {"my first bot"} == tutorial.quoted()
    assert told.pictures == tutorial.pictures()


def test_the_tutorials_pictures_are_all_there_and_light_to_carry() -> None:
    images = {path.stem: path for path in tutorial.IMAGES.iterdir()}
    assert images.keys() == set(tutorial.pictures())
    assert sum(path.stat().st_size for path in images.values()) < IMAGES_BYTES_MAX
