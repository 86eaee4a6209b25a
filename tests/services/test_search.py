"""One box for all that an operator looks for: exact forms at once, the others step by step."""

import pytest

from tenure.domain.errors import Invalid
from tenure.domain.model import AccountKind, ApiKey
from tenure.domain.search import By
from tenure.domain.usage import Use
from tenure.services import search
from tenure.services.keys import Wanted
from tenure.services.search import Found, Search
from tests.builders import TRADING
from tests.services.parts import Parts


@pytest.fixture
def box(parts: Parts) -> Search:
    return Search(parts.store)


def labelled(parts: Parts, label: str, **more: object) -> ApiKey:
    """Issue a key called *label* to an account of its own."""
    key = parts.issue(**more)  # type: ignore[arg-type]  # by name
    return parts.edit(key, Wanted(label=label)).plan.after


def labels(found: Found) -> list[str]:
    return [item.key.label for item in found.keys]


def test_a_key_is_found_by_each_of_its_names(parts: Parts, box: Search) -> None:
    key, _ = labelled(parts, "Grid bot"), labelled(parts, "other")

    for text, by in (
        (key.key_id, By.KEY_ID),
        (key.api_key, By.API_KEY),
        (key.api_key[:20], By.API_KEY),
        (f"{key.api_key[:8]}…{key.api_key[-4:]}", By.API_KEY),
        ("Grid bot", By.LABEL),
        ("grid", By.LABEL),
    ):
        found = box.find(text)
        (item,) = found.keys
        assert (item.key, item.by) == (parts.keys.get(key.key_id), frozenset({by})), text
        assert item.email == parts.accounts.get(key.account_id).email


def test_an_account_is_found_by_id_and_by_the_start_of_its_email(parts: Parts, box: Search) -> None:
    first, second = parts.account(), parts.account(AccountKind.MASTER)

    assert [item.account for item in box.find(first.account_id).accounts] == [first]
    assert [item.account for item in box.find("OWNER").accounts] == [first, second]
    assert box.find("acct_" + "0" * 24).accounts == ()


def test_an_address_finds_keys_that_admit_it_and_keys_that_were_used_from_it(
    parts: Parts, box: Search
) -> None:
    admits = labelled(parts, "admits", ip_allowlist=("203.0.113.0/24",))
    used = labelled(parts, "used")
    labelled(parts, "elsewhere", ip_allowlist=("203.0.114.7",))
    for key in (admits, used):
        parts.uses.give_back([Use(key.key_id, "203.0.113.7", TRADING, parts.clock.now)])
    parts.usage.flush()

    found = {item.key.label: (item.by, item.used_at_ms) for item in box.find("203.0.113.7").keys}

    assert found == {
        "admits": (frozenset({By.ALLOWLIST, By.USED_FROM}), parts.clock.now),
        "used": (frozenset({By.USED_FROM}), parts.clock.now),
    }
    assert labels(box.find("203.0.113.99")) == ["admits"]


def test_what_is_answered_by_an_index_looks_through_nothing(parts: Parts, box: Search) -> None:
    key = parts.issue()

    assert box.find(key.key_id).looked is None
    assert box.find(key.api_key).looked is None
    looked = box.find("my").looked
    assert looked is not None
    assert (looked.keys, looked.keys_total, looked.next_after) == (1, 1, None)


def test_a_long_look_says_how_far_it_came_and_goes_on(parts: Parts) -> None:
    box = Search(parts.store, looked_at_max=4, page=2)
    keys = {labelled(parts, f"bot {number}").key_id for number in range(7)}

    first = box.find("bot")
    assert first.looked is not None
    assert (first.looked.keys, first.looked.keys_total) == (4, 7)
    assert first.looked.next_after is not None
    second = box.find("bot", first.looked.next_after)

    assert second.looked is not None
    assert (second.looked.keys, second.looked.next_after) == (3, None)
    assert [len(first.keys), len(second.keys)] == [4, 3]
    assert {item.key.key_id for item in (*first.keys, *second.keys)} == keys


def test_an_answer_that_is_full_goes_on_with_the_first_it_had_no_room_for(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SHOWN_MAX", 2)
    for number in range(5):
        labelled(parts, f"bot {number}")
    box, after, seen, looked_at = Search(parts.store), "", [], 0

    for _ in range(3):
        found = box.find("BOT", after)
        assert found.looked is not None
        seen.append(labels(found))
        looked_at += found.looked.keys
        after = found.looked.next_after or ""

    assert after == ""
    assert [len(shown) for shown in seen] == [2, 2, 1]
    assert {name for shown in seen for name in shown} == {f"bot {number}" for number in range(5)}
    assert looked_at == 5


def test_more_of_one_label_than_is_shown_is_said(
    parts: Parts, box: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SHOWN_MAX", 2)
    for _ in range(3):
        parts.issue()

    found = box.find("my bot")

    assert (len(found.keys), found.has_more) == (2, True)
    assert not box.find(found.keys[0].key.key_id).has_more


def test_revoked_keys_are_found_too_and_read_as_such(parts: Parts, box: Search) -> None:
    key = parts.issue()
    parts.keys.revoke(key.key_id, "operator")

    (item,) = box.find(key.api_key).keys

    assert item.key.revoked_at_ms == parts.clock.now


def test_a_secret_is_not_looked_for(parts: Parts, box: Search) -> None:
    key = parts.issue()

    with pytest.raises(Invalid):
        box.find(parts.secrets[key.key_id])
