"""
Editing a key's restrictions: the form, the pop-up that shows what will happen, the commit.

The pop-up shows a plan and carries its stamp; confirming commits exactly that plan, and one that
has gone stale is shown again with what is new in it marked (RULES R11).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency as Given
from litestar.handlers import HTTPRouteHandler

from tenure.domain.errors import Conflict, Invalid
from tenure.domain.model import ApiKey, KeyStatus
from tenure.faces.console import edits, entry
from tenure.faces.console.desk import Desk, GivenDesk
from tenure.faces.console.edits import Filled
from tenure.faces.console.forms import Form, GivenForm
from tenure.faces.console.keys import Listing
from tenure.faces.console.requests import KeyId
from tenure.faces.console.words import Sentence, Words
from tenure.services.keys import Keys, Previewed
from tenure.services.usage import Usage

_SUGGESTED_DAYS: Final = 30


class Editing:
    """Shows the form and the pop-up, and commits."""

    def __init__(self, keys: Keys, usage: Usage, listing: Listing, words: Words) -> None:
        """One per worker."""
        self._keys, self._usage, self._listing, self._words = keys, usage, listing, words

    def begin(self, desk: Desk, key: ApiKey) -> Response[Any]:
        """
        Show the form as the key is, with what the page that led here suggests filled in.

        Of a key that was revoked, the key's own page, which says so.
        """
        if key.status is KeyStatus.REVOKED:
            return desk.go(_page_of(key.key_id))
        held = frozenset(name for name in key.grants if key.holds(name, desk.now_ms))
        filled = Filled.as_it_is(key, held)
        if address := desk.asked.get("add"):
            filled = filled.with_address(address)
        if (renewed := desk.asked.get("renew")) in held:
            filled = replace(filled, renewed=frozenset({renewed}))
        return self.form(desk, key, filled)

    def form(
        self,
        desk: Desk,
        key: ApiKey,
        filled: Filled,
        errors: Any = None,  # noqa: ANN401 - as `Listing.wrong` makes them
    ) -> Response[bytes]:
        """Show the form, as the key is or as it was *filled* in."""
        card = self._listing.shown(desk).card(key)
        suggestion = self._usage.suggest(key.key_id, _SUGGESTED_DAYS)
        return desk.page(
            "edit_form.html.j2" if desk.is_partial else "edit.html.j2",
            # What a script asked for is put in the form's place; the pop-up's place is elsewhere.
            headers={"hx-retarget": "#edit", "hx-reswap": "outerHTML"} if desk.is_partial else {},
            status=422 if errors else 200,
            card=card,
            filled=filled,
            errors=errors or {},
            suggested=[entry for entry in suggestion.entries if entry not in key.allowlist],
        )

    def asked(
        self,
        desk: Desk,
        key_id: str,
        form: Form,
        errors: Any = None,  # noqa: ANN401 - as above
    ) -> Response[Any]:
        """
        Show the pop-up for what was filled in, or the form again with what is wrong with it.

        Of a key that was revoked meanwhile, the key's own page.
        """
        filled = Filled.of(form)
        try:
            wanted = filled.wanted
            previewed = self._keys.preview(key_id, wanted)
        except Invalid as error:
            wrong = self._listing.wrong(desk, error, filled.addresses)
            return self.form(desk, self._keys.get(key_id), filled, wrong)
        except Conflict as conflict:
            return _gone(desk, key_id, conflict)
        if not previewed.plan.changes_anything:
            errors = {"form": desk.say("edit.nothing_changed")}
            return self.form(desk, self._keys.get(key_id), filled, errors)
        return self.popup(desk, previewed, filled, errors=errors)

    def popup(  # noqa: PLR0913 - what there is to show
        self,
        desk: Desk,
        previewed: Previewed,
        filled: Filled,
        *,
        listed: Sequence[str] | None = None,
        is_stale: bool = False,
        errors: Any = None,  # noqa: ANN401 - as above
    ) -> Response[bytes]:
        """Show a plan; of a stale one, what the one before it did not have is marked."""
        plan = previewed.plan
        shown = self._listing.shown(desk)
        sentences = self._words.sentences(plan.consequences, previewed.rulebook, desk.language)
        before = shown.card(plan.before) if plan.before else None
        after = shown.card(plan.after)
        newly = {item.permission for item in plan.consequences if item.ends_at_ms is not None}
        newly |= {item.permission for item in plan.consequences if item.kind == "granted"}
        return desk.page(
            "popup.html.j2" if desk.is_partial else "confirm.html.j2",
            headers={"hx-retarget": "#popup", "hx-reswap": "innerHTML"} if desk.is_partial else {},
            status=409 if is_stale else 422 if errors else 200,
            before=before,
            after=after,
            filled=filled,
            sentences=_marked(sentences, listed),
            warnings=[
                box.warning for box in after.boxes if box.warning and box.permission in newly
            ],
            confirmation_required=plan.confirmation_required,
            stamp=previewed.stamp,
            act=edits.act(plan.after.key_id, filled.wanted),
            is_stale=is_stale,
            errors=errors or {},
        )

    def commit(self, desk: Desk, key_id: str, form: Form) -> Response[Any]:
        """Commit what was shown and confirmed."""
        filled = Filled.of(form)
        wanted = filled.wanted
        act = edits.act(key_id, wanted)
        try:
            with desk.acting(act, form, f"{_page_of(key_id)}?done=again"):
                self._keys.edit(key_id, wanted, form.one("stamp") or None, desk.signed_in.actor)
        except Invalid as error:
            wrong = self._listing.wrong(desk, error, filled.addresses)
            return self.asked(desk, key_id, form, wrong)
        except Conflict as conflict:
            if not isinstance(conflict.plan, Previewed):
                return _gone(desk, key_id, conflict)
            listed = form.all("listed")
            return self.popup(desk, conflict.plan, filled, listed=listed, is_stale=True)
        return desk.go(f"{_page_of(key_id)}?done=edited")


def _page_of(key_id: str) -> str:
    return f"/console/keys/{key_id}"


def _gone(desk: Desk, key_id: str, conflict: Conflict) -> Response[Any]:
    """Send to the page of a key that was revoked, which says so; raise any other *conflict*."""
    if conflict.code != "revoked":
        raise conflict
    return desk.go(_page_of(key_id))


def _marked(sentences: Sequence[Sentence], listed: Sequence[str] | None) -> list[Sentence]:
    if listed is None:
        return list(sentences)
    return [
        replace(each, is_new=f"{each.kind}:{each.permission}" not in listed) for each in sentences
    ]


@get("/keys/{key_id:str}/edit", opt=entry.OWNERS, sync_to_thread=True)
def show_form(
    key_id: KeyId, desk: GivenDesk, editing: Given[Editing], keys: Given[Keys]
) -> Response[Any]:
    """Show the form; `?add=` names an address to begin with, `?renew=` a permission to renew."""
    return editing.begin(desk, keys.get(key_id))


@post("/keys/{key_id:str}/edit", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def preview_edit(
    key_id: KeyId, desk: GivenDesk, editing: Given[Editing], form: GivenForm
) -> Response[Any]:
    """Show what the edit would do; changes nothing."""
    return editing.asked(desk, key_id, form)


@post("/keys/{key_id:str}/edit/confirm", opt=entry.OWNERS, status_code=200, sync_to_thread=True)
def commit_edit(
    key_id: KeyId, desk: GivenDesk, editing: Given[Editing], form: GivenForm
) -> Response[Any]:
    """Commit the edit that was shown."""
    return editing.commit(desk, key_id, form)


def routes() -> list[HTTPRouteHandler]:
    """Return the pages that edit a key."""
    return [show_form, preview_edit, commit_edit]
