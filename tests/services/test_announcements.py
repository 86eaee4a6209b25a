"""Announcements in people's languages, dated, and what one means for their own keys."""

import pytest

from tenure.domain.errors import NotFound
from tenure.domain.model import AccountKind, Permission
from tenure.domain.rules import Rulebook
from tenure.services import announcements, languages
from tenure.services.announcements import Announcements, worded
from tests.builders import DAY_MS, FUTURES, HOME, TRADING, a_rule, ms, shipped, the_rulebook
from tests.services.parts import ACTOR, Parts

SHIPPED = ("2021-07-09", "2021-07-09-withdrawals")


@pytest.fixture
def told(parts: Parts) -> Announcements:
    """Return what announces rules."""
    return Announcements(parts.store, parts.clock)


def schedule(parts: Parts, rule_id: str = "later", permission: Permission = TRADING) -> None:
    rule = a_rule(rule_id, permission, since="2022-03-01 00:00", unrestricted=7 * DAY_MS)
    rulebook = Rulebook((rule,))
    parts.rules.schedule(rulebook, parts.rules.preview(rulebook).stamp, ACTOR)


@pytest.mark.parametrize("rule_id", SHIPPED)
@pytest.mark.parametrize(("language", "sign"), [("es", "ó"), ("ja", "の"), ("zh-CN", "的")])
def test_a_shipped_rule_is_announced_in_each_language(
    rule_id: str, language: str, sign: str
) -> None:
    rule = the_rulebook().rule(rule_id)  # type: ignore[arg-type]  # an id
    assert rule is not None
    english = worded(rule, languages.language("en", "UTC"))
    found = worded(rule, languages.language(language, "UTC"))

    assert english.title == rule.title
    assert found.title != rule.title
    assert found.missing is english.missing is None
    assert len(found.paragraphs) == len(english.paragraphs) >= 1
    assert sign in "".join(found.paragraphs)


def test_the_announcement_says_what_was_announced() -> None:
    """RULES S2 to S9, and the warning of S11."""
    (trading, _) = the_rulebook().rules
    said = " ".join(worded(trading, languages.language("en-GB", "UTC")).paragraphs)

    for words in (
        *("any address may use", "30 days from the moment", "unticks the box by itself"),
        *("tick it again by hand", "expiry is shown", "does not expire"),
        *("master accounts and sub-accounts", "does not trigger it by itself", "pop-up"),
        *("disclose it to nobody", "third-party platform may disclose", "Risk warning: margin"),
    ):
        assert words in said


@pytest.mark.parametrize(
    ("language", "missing"),
    [
        ("en", None),
        ("en-GB", None),
        ("es", "español"),
        ("ja", "日本語"),
        ("fr", "French, français"),
    ],
)
def test_a_rule_without_a_translation_is_in_its_own_words_and_says_so(
    language: str, missing: str | None
) -> None:
    rule = a_rule("a-venues-own")
    found = worded(rule, languages.language(language, "UTC"))

    assert (found.title, found.paragraphs) == (rule.title, ())
    assert found.missing == missing
    assert found.unrestricted
    assert found.restricted


def test_a_rule_that_only_bears_a_shipped_name_is_in_its_own_words() -> None:
    found = worded(a_rule("2021-07-09"), languages.language("ja", "UTC"))

    assert found.title == "What 2021-07-09 says"
    assert found.paragraphs == ()
    assert found.missing == "日本語"


def test_what_lasts_how_long_is_said_in_the_readers_language() -> None:
    (trading, withdrawals) = the_rulebook().rules
    found = worded(trading, languages.language("es", "UTC"))

    assert (found.unrestricted, found.restricted) == ("dura 30 días", "no termina")
    assert worded(withdrawals, languages.language("en", "UTC")).unrestricted == "is not allowed"


def test_every_announcement_is_listed_and_one_that_came_ahead_is_dated(
    told: Announcements, parts: Parts
) -> None:
    schedule(parts)
    made_at_ms = parts.clock.now
    parts.clock.advance(5)

    found = told.every()

    assert [(each.rule.rule_id, each.announcement.standing) for each in found] == [
        ("later", "scheduled"),
        ("2021-07-09", "in_force"),
        ("2021-07-09-withdrawals", "in_force"),
    ]
    assert [each.made_at_ms for each in found] == [made_at_ms, None, None]
    assert told.find("later") == found[0]
    with pytest.raises(NotFound):
        told.find("never")


def test_it_says_what_it_means_for_ones_own_keys_and_ones_sub_accounts(
    told: Announcements, parts: Parts
) -> None:
    master = parts.account(AccountKind.MASTER)
    sub = parts.account(AccountKind.SUB, master.account_id)
    safe = parts.issue(TRADING, account=master, ip_allowlist=(HOME,))
    running = parts.issue(TRADING, account=sub)
    gone = parts.issue(TRADING, account=sub)
    parts.keys.revoke(gone.key_id, ACTOR)
    parts.issue(TRADING)  # A stranger's.

    found = told.for_account("2021-07-09", master.account_id)

    assert [(each.key.key_id, each.touches) for each in found.found] == [
        (running.key_id, True),
        (safe.key_id, False),
    ]
    assert found.keys_total == 2
    assert found.are_all
    assert found.emails == {master.account_id: master.email, sub.account_id: sub.email}
    assert [each.key.key_id for each in told.for_account("2021-07-09", sub.account_id).found] == [
        running.key_id
    ]


def test_what_a_scheduled_rule_would_bring_is_said_before_it_does(
    told: Announcements, parts: Parts
) -> None:
    schedule(parts, "later", FUTURES)
    key = parts.issue(FUTURES)

    (meaning,) = told.for_account("later", key.account_id).found

    (edit,) = meaning.next_edit
    assert (edit.permission, edit.ends_at_ms) == (FUTURES, ms("2022-03-08 00:00"))
    assert meaning.running == ()


def test_very_many_sub_accounts_are_not_all_looked_at(
    told: Announcements, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcements, "SUBS_MAX", 2)
    master = parts.account(AccountKind.MASTER)
    for _ in range(3):
        parts.issue(TRADING, account=parts.account(AccountKind.SUB, master.account_id))

    found = told.for_account("2021-07-09", master.account_id)

    assert (len(found.found), found.are_all) == (2, False)


def test_what_does_not_exist_means_nothing_to_anybody(told: Announcements, parts: Parts) -> None:
    with pytest.raises(NotFound):
        told.for_account("never", parts.account().account_id)
    with pytest.raises(NotFound):
        told.for_account("2021-07-09", "acct_nobody")


def test_the_texts_of_a_shipped_rule_have_its_own_title() -> None:
    """Else nobody would ever read the translation."""
    english = languages.language("en", "UTC").texts
    for rule_id in SHIPPED:
        assert f'title = "{english[f"announcement.{rule_id}.title"]}"' in shipped(
            "rulebooks/2021-07-09.toml"
        )
