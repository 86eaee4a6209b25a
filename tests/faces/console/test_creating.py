"""Creating a key by form: two steps, what is wrong at each, the secret once, and acting once."""

from pathlib import Path

import pytest

from tenure.domain.model import KeyType
from tests import signers
from tests.builders import TRADING
from tests.faces.console.visiting import Browser, Visited, fields_of, words
from tests.house import Reply


def reviewed(owner: Browser, account: str, **chosen: str) -> Reply:
    """Fill in both steps and return the page that asks for the second factor."""
    path = f"/console/accounts/{account}/keys/new"
    first = {"label": "my bot", "key_type": "hmac", "public_key": "", **chosen}
    second = owner.post(path, first)
    assert "Step 2 of 2" in words(second), words(second)
    ticked = [*fields_of(second), ("permission", TRADING)]
    return owner.post(f"{path}/review", ticked)


def test_an_hmac_secret_is_shown_once_and_nowhere_else(visited: Visited) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    path = f"/console/accounts/{account}/keys/new/issue"
    page = reviewed(owner, account)
    assert "“Enable Spot & Margin Trading” will be on until 31 Dec 2021, 10:00" in words(page)
    assert "Margin trading carries a high risk" in words(page)
    assert "The secret key is shown once" in words(page)

    issued = owner.post(path, owner.fill(page, {"code": owner.code()}))

    (key,) = visited.house.worker.keys.of_account(account)
    assert issued.headers["cache-control"] == "no-store"
    secret = issued.body.decode().partition('id="secret-key"')[2].partition(">")[2]
    secret = secret.partition("<")[0]
    assert len(secret) == 64
    assert "It is shown this once and never again." in words(issued)
    for other in (f"/console/keys/{key.key_id}", "/console/keys"):
        assert secret not in owner.get(other).body.decode()

    again = owner.post(path, owner.fill(page, {"code": ""}))
    assert again.headers["location"] == f"/console/keys/{key.key_id}?done=created"
    assert "is not shown again" in words(owner.get(again.headers["location"]))
    assert len(visited.house.worker.keys.of_account(account)) == 1


def test_a_public_key_is_taken_and_no_secret_is_spoken_of(visited: Visited) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    public = signers.public_key(KeyType.ED25519)
    page = reviewed(owner, account, key_type="ed25519", public_key=public or "")

    path = f"/console/accounts/{account}/keys/new/issue"
    issued = owner.post(path, owner.fill(page, {"code": owner.code()}))

    (key,) = visited.house.worker.keys.of_account(account)
    assert key.key_type is KeyType.ED25519
    assert "The private key is yours alone" in words(issued)
    assert "secret-key" not in issued.body.decode()


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"label": ""}, "label-error"),
        ({"key_type": "ed25519", "public_key": "not a key"}, "public_key-error"),
        ({"key_type": "rsa"}, "public_key-error"),
        ({"key_type": "dsa"}, "key_type-error"),
    ],
)
def test_what_is_wrong_in_the_first_step_is_told_there(
    visited: Visited, chosen: dict[str, str], field: str
) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    filled = {"label": "my bot", "key_type": "hmac", "public_key": "", **chosen}

    page = owner.post(f"/console/accounts/{account}/keys/new", filled)

    assert page.status == 422
    assert f'id="{field}"' in page.body.decode()
    assert "Step 1 of 2" in words(page)


def test_the_review_goes_back_to_the_second_step_with_all_that_was_filled_in(
    visited: Visited,
) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    path = f"/console/accounts/{account}/keys/new"
    page = reviewed(owner, account)
    assert f'formaction="{path}/review"' in page.body.decode()

    chosen = {"access": "trusted", "addresses": "203.0.113.7", "back": "1"}
    back = owner.post(f"{path}/review", owner.fill(page, chosen))

    assert (back.status, "Step 2 of 2" in words(back)) == (200, True)
    kept = fields_of(back)
    assert {("label", "my bot"), ("permission", TRADING), ("access", "trusted")} <= set(kept)
    assert dict(kept)["addresses"].strip() == "203.0.113.7"


def test_a_pasted_private_key_is_refused_and_not_shown_again(visited: Visited) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----"
    filled = {"label": "bot", "key_type": "ed25519", "public_key": private}

    page = owner.post(f"/console/accounts/{account}/keys/new", filled)

    assert page.status == 422
    assert "MC4CAQAwBQYDK2VwBCIEIA" not in page.body.decode()


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_public_key_stays_only_with_whoever_has_its_private_half(
    visited: Visited, *, is_saved: bool
) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    public = signers.public_key(KeyType.ED25519) or ""
    filled = {"label": "", "key_type": "ed25519", "public_key": public}
    filled["made_here"] = "" if is_saved else "1"

    page = owner.post(f"/console/accounts/{account}/keys/new", filled)

    kept = dict(fields_of(page))["public_key"].strip()
    assert kept == (public.strip() if is_saved else "")
    assert ("Make the pair again." in words(page)) is not is_saved


def test_a_pair_is_no_matter_any_more_once_another_type_is_chosen(visited: Visited) -> None:
    account = visited.house.account()
    owner = visited.owner(account)
    public = signers.public_key(KeyType.ED25519) or ""
    filled = {"label": "bot", "key_type": "rsa", "public_key": public, "made_here": "1"}

    page = words(owner.post(f"/console/accounts/{account}/keys/new", filled))

    assert "The key is to be RSA, but this is Ed25519." in page
    assert "Make the pair again." not in page


def test_a_full_account_says_what_to_do(tmp_path: Path) -> None:
    visited = Visited.open(tmp_path / "home", keys_per_account=1)
    account = visited.house.account()
    visited.house.issue(account)
    owner = visited.owner(account)

    assert "Revoke one to make room." in words(owner.get("/console/keys"))
    filled = {"label": "bot", "key_type": "hmac", "public_key": ""}
    page = owner.post(f"/console/accounts/{account}/keys/new", filled)
    assert page.status == 422
    assert "Revoke one to make room." in words(page)
    visited.house.close()


def test_a_master_creates_a_key_for_its_sub_account(visited: Visited) -> None:
    ids = visited.tree()
    master = visited.owner(ids["master"])
    page = reviewed(master, ids["sub"])

    path = f"/console/accounts/{ids['sub']}/keys/new/issue"
    master.post(path, master.fill(page, {"code": master.code()}))

    assert [key.label for key in visited.house.worker.keys.of_account(ids["sub"])] == ["my bot"]


def test_a_box_names_what_it_needs_where_that_is_not_ticked(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    form = owner.get(path)
    assert "Needs “Enable Reading”" not in words(form)

    filled = owner.fill(form, {"access": "trusted"})
    again = owner.post(path, [pair for pair in filled if pair != ("permission", "reading")])

    assert "Needs “Enable Reading”" in words(again)
