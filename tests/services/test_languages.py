"""Texts in four languages, complete, with the same placeholders; dates, zones, what is missing."""

import string
from dataclasses import replace

import pytest
from babel.messages.pofile import read_po

from tenure.domain.consequences import ConsequenceKind
from tenure.domain.errors import Invalid
from tenure.domain.notices import Kind
from tenure.services import languages, rendering
from tests.builders import DAY_MS, ms

TAGS = {"en": "en", "es": "es", "ja": "ja", "zh_CN": "zh-CN"}


def texts(tag: str) -> dict[str, str]:
    return dict(languages.language(tag, "UTC").texts)


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("tag", TAGS.values())
def test_every_text_is_there_in_every_language_with_the_same_placeholders(tag: str) -> None:
    english, found = texts("en"), texts(tag)

    assert found.keys() == english.keys()
    for text_id, text in found.items():
        assert text.strip(), text_id
        assert placeholders(text) == placeholders(english[text_id]), text_id


@pytest.mark.parametrize("tag", ["es", "ja", "zh-CN"])
def test_no_text_was_left_in_english(tag: str) -> None:
    english = texts("en")
    assert [name for name, text in texts(tag).items() if text == english[name]] == []


@pytest.mark.parametrize("name", TAGS)
def test_a_catalogue_is_sound_and_names_each_text_once(name: str) -> None:
    ids: list[str] = []
    for file in languages.catalogue_files(name):
        with file.open("rb") as opened:
            read = read_po(opened, locale=name, abort_invalid=True)
        lines = file.read_text("utf-8").splitlines()
        own = [line for line in lines if line.startswith("msgid") and line != 'msgid ""']
        assert len(own) == len([message for message in read if message.id])
        assert not any(message.fuzzy for message in read if message.id)
        ids += own

    assert len(ids) == len(set(ids)) > 0


def test_every_kind_and_every_consequence_has_its_texts() -> None:
    there = texts("en").keys()
    assert {f"{kind}.subject" for kind in Kind} <= there
    in_parts = rendering.IN_PARTS
    assert {f"{kind}.body" for kind in Kind if kind not in in_parts} <= there
    assert {f"{kind}.{fallback}" for kind, (_, fallback) in in_parts.items()} <= there
    assert {f"consequence.{kind}" for kind in ConsequenceKind} <= there


@pytest.mark.parametrize(
    ("tag", "spoken"),
    [
        *(("en", "en"), ("en-GB", "en"), ("es-MX", "es"), ("ja-JP", "ja")),
        *(("zh", "zh-CN"), ("zh-CN", "zh-CN"), ("zh-Hans", "zh-CN"), ("zh-SG", "zh-CN")),
    ],
)
def test_a_region_is_spoken_to_in_its_language(tag: str, spoken: str) -> None:
    found = languages.language(tag, "UTC")
    assert found.texts == texts(spoken)
    assert found.missing is None


@pytest.mark.parametrize(
    ("tag", "named"),
    [
        ("fr", "French, français"),
        ("zh-TW", "Chinese (Traditional, Taiwan), 中文 (繁體, 台灣)"),
        ("zh-Hant", "Chinese (Traditional), 中文 (繁體)"),
        ("zh-HK", None),
        ("xx", "xx"),
        ("en-ZZZZ-what", "en-ZZZZ-what"),
    ],
)
def test_a_language_without_texts_is_english_and_named(tag: str, named: str | None) -> None:
    found = languages.language(tag, "UTC")

    assert found.texts == texts("en")
    assert found.missing is not None
    assert found.missing == named or named is None
    assert found.missing in found.say("language_missing", language=found.missing)


@pytest.mark.parametrize(
    ("tag", "zone", "said"),
    [
        ("en", "UTC", "December 31, 2021, 10:05:00 AM UTC"),
        ("en", "Europe/London", "December 31, 2021, 10:05:00 AM GMT"),
        (
            "en-US",
            "America/New_York",
            "December 31, 2021, 5:05:00 AM EST (2021-12-31 10:05:00 UTC)",
        ),
        ("ja", "Asia/Tokyo", "2021年12月31日 19:05:00 JST (2021-12-31 10:05:00 UTC)"),
        ("es", "Nowhere/At_all", "31 de diciembre de 2021, 10:05:00 UTC"),
    ],
)
def test_an_instant_is_told_in_the_readers_zone_and_in_utc(tag: str, zone: str, said: str) -> None:
    assert languages.language(tag, zone).instant(ms("2021-12-31 10:05")) == said


def test_on_a_page_an_instant_is_told_as_every_other_there() -> None:
    language = languages.language("en-US", "America/New_York")
    page, at_ms = replace(language, is_page=True), ms("2021-12-31 10:05")

    assert page.instant(at_ms) == page.moment(at_ms) == "Dec 31, 2021, 5:05 AM"
    assert language.instant(at_ms).endswith("5:05:00 AM EST (2021-12-31 10:05:00 UTC)")


@pytest.mark.parametrize(
    ("zone", "called"),
    [
        ("Europe/Madrid", "Central European Time"),
        ("Asia/Kolkata", "India Time"),
        ("UTC", "Coordinated Universal Time"),
        ("Etc/UTC", "Coordinated Universal Time"),
        ("Etc/GMT-3", "GMT+03:00"),
    ],
)
def test_a_zone_is_called_the_same_in_summer_and_in_winter(zone: str, called: str) -> None:
    language = languages.language("en", zone)
    for at in ("2021-12-31 10:05", "2022-07-31 10:05"):
        assert language.zone_name(ms(at)) == called


def test_an_instant_keeps_its_zone_over_a_change_of_clocks() -> None:
    berlin = languages.language("en", "Europe/Berlin")
    before, after = (berlin.instant(ms(f"2021-10-31 0{hour}:30")) for hour in (0, 1))

    assert "2:30:00" in before
    assert "2:30:00" in after
    assert before != after


@pytest.mark.parametrize(
    ("tag", "length_ms", "said"),
    [
        *(("en", 7 * DAY_MS, "7 days"), ("en", DAY_MS, "1 day"), ("en", 3_600_000, "1 hour")),
        *(
            ("en", 90 * 60_000, "90 minutes"),
            ("en", 1_000, "1 second"),
            ("en", 7, "7 milliseconds"),
        ),
        *(("es", 30 * DAY_MS, "30 días"), ("ja", 3_600_000, "1 時間"), ("zh-CN", DAY_MS, "1天")),
    ],
)
def test_a_length_is_told_in_the_largest_unit_that_is_exact(
    tag: str, length_ms: int, said: str
) -> None:
    assert languages.language(tag, "UTC").length(length_ms) == said


@pytest.mark.parametrize("name", ["UTC", "Asia/Tokyo", "America/Argentina/Buenos_Aires"])
def test_a_time_zone_is_known(name: str) -> None:
    assert languages.require_time_zone(name) == name


@pytest.mark.parametrize("name", ["", "Nowhere/X", "../../etc/passwd", "/etc/localtime", "UTC\x00"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as raised:
        languages.require_time_zone(name)
    assert raised.value.field == "time_zone"


@pytest.mark.parametrize(
    ("left_ms", "said"),
    [
        (30 * DAY_MS, "30 days"),
        (30 * DAY_MS - 1, "30 days"),
        (29 * DAY_MS + DAY_MS // 2, "30 days"),
        (29 * DAY_MS + DAY_MS // 2 - 1, "29 days"),
        (2 * DAY_MS, "2 days"),
        (2 * DAY_MS - 1, "47 hours"),
        (2 * 3_600_000 - 1, "119 minutes"),
        (-1, "0 seconds"),
    ],
)
def test_what_is_left_is_told_in_the_nearest_days_and_then_rounded_down(
    left_ms: int, said: str
) -> None:
    assert languages.language("en", "UTC").left(left_ms) == said
