"""
Rules as announcements that people read: dated, in their language, with what it means for them.

Where a rule stands and what it means is worked out in `domain.announcements`; here are the words,
and the keys. A shipped rule's words are in the texts; of any other, and where the reader's language
has none, the venue's own stand, with a note that the language is missing (RULES S10).
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from babel import Locale

from tenure.clock import Clock
from tenure.domain import announcements
from tenure.domain.announcements import Announcement, Meaning
from tenure.domain.errors import NotFound
from tenure.domain.model import Account
from tenure.domain.rules import Lifetime, Rule, Rulebook
from tenure.services import languages, naming
from tenure.services.languages import Language
from tenure.store import accounts, keys, rules
from tenure.store.db import Store, Transaction

SUBS_MAX: Final = 50
"""Sub-accounts whose keys are looked at with their master's; the others have pages of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """
    An announcement in the reader's language.

    *missing* names the reader's language where the title is in the venue's own words instead, None
    where nothing is missing. *unrestricted* and *restricted* say how long what it speaks about
    lasts on keys without and with trusted addresses.
    """

    title: str
    paragraphs: tuple[str, ...]
    missing: str | None
    unrestricted: str
    restricted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """
    What a rule means for the keys of *account*, and of its sub-accounts.

    Those it touches first. *keys_total* is how many keys were looked at; *are_all* is False where
    there are more sub-accounts than are looked at.
    """

    account: Account
    found: tuple[Meaning, ...]
    emails: Mapping[str, str]
    keys_total: int
    are_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """An announcement and when it was made (ms, UTC), None where a house began with it."""

    announcement: Announcement
    made_at_ms: int | None

    @property
    def rule(self) -> Rule:
        """The rule it is about."""
        return self.announcement.rule


class Announcements:
    """The announcements of a house."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """*store* is only read; *clock* says what is in force."""
        self._store, self._clock = store, clock

    def every(self) -> list[Dated]:
        """Return every announcement, the last to take effect first."""
        return self._store.read(lambda tx: self._every(tx, rules.rulebook(tx)))

    def find(self, rule_id: str) -> Dated:
        """Return the announcement of one rule; raises NotFound."""
        for dated in self.every():
            if dated.rule.rule_id == rule_id:
                return dated
        raise NotFound("there is no such rule")

    def for_account(self, rule_id: str, account_id: str) -> Meanings:
        """Return what a rule means for the keys of an account and its sub-accounts, or NotFound."""

        def read(tx: Transaction) -> Meanings:
            rulebook, now_ms = rules.rulebook(tx), self._clock.now_ms()
            rule = next((each for each in rulebook.rules if each.rule_id == rule_id), None)
            if rule is None:
                raise NotFound("there is no such rule")
            account = accounts.get(tx, account_id)
            subs = list(accounts.of_master(tx, account_id, "", SUBS_MAX + 1))
            tree = [account, *subs[:SUBS_MAX]]
            held = [key for each in tree for key in keys.of_account(tx, each.account_id)]
            alive = [key for key in held if key.revoked_at_ms is None]
            found = [announcements.meaning(rule, key, rulebook, now_ms) for key in alive]
            meanings = [each for each in found if each is not None]
            return Meanings(
                account=account,
                found=tuple(sorted(meanings, key=lambda each: not each.touches)),
                emails={each.account_id: each.email for each in tree},
                keys_total=len(alive),
                are_all=len(subs) <= SUBS_MAX,
            )

        return self._store.read(read)

    def _every(self, tx: Transaction, rulebook: Rulebook) -> list[Dated]:
        made = rules.added_at_ms(tx)
        found = []
        for announcement in announcements.announced(rulebook, self._clock.now_ms()):
            made_at_ms = made.get(announcement.rule.rule_id)
            # A house begins with rules that were announced elsewhere, long before.
            is_ahead = made_at_ms is not None and made_at_ms < announcement.rule.effective_from_ms
            found.append(
                Dated(announcement=announcement, made_at_ms=made_at_ms if is_ahead else None)
            )
        return found


def worded(rule: Rule, language: Language) -> Words:
    """Return what *rule* says, in the reader's language as far as there are words."""
    text_id = f"announcement.{rule.rule_id}"
    title = naming.translated(rule.title, f"{text_id}.title", language)
    english = languages.language(languages.ENGLISH, "UTC").texts
    is_known = english.get(f"{text_id}.title") == rule.title
    is_english = language.locale.language == languages.ENGLISH
    missing = language.missing
    if missing is None and not is_known and not is_english:
        missing = _own_name(language.locale)
    return Words(
        title=title,
        paragraphs=_paragraphs(text_id, language) if is_known else (),
        missing=missing,
        unrestricted=_lifetime(rule.unrestricted, language),
        restricted=_lifetime(rule.restricted, language),
    )


def _paragraphs(text_id: str, language: Language) -> tuple[str, ...]:
    named = (f"{text_id}.body.{number}" for number in itertools.count(1))
    return tuple(map(language.say, itertools.takewhile(language.texts.__contains__, named)))


def _lifetime(lifetime: Lifetime, language: Language) -> str:
    if isinstance(lifetime, int):
        return language.say("announcement.lasts", length=language.length(lifetime))
    return language.say(f"announcement.{lifetime}")


def _own_name(locale: Locale) -> str:
    return locale.get_display_name(locale) or str(locale)
