"""Boxes as they stand at an instant, their ends in words, and the picture of what ends when."""

from dataclasses import replace

import pytest

from tenure.domain import catalog as catalogs
from tenure.domain import consequences
from tenure.domain.consequences import Consequence, ConsequenceKind
from tenure.domain.model import Quarantine
from tenure.faces.console import timeline
from tenure.faces.console.shown import Box, Shown, State
from tenure.faces.console.words import Words
from tenure.services import languages
from tests.builders import (
    DAY_MS,
    FUTURES,
    TRADING,
    a_key,
    at_ms,
    shipped,
    the_catalog,
    the_rulebook,
)

WORDS = Words(the_catalog())
ENGLISH = languages.language("en-150", "Europe/Berlin")
END = at_ms("2021-12-31 10:05")


def shown(now_ms: int, tag: str = "en-150") -> Shown:
    return Shown(WORDS, languages.language(tag, "UTC"), the_rulebook(), now_ms)


def trading(now_ms: int, tag: str = "en-150") -> Box:
    key = a_key(TRADING, issued=END - 30 * DAY_MS)
    boxes = shown(now_ms, tag).card(key).boxes
    return next(box for box in boxes if box.permission == TRADING)


@pytest.mark.parametrize(
    ("now_ms", "state", "when"),
    [
        (END - 30 * DAY_MS, State.TERM, "ends in 30 days, 31 Dec 2021, 10:05"),
        (END - 7 * DAY_MS - 1, State.TERM, "ends in 7 days, 31 Dec 2021, 10:05"),
        (END - 7 * DAY_MS, State.SOON, "ends in 7 days, 31 Dec 2021, 10:05"),
        (END - DAY_MS, State.SOON, "ends in 24 hours, 31 Dec 2021, 10:05"),
        (END - 3_600_000, State.LAST, "ends in 60 minutes, 31 Dec 2021, 10:05"),
        (END - 1, State.LAST, "ends in 0 seconds, 31 Dec 2021, 10:05"),
        (
            END,
            State.ENDED,
            "Unticked on 31 Dec 2021, 10:05 by the 30-day rule; tick to enable again",
        ),
    ],
)
def test_a_dated_box_counts_down_turns_amber_and_is_unticked(
    now_ms: int, state: State, when: str
) -> None:
    box = trading(now_ms)
    assert (box.state, box.when) == (state, when)
    assert box.is_ticked is (now_ms < END)


@pytest.mark.parametrize("tag", ["es", "ja", "zh-CN"])
def test_the_end_is_told_in_the_readers_language(tag: str) -> None:
    assert trading(END - DAY_MS, tag).when != trading(END - DAY_MS).when
    assert trading(END - DAY_MS, tag).label != trading(END - DAY_MS).label


def test_a_name_that_the_venue_changed_stands_as_the_venue_wrote_it() -> None:
    text = shipped("catalogs/exchange.toml").replace("Enable Futures", "Perpetuals")
    own = Words(catalogs.read(text))
    chinese = languages.language("zh-CN", "UTC")

    assert own.permission(FUTURES, chinese) == "Perpetuals"
    assert WORDS.permission(FUTURES, chinese) == "允许合约"
    assert own.permission("unknown", chinese) == "unknown"


@pytest.mark.parametrize("kind", ConsequenceKind)
@pytest.mark.parametrize("tag", ["en-150", "es", "ja", "zh-CN"])
def test_every_consequence_has_a_sentence_that_names_its_permission(
    kind: ConsequenceKind, tag: str
) -> None:
    item = Consequence(
        kind=kind, permission=TRADING, is_asked=False, ends_at_ms=END, ended_at_ms=END + DAY_MS
    )
    language = languages.language(tag, "UTC")
    (sentence,) = WORDS.sentences([item], the_rulebook(), language)

    assert WORDS.permission(TRADING, language) in sentence.text
    assert sentence.needs_confirmation is item.needs_confirmation
    assert consequences.ConsequenceKind(sentence.kind) is kind


def test_the_picture_has_a_bar_for_each_running_term_the_first_to_end_first() -> None:
    now_ms = END - 20 * DAY_MS
    soon = a_key(TRADING, issued=now_ms - 28 * DAY_MS, number=1)
    later = a_key(TRADING, issued=now_ms - 10 * DAY_MS, number=2)
    never = a_key(TRADING, issued=now_ms, allowlist=("203.0.113.7",), number=3)
    cards = shown(now_ms).cards([never, later, soon], {})

    drawn = timeline.draw(cards, ENGLISH, now_ms)

    assert drawn is not None
    assert [bar.card.key.key_id for bar in drawn.bars] == ["key_1", "key_2"]
    assert [bar.is_soon for bar in drawn.bars] == [True, False]
    assert [bar.reach for bar in drawn.bars] == [66, 666]
    assert timeline.draw(shown(END).cards([soon, later, never], {}), ENGLISH, END) is None


@pytest.mark.parametrize(
    ("now", "allowlist", "is_older"),
    [
        ("2021-07-01 12:00", (), False),
        ("2021-12-01 10:00", (), True),
        ("2021-12-01 10:00", ("203.0.113.7",), False),
    ],
)
def test_a_box_without_an_end_says_whether_it_is_for_being_older_than_the_rule(
    now: str, allowlist: tuple[str, ...], *, is_older: bool
) -> None:
    key = a_key(TRADING, issued="2021-07-01 12:00", allowlist=allowlist)

    found = {box.permission: box.is_older for box in shown(at_ms(now)).card(key).boxes}

    assert (found[TRADING], found[FUTURES], found["reading"]) == (is_older, False, False)


def test_a_key_in_quarantine_shows_what_may_not_act() -> None:
    key = a_key(TRADING, issued=END - 30 * DAY_MS)
    held = replace(key, quarantine=Quarantine(since_ms=END - DAY_MS, cause="a leak"))

    boxes = {box.permission: box for box in shown(END - DAY_MS).card(held).boxes}

    assert {name for name, box in boxes.items() if box.is_held_back} == {TRADING}
    assert not trading(END - DAY_MS).is_held_back
