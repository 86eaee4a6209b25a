"""The overview: how well the house is, what waits, and what ends in the next days."""

import pytest

from tenure.domain.approvals import Act
from tests.builders import DAY_MS
from tests.faces.console.operate.house import OPERATE, Office
from tests.faces.console.visiting import words


def test_every_part_of_the_house_is_there_in_words(office: Office) -> None:
    said = words(office.vic.get(OPERATE))

    for title in (
        *("Deciding", "Secrets", "Recording", "Notices", "Leak reports", "Checkpoints"),
        *("Held elsewhere", "The journal itself"),
    ):
        assert title in said
    assert "It works, and something is worth a look." in said
    assert "Nobody else holds a checkpoint" in said
    assert "Name a place elsewhere: checkpoint_file or checkpoint_url ." in said


def test_what_is_wrong_says_what_to_do(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = office.visited.house.worker.clock
    late_ns = clock.elapsed_ns() + 120_000_000_000
    monkeypatch.setattr(type(clock), "elapsed_ns", lambda _self: late_ns)

    said = words(office.ada.get(OPERATE))

    assert "Something is wrong. See below what to do." in said
    assert "Every request is refused: the copy of the keys is 2 minutes old" in said
    assert "restart Tenure if it has ended" in said


def test_what_ends_is_drawn_and_told_as_a_table(office: Office) -> None:
    page = office.ada.get(OPERATE)
    text = page.body.decode()

    assert "Permissions: 3" in words(page)
    assert text.count('<rect class="after"') == 1
    assert 'role="img" aria-labelledby="coming-ends-title coming-ends-desc"' in text
    assert '<th scope="row">31 Dec 2021</th><td class="number">3</td>' in text
    assert "style=" not in text


def test_where_nothing_ends_that_is_said(office: Office) -> None:
    office.visited.house.move(office.visited.house.worker.clock.now_ms() + 31 * DAY_MS)

    assert "Nothing ends in the next 30 days." in words(office.ada.get(OPERATE))


def test_what_waits_for_approval_is_there_and_counted_for_whoever_can_give_it(
    office: Office,
) -> None:
    proposal = office.proposed(Act.REVOKE_KEYS, {"label": "my bot", "issued_before_ms": None})

    page = office.ben.get(OPERATE)

    assert f'href="{OPERATE}/approvals/{proposal.approval_id}"' in page.body.decode()
    assert "Keys called “my bot” and issued before" in words(page)
    assert '<span class="count">1' in page.body.decode()
    for browser in (office.ada, office.oli, office.vic):
        assert '<span class="count">' not in browser.get(OPERATE).body.decode()


@pytest.mark.parametrize("tag", ["es", "ja", "zh-CN"])
def test_it_speaks_every_language(office: Office, tag: str) -> None:
    page = office.ada.get(f"{OPERATE}?lang={tag}")

    assert page.status == 200
    assert "Overview" not in words(page)
