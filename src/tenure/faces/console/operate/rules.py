"""
The rulebook: what judges now, what will, what was taken back; and changing it.

A new rulebook is pasted, or one that is shipped is taken; its problems are named with their lines.
What it would bring is counted over the keys and drawn before anybody may schedule it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain import rulebooks
from tenure.domain.approvals import Act
from tenure.domain.catalog import Catalog
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.model import AccountKind, KeyType, RuleId
from tenure.domain.rule_plans import Outcome
from tenure.domain.rules import Rule
from tenure.faces.console import entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import GivenForm
from tenure.faces.console.operate import asking, charts, house, told
from tenure.faces.console.operate.given import GivenOperating
from tenure.faces.console.operate.given import RuleId as RuleIdInPath
from tenure.faces.console.operate.house import Putting
from tenure.faces.console.words import Words
from tenure.services import naming
from tenure.services.approvals import Approvals
from tenure.services.languages import Language
from tenure.services.rules import Previewed, Rules

PATH: Final = "/console/operate/rules"
LOOKED_AT_MAX: Final = 50_000
"""Keys one preview counts: two seconds or so. Ids are random, so the rest is like them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A rule in words; *narrowing* says of which keys alone, empty where of all."""

    rule: Rule
    title: str
    permissions: tuple[str, ...]
    unrestricted: str
    restricted: str
    narrowing: str
    warned: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What would become of one permission on keys of one kind of account."""

    permission: str
    kind: str
    held: int
    keeps: int
    term_starts: int
    lost: int
    ended: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Shows rules and previews, in one reader's language."""

    words: Words
    language: Language

    def rules(self, found: Sequence[Rule]) -> list[Shown]:
        """Show rules, the latest to take effect first."""
        ordered = sorted(found, key=lambda rule: rule.effective_from_ms, reverse=True)
        return [self._rule(rule) for rule in ordered]

    def counts(self, previewed: Previewed) -> list[Counted]:
        """Show what would become of keys, by permission and kind of account."""
        return [
            Counted(
                permission=self.words.permission(permission, self.language),
                kind=self.language.say(f"account.{kind}"),
                held=count.held,
                keeps=count.outcomes[Outcome.KEEPS],
                term_starts=count.outcomes[Outcome.TERM_STARTS],
                lost=count.outcomes[Outcome.LOST],
                ended=count.outcomes[Outcome.ENDED],
                examples=tuple(key_id for ids in count.examples.values() for key_id in ids),
            )
            for (permission, kind), count in sorted(previewed.tally.counts.items())
        ]

    def _rule(self, rule: Rule) -> Shown:
        language = self.language
        types = [str(each) for each in KeyType if each in rule.key_types]
        kinds = [str(each) for each in AccountKind if each in rule.account_kinds]
        narrowing = []
        if len(types) < len(KeyType):
            narrowing += [language.say(f"type.{each}.short") for each in types]
        if len(kinds) < len(AccountKind):
            narrowing += [language.say(f"account.{each}") for each in kinds]
        return Shown(
            rule=rule,
            title=naming.rule(rule.rule_id, rule.title, language),
            permissions=tuple(self.words.permission(each, language) for each in rule.permissions),
            unrestricted=self._lifetime(rule.unrestricted),
            restricted=self._lifetime(rule.restricted),
            narrowing=", ".join(narrowing),
            warned=", ".join(language.length(lead_ms) for lead_ms in rule.notify_before_ms),
        )

    def _lifetime(self, lifetime: int | str) -> str:
        if isinstance(lifetime, int):
            return self.language.length(lifetime)
        return self.language.say(f"operate.rules.{lifetime}")


@get("/rules", opt=entry.VIEWERS, sync_to_thread=True)
def show(desk: GivenDesk, rules: Given[Rules], words: Given[Words]) -> Response[bytes]:
    """Show the rulebook."""
    found, now_ms = rules.rulebook().rules, desk.now_ms
    book = Book(words=words, language=desk.language)
    standing = [rule for rule in found if rule.withdrawn_at_ms is None]
    return desk.page(
        "operate/rules.html.j2",
        in_force=book.rules([rule for rule in standing if rule.effective_from_ms <= now_ms]),
        scheduled=book.rules([rule for rule in standing if rule.effective_from_ms > now_ms]),
        withdrawn=book.rules([rule for rule in found if rule.withdrawn_at_ms is not None]),
    )


@get("/rules/new", opt=entry.VIEWERS, sync_to_thread=True)
def begin(desk: GivenDesk) -> Response[bytes]:
    """Ask for a rulebook; `?shipped=` begins with one that is shipped."""
    return _form(desk, _shipped_text(desk.asked.get("shipped", "")))


@post("/rules/new", opt=entry.VIEWERS, status_code=200, sync_to_thread=True)
def preview(  # noqa: PLR0913, PLR0917 - what the framework hands in
    desk: GivenDesk,
    rules: Given[Rules],
    catalog: Given[Catalog],
    words: Given[Words],
    operating: GivenOperating,
    form: GivenForm,
) -> Response[bytes]:
    """Show what a rulebook would bring; changes nothing."""
    text = form.one("rulebook")
    if form.has("back"):
        return _form(desk, text)
    return _previewed(desk, (rules, catalog, words, operating.approvals), text)


@post("/rules", opt=entry.ADMINISTRATORS, status_code=200, sync_to_thread=True)
def schedule(  # noqa: PLR0913, PLR0917 - what the framework hands in
    desk: GivenDesk,
    rules: Given[Rules],
    catalog: Given[Catalog],
    words: Given[Words],
    operating: GivenOperating,
    form: GivenForm,
) -> Response[Any]:
    """Schedule the new rules of the rulebook that was previewed, or propose to."""
    text, approvals = form.one("rulebook"), operating.approvals
    parts = (rules, catalog, words, approvals)
    putting, done = _scheduling(text), f"{PATH}?done=scheduled"
    try:
        outcome = house.put_forward(desk, approvals, putting, form, done)
    except (Invalid, Conflict) as error:
        return _previewed(desk, parts, text, told.wrong(error, desk.language))
    return house.after(desk, outcome, done)


@get("/rules/{rule_id:str}/withdraw", opt=entry.ADMINISTRATORS, sync_to_thread=True)
def ask_withdraw(
    rule_id: RuleIdInPath, desk: GivenDesk, rules: Given[Rules], operating: GivenOperating
) -> Response[bytes]:
    """Say what withdrawing a rule means."""
    return house.ask(desk, operating.approvals, _withdrawing(rules, rule_id, desk.language))


@post(
    "/rules/{rule_id:str}/withdraw",
    opt=entry.ADMINISTRATORS,
    status_code=200,
    sync_to_thread=True,
)
def withdraw(
    rule_id: RuleIdInPath,
    desk: GivenDesk,
    rules: Given[Rules],
    operating: GivenOperating,
    form: GivenForm,
) -> Response[Any]:
    """Withdraw it, or propose to."""
    putting = _withdrawing(rules, rule_id, desk.language)
    return house.take(desk, operating.approvals, putting, form, f"{PATH}?done=withdrawn")


def _scheduling(text: str) -> Putting:
    return Putting(
        act=Act.SCHEDULE_RULES,
        asked={"rulebook": text},
        to=PATH,
        back=f"{PATH}/new",
        hidden=(("rulebook", text),),
    )


def _withdrawing(rules: Rules, rule_id: str, language: Language) -> Putting:
    rule = rules.rulebook().rule(RuleId(rule_id))
    if rule is None:
        raise NotFound
    return Putting(
        act=Act.WITHDRAW_RULE,
        asked={"rule_id": rule_id},
        subject=naming.rule(rule.rule_id, rule.title, language),
        to=f"{PATH}/{rule_id}/withdraw",
        back=PATH,
        is_danger=True,
    )


def _form(desk: Desk, text: str, error: Invalid | None = None) -> Response[bytes]:
    return desk.page(
        "operate/rules_new.html.j2",
        status=422 if error else 200,
        text=text,
        shipped=sorted(path.stem for path in _shipped_files()),
        problems=error.problems if error else (),
    )


def _previewed(
    desk: Desk,
    parts: tuple[Rules, Catalog, Words, Approvals],
    text: str,
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    rules, catalog, words, approvals = parts
    try:
        proposed = rulebooks.read(text, frozenset(catalog.offers))
        previewed = rules.preview(proposed, limit=LOOKED_AT_MAX)
    except Invalid as error:
        return _form(desk, text, error)
    except Conflict as conflict:
        return _form(desk, text, Invalid("rule", conflict.message))
    putting, book = _scheduling(text), Book(words=words, language=desk.language)
    shown = house.look(desk, approvals, putting)
    return asking.ask(
        desk,
        house.question(desk, putting, shown),
        errors,
        template="operate/rules_preview.html.j2",
        added=book.rules(previewed.plan.added),
        fates=book.counts(previewed),
        tally=previewed.tally,
        keys_total=previewed.keys_total,
        is_whole=previewed.next_after is None,
        judged_at_ms=previewed.plan.judged_at_ms,
        chart=charts.of_ends(previewed.tally.ends, desk.now_ms, desk.language),
    )


def _shipped_files() -> list[Path]:
    directory = Path(str(resources.files("tenure"))) / "rulebooks"
    return list(directory.glob("*.toml"))


def _shipped_text(name: str) -> str:
    found = [path for path in _shipped_files() if path.stem == name]
    return found[0].read_text("utf-8") if found else ""


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of the rulebook."""
    return [show, begin, preview, schedule, ask_withdraw, withdraw]
