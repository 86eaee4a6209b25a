"""What is found has words, and facts are written as the reader writes them."""

import pytest

from tenure.domain import health
from tenure.domain.approvals import Act, Effect
from tenure.domain.errors import Conflict, Forbidden, Invalid
from tenure.domain.health import Finding, Keyring, Level, Outbox, Read, Signed, Topic
from tenure.faces.console.operate import told
from tenure.services import languages

ENGLISH = languages.language("en-150", "UTC")
TAGS = ("en", "es", "ja", "zh-CN")


def findings() -> list[Finding]:
    """Return a finding of every cause there is."""
    keyring = Keyring(age_ms=40, bound_ms=5_000, seq=9, head_seq=9, is_held=False)
    found = [
        health.deciding(
            Keyring(age_ms=age, bound_ms=5_000, seq=9, head_seq=9, is_held=held),
            is_clock_behind=False,
        )
        for age, held in ((40, False), (3_000, False), (9_000, False), (None, False), (1, True))
    ]
    found.append(health.deciding(keyring, is_clock_behind=True))
    found += [health.secrets(is_sealed=sealed) for sealed in (True, False)]
    found += [health.sweeping(lag, 1) for lag in (0, 99_999)]
    found += [
        health.sending(
            Outbox(
                waiting=number,
                overdue_ms=late_ms,
                channel="email",
                has_relay=relay,
                trouble=trouble,
            )
        )
        for number, late_ms, relay, trouble in (
            *((0, 0, True, ""), (1, 0, True, ""), (1, 9**7, True, "")),
            *((1, 0, False, ""), (1, 0, True, "the relay cannot be reached")),
        )
    ]
    found += [health.leaks(*each) for each in ((0, 0), (1, 0), (1, 99_999))]
    for size, pushed, place, late in (
        *((9, 9, True, 0), (0, 0, True, 0), (8, 8, True, 9**7), (9, 0, False, 0)),
        *((9, 8, True, 9**7), (9, 0, True, 0)),
    ):
        signed = Signed(
            head_seq=9, size=size, signed_at_ms=1, pushed_size=pushed, pushed_at_ms=1,
            has_place=place, unsigned_ms=late, unpushed_ms=late,
        )  # fmt: skip
        found += [health.signing(signed), health.pushing(signed)]
    found.append(health.signing(Signed(
        head_seq=0, size=0, signed_at_ms=0, pushed_size=0, pushed_at_ms=0, has_place=True,
        unsigned_ms=0, unpushed_ms=0,
    )))  # fmt: skip
    found.append(health.reading(None, 0))
    for whole_at_ms, flaw_seq in ((1, 0), (0, 0), (1, 4)):
        read = Read(
            head_seq=9, seq=9, whole_seq=9, whole_at_ms=whole_at_ms, flaw_seq=flaw_seq, flaw="x"
        )
        found += [health.reading(read, 1), health.reading(read, 9**12)]
    return found


@pytest.mark.parametrize("tag", TAGS)
def test_every_cause_has_words_and_what_is_not_well_says_what_to_do(tag: str) -> None:
    language = languages.language(tag, "UTC")
    seen = set()
    for finding in findings():
        tile = told.tile(finding, language)
        seen.add((finding.topic, finding.cause))
        assert "{" not in tile.title + tile.text + tile.mend
        assert bool(tile.mend) is (finding.level is not Level.WELL)
    there = {
        name.removeprefix("operate.health.").removesuffix(".mend")
        for name in language.texts
        if name.startswith("operate.health.")
    }
    assert there == {f"{topic}.{cause}" for topic, cause in seen} | {str(each) for each in Topic}


@pytest.mark.parametrize("tag", TAGS)
def test_every_act_has_its_words(tag: str) -> None:
    texts = languages.language(tag, "UTC").texts
    for act in Act:
        for what in ("title", "button", "propose"):
            assert f"operate.act.{act}.{what}" in texts


def test_facts_are_written_by_what_their_names_say() -> None:
    facts = {"keys": 41_302, "age_ms": 40, "lag_ms": 120_000, "made_at_ms": 0, "label": None}

    said = told.said({**facts, "effective_from_ms": 1_640_995_200_000, "x": "y"}, ENGLISH)

    assert said == {
        "keys": "41,302",
        "age_ms": "40 milliseconds",
        "lag_ms": "2 minutes",
        "made_at_ms": "-",
        "label": "",
        "effective_from_ms": "1 Jan 2022, 00:00",
        "x": "y",
    }


def test_keys_of_the_whole_house_are_told_without_a_label() -> None:
    facts = {"label": None, "issued_before_ms": 1, "keys": 2, "by_kind": {"normal": 1, "sub": 1}}

    said = told.effect(Effect("keys_revoked", facts), ENGLISH)

    assert said.startswith(
        "Keys of the whole house issued before 1 Jan 1970, 00:00: 2 (Account: 1, "
    )


def test_who_acted_is_told_by_the_e_mail() -> None:
    assert told.actor("operator:ada@example.com", ENGLISH) == "ada@example.com"
    assert told.actor("operator", ENGLISH) == "operator token"
    assert told.actor("tenure:sweep", ENGLISH) == "tenure:sweep"


def test_problems_have_words_or_say_what_they_say() -> None:
    assert told.problem(Conflict("stale"), ENGLISH).startswith("Something changed")
    assert told.problem(Forbidden("no", code="same_person"), ENGLISH).startswith("Somebody else")
    assert told.problem(Conflict("rule_altered", "rule x"), ENGLISH) == "rule x"
    assert told.problem(Invalid("line 3", "is wrong"), ENGLISH) == "line 3: is wrong"


def test_what_is_wrong_stands_beside_the_field_of_the_form() -> None:
    error = Invalid("issued_before_ms", "lies in the future")
    assert list(told.beside(error, ENGLISH)) == ["issued_before"]
    assert told.beside(Invalid("code", "said already"), ENGLISH) == {"code": "said already"}


def test_a_rule_that_is_shipped_is_called_in_the_readers_language() -> None:
    facts = {
        "rule_id": "2021-07-09-withdrawals",
        "title": "Withdrawals need trusted IPs",
        "effective_from_ms": 0,
    }

    said = told.effect(Effect("rule_scheduled", facts), languages.language("es", "UTC"))

    assert "Withdrawals need" not in said
    assert (
        languages.language("es", "UTC").texts["announcement.2021-07-09-withdrawals.title"] in said
    )
