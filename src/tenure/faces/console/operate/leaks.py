"""
Leak reports: what was reported and what was done, and reporting keys by pasting whatever has them.

Only API keys of ours are kept of a text; what else is in it may be a secret of somebody else's.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain import apikeys
from tenure.domain.errors import Invalid
from tenure.domain.leaks import LeakAction
from tenure.faces.console import entry, parameters
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.operate import asking, told
from tenure.faces.console.operate.asking import Question
from tenure.faces.console.stepping import act_of
from tenure.services.leaks import Found, Leaks

PATH: Final = "/console/operate/leaks"
_LISTED_MAX: Final = 50
_PASTED_MAX: Final = 1_000
"""Keys in one paste; a longer list is reported by `tenure leaks` or the management face."""
_KEYS: Final = re.compile(apikeys.SCAN_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the form has in its fields: where it was found, and the API keys in what was pasted."""

    url: str = ""
    api_keys: tuple[str, ...] = ()
    pasted: bool = False

    @classmethod
    def of(cls, form: Form) -> "Filled":
        """Read what was sent; of the text itself nothing is kept but API keys."""
        text = form.one("text")
        found = dict.fromkeys(key for key in _KEYS.findall(text) if apikeys.is_well_formed(key))
        return cls(
            url=form.one("url").strip(),
            api_keys=tuple(found)[: _PASTED_MAX + 1],
            pasted=bool(text.strip()),
        )


@get("/leaks", opt=entry.VIEWERS, sync_to_thread=True)
def show(desk: GivenDesk, leaks: Given[Leaks]) -> Response[bytes]:
    """Show the reports, and ask for keys to report."""
    return _form(desk, leaks, Filled())


@post("/leaks/preview", opt=entry.OPERATORS, status_code=200, sync_to_thread=True)
def preview(desk: GivenDesk, leaks: Given[Leaks], form: GivenForm) -> Response[bytes]:
    """Show which keys were found in what was pasted, and what would be done."""
    filled = Filled.of(form)
    if errors := _wrong(desk, filled):
        return _form(desk, leaks, filled, errors)
    return _ask(desk, leaks, filled)


@post("/leaks", opt=entry.OPERATORS, status_code=200, sync_to_thread=True)
def report(desk: GivenDesk, leaks: Given[Leaks], form: GivenForm) -> Response[Any]:
    """Report them."""
    filled = Filled.of(form)
    if errors := _wrong(desk, filled):
        return _form(desk, leaks, filled, errors)
    found = [Found(api_key=key, url=filled.url or None) for key in filled.api_keys]
    try:
        # No event remembers the form: a report that comes again is known by what it says.
        with desk.acting(_act(filled), form, PATH):
            ours = leaks.receive(found, desk.signed_in.actor)
    except Invalid as error:
        return _ask(desk, leaks, filled, told.beside(error, desk.language))
    return desk.go(f"{PATH}?done=reported&ours={sum(ours)}&others={len(ours) - sum(ours)}")


def _form(
    desk: Desk, leaks: Leaks, filled: Filled, errors: dict[str, str] | None = None
) -> Response[bytes]:
    ours, others = (parameters.number(desk, name) or 0 for name in ("ours", "others"))
    return desk.page(
        "operate/leaks.html.j2",
        status=422 if errors else 200,
        filled=filled,
        reports=leaks.latest(_LISTED_MAX),
        ours=desk.language.number(ours),
        others=desk.language.number(others),
        errors=errors or {},
    )


def _ask(
    desk: Desk, leaks: Leaks, filled: Filled, errors: dict[str, str] | None = None
) -> Response[bytes]:
    follows = [
        desk.say(f"operate.leaks.follows.{name}.{_action(leaks, is_hmac=name == 'hmac')}")
        for name in ("hmac", "asymmetric")
    ]
    question = Question(
        title=desk.say("operate.leaks.report_title"),
        button=desk.say("operate.leaks.report_button"),
        subject=filled.url,
        follows=[*follows, desk.say("operate.leaks.follows.others")],
        to=PATH,
        back=PATH,
        act=_act(filled),
        is_danger=True,
        hidden=(("url", filled.url), ("text", "\n".join(filled.api_keys))),
    )
    return asking.ask(
        desk,
        question,
        errors,
        template="operate/leaks_preview.html.j2",
        masked=[apikeys.mask(key) for key in filled.api_keys],
    )


def _wrong(desk: Desk, filled: Filled) -> dict[str, str]:
    if not filled.api_keys:
        name = "none_found" if filled.pasted else "nothing_pasted"
        return {"text": desk.say(f"operate.leaks.{name}")}
    if len(filled.api_keys) > _PASTED_MAX:
        most = desk.language.number(_PASTED_MAX)
        return {"text": desk.say("operate.leaks.too_many", most=most)}
    return {}


def _action(leaks: Leaks, *, is_hmac: bool) -> LeakAction:
    return leaks.action_for(is_hmac=is_hmac)


def _act(filled: Filled) -> str:
    return act_of("operate.leaks.report", filled.url, list(filled.api_keys))


def routes() -> list[HTTPRouteHandler]:
    """Return the pages of leak reports."""
    return [show, preview, report]
