"""What an owner reads about each consequence, to the letter."""

import pytest

from tenure.domain import wording
from tenure.domain.model import Permission, RuleId
from tenure.domain.plans import Consequence, ConsequenceKind
from tests.builders import (
    FUTURES,
    HOME,
    TRADING,
    WITHDRAWALS,
    a_key,
    an_edit,
    ms,
    plan,
    the_catalog,
    the_rulebook,
)

RULE = RuleId("2021-07-09")
END_MS, OLD_END_MS = ms("2021-12-31 10:05"), ms("2022-01-09 08:30:07.999")
BECAUSE = " (Without trusted IPs, Spot & Margin Trading lasts 30 days.)"
LABEL = '"Enable Spot & Margin Trading"'

WITHDRAWALS_LOST = (
    '"Enable Withdrawals" will be switched off: it is not allowed on this key.'
    " (Withdrawals need trusted IPs.)"
)

SENTENCES = {
    ConsequenceKind.LOST: f"{LABEL} will be switched off: it is not allowed on this key.{BECAUSE}",
    ConsequenceKind.TERM_STARTS: (
        f"{LABEL} will be on until 2021-12-31 10:05:00 UTC, then unticked.{BECAUSE}"
    ),
    ConsequenceKind.TERM_SHORTENED: (
        f"{LABEL} will end earlier: 2021-12-31 10:05:00 UTC instead of 2022-01-09 08:30:07 UTC."
        f"{BECAUSE}"
    ),
    ConsequenceKind.TERM_LIFTED: f"{LABEL} will no longer end.",
    ConsequenceKind.GRANTED: f"{LABEL} will be on, without an end.",
    ConsequenceKind.REMOVED: f"{LABEL} will be off.",
    ConsequenceKind.STAYS_OFF: f"{LABEL} has ended and stays off until it is ticked again.",
}


@pytest.mark.parametrize("kind", ConsequenceKind)
def test_each_consequence_has_its_sentence(kind: ConsequenceKind) -> None:
    consequence = Consequence(
        kind=kind,
        permission=TRADING,
        is_asked=False,
        ends_at_ms=END_MS,
        ended_at_ms=OLD_END_MS,
        rule_id=RULE,
    )

    assert wording.sentence(consequence, the_catalog(), the_rulebook()) == SENTENCES[kind]


def test_what_the_catalog_and_the_rulebook_no_longer_know_is_named_plainly() -> None:
    consequence = Consequence(
        kind=ConsequenceKind.LOST,
        permission=Permission("staking"),
        is_asked=False,
        rule_id=RuleId("gone"),
    )

    assert wording.sentence(consequence, the_catalog(), the_rulebook()) == (
        "staking will be switched off: it is not allowed on this key."
    )


def test_without_a_rule_no_reason_is_made_up() -> None:
    consequence = Consequence(
        kind=ConsequenceKind.TERM_STARTS, permission=TRADING, is_asked=True, ends_at_ms=END_MS
    )

    assert wording.sentence(consequence, the_catalog(), the_rulebook()) == (
        f"{LABEL} will be on until 2021-12-31 10:05:00 UTC, then unticked."
    )


def test_the_pop_up_of_the_worked_life_reads_well() -> None:
    """RULES, row 4; withdrawals are lost where a key of those days still had them."""
    older = a_key(TRADING, WITHDRAWALS, issued="2021-07-01 12:00")
    shown = plan(older, an_edit(tick=[FUTURES]), at="2021-12-01 10:05")

    assert [
        wording.sentence(consequence, the_catalog(), the_rulebook())
        for consequence in shown.consequences
    ] == [
        WITHDRAWALS_LOST,
        SENTENCES[ConsequenceKind.TERM_STARTS],
        '"Enable Futures" will be on, without an end.',
    ]


def test_closing_a_key_reads_well() -> None:
    key = a_key(TRADING, issued="2021-08-01 00:00")
    shown = plan(key, an_edit(allowlist=(HOME,)), at="2021-08-02 00:00")

    assert [
        wording.sentence(consequence, the_catalog(), the_rulebook())
        for consequence in shown.consequences
    ] == [SENTENCES[ConsequenceKind.TERM_LIFTED]]


def test_an_instant_is_shown_in_utc_and_never_rounded_up() -> None:
    assert wording.instant(ms("2021-12-31 23:59:59.999")) == "2021-12-31 23:59:59 UTC"
    assert wording.instant(0) == "1970-01-01 00:00:00 UTC"
