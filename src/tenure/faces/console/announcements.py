"""
Announcements: each rule as a dated page, for everybody, and for owners with what it means for them.

Open to all, as an announcement has to reach every user (RULES S10). Nothing of anybody's is shown
but to whoever is signed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from litestar import Response, get
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from tenure.domain.announcements import Meaning, Standing
from tenure.domain.model import AccountKind, Grant, KeyType
from tenure.domain.people import Stage
from tenure.domain.rights import Owner
from tenure.domain.rulebooks import RULE_ID
from tenure.domain.rules import Rule
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.words import Sentence
from tenure.faces.console.words import Words as Naming
from tenure.services import announcements
from tenure.services.announcements import Announcements, Dated, Meanings, Words
from tenure.services.rules import Rules

SHOWN_MAX: Final = 100
"""Keys shown with what a rule means for them: those it touches come first."""

RuleId: TypeAlias = Annotated[str, PathParameter(pattern=f"^{RULE_ID}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An announcement in the list."""

    dated: Dated
    words: Words
    permissions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKey:
    """What a rule means for one key, in words."""

    meaning: Meaning
    email: str
    running: Sequence[str]
    ended: Sequence[str]
    next_edit: Sequence[Sentence]


class Announcing:
    """Shows announcements."""

    def __init__(self, told: Announcements, rules: Rules, naming: Naming) -> None:
        """One per worker."""
        self._told, self._rules, self._naming = told, rules, naming

    def listing(self, desk: Desk) -> Response[bytes]:
        """Show every announcement."""
        return desk.page(
            "announcements.html.j2",
            found=[self._listed(desk, dated) for dated in self._told.every()],
        )

    def page(self, desk: Desk, rule_id: str) -> Response[bytes]:
        """Show one, and to an owner who is signed in what it means for his keys."""
        dated = self._told.find(rule_id)
        rule = dated.rule
        account_id = _owner_of(desk)
        meanings = None if account_id is None else self._told.for_account(rule_id, account_id)
        return desk.page(
            "announcement.html.j2",
            listed=self._listed(desk, dated),
            is_ahead=dated.announcement.standing is Standing.SCHEDULED,
            types=None if rule.key_types == frozenset(KeyType) else sorted(rule.key_types),
            kinds=None
            if rule.account_kinds == frozenset(AccountKind)
            else [desk.say(f"account.{kind}") for kind in sorted(rule.account_kinds)],
            before=self._titles(desk, dated.announcement.before),
            after=self._titles(desk, dated.announcement.after),
            meanings=meanings,
            of_keys=[] if meanings is None else self._of_keys(desk, meanings),
        )

    def _listed(self, desk: Desk, dated: Dated) -> Listed:
        return Listed(
            dated=dated,
            words=announcements.worded(dated.rule, desk.language),
            permissions=[
                self._naming.permission(name, desk.language) for name in dated.rule.permissions
            ],
        )

    def _titles(self, desk: Desk, rules: Sequence[Rule]) -> list[tuple[str, str]]:
        return [(rule.rule_id, announcements.worded(rule, desk.language).title) for rule in rules]

    def _of_keys(self, desk: Desk, meanings: Meanings) -> list[OfKey]:
        rulebook = self._rules.rulebook()
        return [
            OfKey(
                meaning=meaning,
                email=meanings.emails[meaning.key.account_id]
                if meaning.key.account_id != meanings.account.account_id
                else "",
                running=[self._grant(desk, grant, "runs") for grant in meaning.running],
                ended=[self._grant(desk, grant, "ended") for grant in meaning.ended],
                next_edit=self._naming.sentences(meaning.next_edit, rulebook, desk.language),
            )
            for meaning in meanings.found[:SHOWN_MAX]
        ]

    def _grant(self, desk: Desk, grant: Grant, how: str) -> str:
        ends_at_ms = grant.term.ends_at_ms if grant.term else 0
        return desk.say(
            f"announcement.{how}",
            permission=self._naming.permission(grant.permission, desk.language),
            end=desk.language.moment(ends_at_ms),
            left=desk.language.left(max(ends_at_ms - desk.now_ms, 0)),
        )


def _owner_of(desk: Desk) -> str | None:
    """Return the account of an owner who is all the way in, None for anybody else."""
    visitor = desk.visitor
    if visitor is None or visitor.stage is not Stage.FULL or not isinstance(visitor.caller, Owner):
        return None
    return visitor.account_id


@get("/announcements", opt=entry.OPEN, sync_to_thread=True)
def list_all(desk: GivenDesk, announcing: Given[Announcing]) -> Response[bytes]:
    """Show every announcement."""
    return announcing.listing(desk)


@get("/announcements/{rule_id:str}", opt=entry.OPEN, sync_to_thread=True)
def show(rule_id: RuleId, desk: GivenDesk, announcing: Given[Announcing]) -> Response[bytes]:
    """Show one announcement."""
    return announcing.page(desk, rule_id)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of announcements."""
    return [list_all, show]
