"""
Asking before an act: the page that says what follows and asks for a second factor, and doing it.

One page for every act of operators on accounts, keys and the house, so that none is done without
its consequences having been read first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from litestar import Response

from tenure.faces.console.desk import Desk
from tenure.faces.console.forms import Form
from tenure.faces.console.stepping import Again

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    An act, before it is done.

    *title* and *button* say what it is and *subject* what it is about; *follows* are its
    consequences. The form is sent *to* an address, with what is *hidden* in it; *back* leads away.
    *act* is what the second factor is bound to.
    """

    title: str
    button: str
    subject: str
    follows: Sequence[str]
    to: str
    back: str
    act: str
    is_danger: bool = False
    hidden: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


def ask(
    desk: Desk,
    question: Question,
    errors: Mapping[str, str] | None = None,
    *,
    template: str = "operate/act.html.j2",
    status: int | None = None,
    **shown: Any,  # noqa: ANN401 - whatever the template shows
) -> Response[bytes]:
    """Show what would follow, and ask for a second factor."""
    return desk.page(
        template,
        status=status or (422 if errors else 200),
        question=question,
        errors=dict(errors or {}),
        **shown,
    )


def do(desk: Desk, act: str, form: Form, what: Callable[[], _Answer], again: Again) -> _Answer:
    """
    Do *what* once the second factor in *form* approves *act*, and once only.

    Raises what `Desk.acting` does, such as DoneBefore which leads to *again*, and whatever *what*
    does.
    """
    with desk.acting(act, form, again):
        return what()


def go(desk: Desk, path: str, done: str) -> Response[Any]:
    """Go to the page that shows what was *done*."""
    return desk.go(f"{path}?done={done}")
