"""Rotating, revoking, quarantining and releasing by form: told first, proved, and done once."""

import pytest

from tenure.domain.model import ApiKey, KeyStatus, KeyType
from tests import signers
from tests.builders import TRADING
from tests.faces.console.visiting import Browser, Visited, fields_of, words
from tests.house import Reply


def asked(owner: Browser, key: ApiKey, what: str, **chosen: str) -> Reply:
    """Open the page that tells what will follow, and confirm it."""
    path = f"/console/keys/{key.key_id}/{what}"
    return owner.post(path, owner.fill(owner.get(path), {"code": owner.code(), **chosen}))


def test_revoking_says_what_follows_and_ends_the_key(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    page = owner.get(f"/console/keys/{key.key_id}/revoke")
    assert "It cannot be undone" in words(page)

    done = asked(owner, key, "revoke")

    assert done.headers["location"] == f"/console/keys/{key.key_id}?done=revoke"
    assert visited.house.worker.keys.get(key.key_id).status is KeyStatus.REVOKED
    shown = words(owner.get(f"/console/keys/{key.key_id}?done=revoke"))
    assert "Revoked on 1 Dec 2021, 10:00" in shown
    assert "Edit restrictions" not in shown


def test_a_key_is_put_into_quarantine_with_a_cause_and_released(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    owner = visited.owner(account)

    asked(owner, key, "quarantine", cause="seen in a screenshot")
    held = visited.house.worker.keys.get(key.key_id)
    assert held.quarantine is not None
    assert held.quarantine.cause == "seen in a screenshot"
    limits = "In quarantine: may only read and cancel until released"
    assert words(owner.get("/console/keys")).count(limits) == 2  # At its bar, and beside its box.
    assert "seen in a screenshot" in words(owner.get("/console/keys"))

    asked(owner, key, "release")
    assert visited.house.worker.keys.get(key.key_id).status is KeyStatus.ACTIVE


def test_a_quarantine_without_a_cause_is_told_beside_the_field(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)

    page = asked(owner, key, "quarantine", cause="")

    assert page.status == 422
    assert 'id="cause-error"' in page.body.decode()
    assert visited.house.worker.keys.get(key.key_id).status is KeyStatus.ACTIVE


def test_rotating_shows_the_new_secret_once_and_keeps_the_old_one_for_a_while(
    visited: Visited,
) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)

    page = asked(owner, key, "rotate", overlap=str(24 * 3_600_000))

    assert "The key has a new secret" in words(page)
    overlap = visited.house.worker.keys.get(key.key_id).overlap
    assert overlap is not None
    assert overlap.until_ms == visited.house.worker.clock.now_ms() + 24 * 3_600_000
    assert "Old secret until" in words(owner.get("/console/keys"))


@pytest.mark.parametrize("overlap", ["1", "-1", "604800001", "x"])
def test_only_the_offered_overlaps_are_taken(visited: Visited, overlap: str) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)

    page = asked(owner, key, "rotate", overlap=overlap)

    assert page.status == 422
    assert 'id="overlap-error"' in page.body.decode()


@pytest.mark.parametrize("what", ["revoke", "quarantine", "release", "rotate"])
def test_nothing_happens_without_the_second_factor(visited: Visited, what: str) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    if what == "release":
        visited.house.worker.quarantine.place(key.key_id, "x", cause="a cause")
    before = visited.house.worker.journal.head()

    page = asked(owner, key, what, code="000000", cause="a cause")

    assert page.status == 422
    assert visited.house.worker.journal.head() == before


@pytest.mark.parametrize("what", ["rotate", "revoke", "quarantine", "release"])
def test_a_revoked_key_is_shown_and_no_form(visited: Visited, what: str) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    visited.house.worker.keys.revoke(key.key_id, "x")

    asked = owner.get(f"/console/keys/{key.key_id}/{what}")

    assert asked.headers["location"] == f"/console/keys/{key.key_id}"
    assert "Revoked on" in words(owner.get(asked.headers["location"]))


def test_what_is_in_quarantine_is_not_put_there_again_nor_another_released(
    visited: Visited,
) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner, page = visited.owner(account), f"/console/keys/{key.key_id}"
    assert owner.get(f"{page}/release").headers["location"] == page
    visited.house.worker.quarantine.place(key.key_id, "x", cause="a cause")
    assert owner.get(f"{page}/quarantine").headers["location"] == page


def test_what_is_no_act_is_no_page(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)

    assert owner.get(f"/console/keys/{key.key_id}/explode").status == 404


def test_a_pair_whose_private_half_went_with_the_page_is_not_kept(visited: Visited) -> None:
    account = visited.house.account()
    public = signers.public_key(KeyType.ED25519) or ""
    key = visited.house.issue(account, key_type=KeyType.ED25519)
    owner = visited.owner(account)

    path = f"/console/keys/{key.key_id}/rotate"
    sent = {"public_key": public, "made_here": "1", "code": "000000"}
    page = owner.post(path, owner.fill(owner.get(path), sent))

    assert page.status == 422
    assert dict(fields_of(page))["public_key"].strip() == ""
    assert "Make the pair again." in words(page)
