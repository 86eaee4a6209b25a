"""
A sub-account's owner at what is not his, by address and by form: it looks as if it were not there.

Every route and every kind of visitor are gone through in process; here is what is seen.
"""

from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desks import Desk
from tests.browser.scenes import Scene
from tests.browser.served import Served

OF_ACCOUNT: Final = ("keys", "keys/new", "activity")
OF_KEY: Final = ("", "/edit", "/revoke")
NOBODY: Final = "acct_" + "0" * 24
NOTHING: Final = "key_" + "0" * 24


@pytest.fixture
def sub(pages_of: Callable[[str], Page], shared: Desk) -> Page:
    """Return the page of a sub-account's owner; what is not there is what he is after."""
    shared.watch.expected = {404}
    return pages_of("sub")


def addresses(account_id: str, key_id: str) -> list[str]:
    """Return where an owner looks at an account and at a key of it."""
    accounts = [f"/console/accounts/{account_id}/{page}" for page in OF_ACCOUNT]
    return accounts + [f"/console/keys/{key_id}{page}" for page in OF_KEY]


def seen(page: Page, path: str) -> tuple[int, str]:
    """Open an address, and return the status and all that is read there."""
    answer = page.goto(path)
    assert answer is not None
    return answer.status, page.locator("main").inner_text()


def test_what_is_anothers_looks_like_what_is_not_there(
    sub: Page, shared: Desk, served: Served, scene: Scene
) -> None:
    house = served.house
    theirs = {
        scene.sibling: house.issue(scene.sibling, label="sibling's").key_id,
        scene.mia: house.worker.keys.of_account(scene.mia)[0].key_id,
        scene.ann: scene.key_id,
    }
    nowhere = seen(sub, f"/console/accounts/{NOBODY}/keys")
    assert nowhere[0] == 404

    found = {
        path: seen(sub, path)
        for account_id, key_id in [(NOBODY, NOTHING), *theirs.items()]
        for path in addresses(account_id, key_id)
    }

    assert {path: answer for path, answer in found.items() if answer != nowhere} == {}
    assert shared.watch.faults == []
    assert seen(sub, f"/console/keys/{scene.sub_key_id}")[0] == 200


@pytest.mark.parametrize("whose", ["sibling", "mia", "ann"])
def test_a_form_that_is_sent_to_anothers_key_changes_nothing(
    sub: Page, served: Served, scene: Scene, whose: str
) -> None:
    """His own form, in his own page, with the address of somebody else's key in it."""
    keys = served.house.worker.keys
    key_id = served.house.issue(getattr(scene, whose), label="not his").key_id
    before = keys.get(key_id)
    for act in ("edit", "revoke"):
        sub.goto(f"/console/keys/{scene.sub_key_id}/{act}")
        sub.evaluate(
            """([own, other]) => {
                const form = document.querySelector("main form");
                const plain = form.cloneNode(true);
                plain.removeAttribute("hx-post");
                plain.action = form.action.replace(own, other);
                form.replaceWith(plain);
                plain.submit();
            }""",
            [scene.sub_key_id, key_id],
        )
        expect(sub.get_by_role("heading", name="There is no such page")).to_be_visible()
        assert "not his" not in sub.content()

    assert keys.get(key_id) == before
