"""What each browser test relies on: that a fault of a page is noticed, whatever a test is about."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser import looks
from tests.browser.desks import Desk, sitting
from tests.browser.passkeys import Passkeys

URL = "http://localhost:9"
"""Nobody answers there: the pages are this module's own."""
STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"
GOOD = """<!doctype html><html lang="en"><head><title>Trial</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>Trial</h1><p>{}</p></main></body></html>"""

Show = Callable[..., Page]


@pytest.fixture
def desk(browser: Browser) -> Iterator[Desk]:
    """Sit at a desk without judging at the end: these tests look at what was noticed."""
    desk = Desk(browser, URL)
    yield desk
    desk.leave()


@pytest.fixture
def show(desk: Desk) -> Show:
    """Show a page with some HTML in it, under the console's own rules for what it may load."""

    def shown(html: str, script: str = "", *, status: int = 200) -> Page:
        page = desk.page()

        def answer(route: Route) -> None:
            if route.request.url == f"{URL}/script.js":
                route.fulfill(body=script, content_type="text/javascript")
            elif route.request.url == f"{URL}/":
                headers = {"content-security-policy": STRICT, "content-type": "text/html"}
                route.fulfill(status=status, body=GOOD.format(html), headers=headers)
            else:
                route.abort()

        page.route("**/*", answer)
        page.goto("/")
        return page

    return shown


def test_a_good_page_is_found_good_in_every_view(show: Show, desk: Desk) -> None:
    assert looks.faults(show("All is well."), "harness good") == []
    assert desk.watch.faults == []


def test_a_picture_is_left_for_each_view(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "PICTURES", tmp_path)
    looks.faults(show("All is well."), "keys / one")

    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"keys-one-{view.name}.png" for view in looks.VIEWS}


def test_what_sticks_out_on_a_phone_is_found(show: Show) -> None:
    found = looks.faults(show("W" * 40), "harness wide")

    assert [fault.partition(":")[0] for fault in found] == [
        "harness wide at 375-light",
        "harness wide at 375-dark",
    ]
    assert all("sticks out" in fault for fault in found)


def test_what_cannot_be_read_out_is_found(show: Show) -> None:
    found = looks.inaccessible(show('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'))
    assert [line.partition(":")[0] for line in found] == ["image-alt"]


@pytest.mark.parametrize(
    ("html", "script", "fault"),
    [
        ('<img alt="" src="https://elsewhere.example/a.png">', "", "request elsewhere: GET https"),
        ("<script>let a = 1</script>", "", "console: "),
        ('<b style="color: red">red</b>', "", "console: "),
        ('<script src="/script.js"></script>', "console.error('broken')", "console: broken"),
        ('<script src="/script.js"></script>', "missing()", "script: missing is not defined"),
    ],
)
def test_a_fault_is_noted(show: Show, desk: Desk, html: str, script: str, fault: str) -> None:
    show(html, script)
    assert any(noted.startswith(fault) for noted in desk.watch.faults), desk.watch.faults


def test_an_answer_is_a_fault_unless_it_was_expected(show: Show, desk: Desk) -> None:
    show("Refused.", status=403)
    assert desk.watch.faults == [f"answer: 403 to {URL}/"]

    desk.watch.expected.add(403)
    show("Refused.", status=403)
    assert len(desk.watch.faults) == 1


def test_a_test_fails_for_what_was_noted(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="request elsewhere"), sitting(browser, URL) as desk:
        desk.watch.faults.append("request elsewhere")


def test_a_passkey_is_made_and_used_and_carried_to_another_page(show: Show) -> None:
    first, second = show(""), show("")
    passkeys = Passkeys.plug(first)
    made = first.evaluate(
        """async () => {
            const made = await navigator.credentials.create({publicKey: {
                challenge: new Uint8Array(32), rp: {id: "localhost", name: "Tenure"},
                user: {id: new Uint8Array([1]), name: "ann", displayName: "Ann"},
                pubKeyCredParams: [{type: "public-key", alg: -7}],
                authenticatorSelection: {residentKey: "required", userVerification: "required"},
            }});
            return made.id;
        }"""
    )
    carried = Passkeys.plug(second)
    carried.take_from(passkeys)
    asked = """async () => (await navigator.credentials.get({publicKey: {
        challenge: new Uint8Array(32), rpId: "localhost", userVerification: "required",
    }})).id"""
    assert [passkey["credentialId"] for passkey in passkeys.held()] == [
        base64.b64encode(base64.urlsafe_b64decode(f"{made}==")).decode()
    ]
    assert first.evaluate(asked) == second.evaluate(asked) == made
