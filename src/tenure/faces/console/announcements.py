"""
Announcements: each rule as a dated page, for everybody, and what it means for the reader's keys.

Open to everybody, for a rule is announced before anybody signs in (RULES S10); what it
means for keys is shown to the owner of an account alone.
"""

from typing import Final

from litestar import Response, Router, get
from litestar.di import NamedDependency as Given

from tenure.domain.people import Stage
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.words import Words
from tenure.faces.http.rules import RuleIdInPath
from tenure.services.announcements import Announcements, Dated, Meanings, worded
from tenure.services.rules import Rules

KEYS_SHOWN_MAX: Final = 50
"""Keys that are named on a page; the others are counted."""


@get("/announcements", opt=entry.OPEN, sync_to_thread=True)
def list_announcements(desk: GivenDesk, announcements: Given[Announcements]) -> Response[bytes]:
    """List every rule, the last to take effect first."""
    found = [(dated, worded(dated.rule, desk.language)) for dated in announcements.every()]
    return desk.page("announcements.html.j2", found=found)


@get("/announcements/{rule_id:str}", opt=entry.OPEN, sync_to_thread=True)
def show_announcement(
    rule_id: RuleIdInPath,
    desk: GivenDesk,
    announcements: Given[Announcements],
    rules: Given[Rules],
    words: Given[Words],
) -> Response[bytes]:
    """Show one rule, related ones, and what it means for the reader's keys."""
    dated = announcements.find(rule_id)
    meanings = _meanings(desk, announcements, dated)
    rulebook = rules.rulebook()
    return desk.page(
        "announcement.html.j2",
        dated=dated,
        words=worded(dated.rule, desk.language),
        permissions=[words.permission(each, desk.language) for each in dated.rule.permissions],
        before=[(rule, worded(rule, desk.language)) for rule in dated.announcement.before],
        after=[(rule, worded(rule, desk.language)) for rule in dated.announcement.after],
        meanings=meanings,
        told=[
            (
                meaning,
                [
                    (words.permission(grant.permission, desk.language), grant.term)
                    for grant in (*meaning.running, *meaning.ended)
                ],
                words.sentences(meaning.next_edit, rulebook, desk.language),
            )
            for meaning in (meanings.found[:KEYS_SHOWN_MAX] if meanings else ())
        ],
    )


def _meanings(desk: Desk, announcements: Announcements, dated: Dated) -> Meanings | None:
    visitor = desk.visitor
    if visitor is None or visitor.stage is not Stage.FULL or visitor.person.account_id is None:
        return None
    return announcements.for_account(dated.rule.rule_id, visitor.person.account_id)


def routes() -> Router:
    """Return the pages that announce rules."""
    return Router("/", route_handlers=[list_announcements, show_announcement])
