"""The exceptions: what is public, what is for the log, and the words there are by default."""

from functools import partial

import pytest

from tenure.domain import errors
from tenure.domain.errors import (
    Conflict,
    Forbidden,
    Gathered,
    Invalid,
    NotFound,
    Problem,
    TenureError,
    Unauthenticated,
    Unavailable,
    Why,
)

FAMILY = [Invalid, NotFound, Conflict, Unauthenticated, Forbidden, Unavailable]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    children = TenureError.__subclasses__()

    assert children == FAMILY
    for child in children:
        assert f"-- {child.__name__} " in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (NotFound(), "not_found", "There is no such thing, or it is not yours to see."),
        (Conflict("stale"), "stale", "Something changed since you looked."),
        (Forbidden(), "forbidden", "You are known, but this is not yours to do."),
        (
            Unauthenticated(),
            "unauthenticated",
            "Say who you are: send `Authorization: Bearer <operator token>`, or sign natively.",
        ),
        (
            Unavailable("sealed"),
            "sealed",
            "Tenure cannot answer safely just now; try again shortly.",
        ),
        (TenureError(), "error", "Something went wrong."),
    ],
)
def test_a_class_has_words_of_its_own(error: TenureError, code: str, message: str) -> None:
    assert (error.code, error.message, str(error)) == (code, message, message)


def test_words_given_are_used() -> None:
    assert str(NotFound("no such key")) == "no such key"


def test_without_docstrings_the_code_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `python -OO` there are none."""
    monkeypatch.setattr(NotFound, "__doc__", None)

    assert str(NotFound()) == "not_found"


def test_the_context_is_not_public() -> None:
    error = Unavailable("store", context="host=10.0.0.7 refused")

    assert error.context == "host=10.0.0.7 refused"
    assert "10.0.0.7" not in str(error) + repr(error)


def test_invalid_names_every_problem() -> None:
    error = Invalid.of([Problem("label", "is too long"), Problem("ip_allowlist.0", "is empty")])

    assert error.code == "invalid"
    assert (error.field, error.message) == ("label", "is too long")
    assert error.problems == (
        Problem("label", "is too long"),
        Problem("ip_allowlist.0", "is empty"),
    )
    assert str(error) == "label: is too long; ip_allowlist.0: is empty"


def test_invalid_names_the_rule_that_does_not_allow_it_if_one() -> None:
    assert Invalid("label", "is too long").rule_id == ""
    assert Invalid("permissions.futures", "not allowed", rule_id="r").rule_id == "r"


def test_a_conflict_carries_its_plan() -> None:
    plan = object()

    assert Conflict("confirmation_required", plan=plan).plan is plan
    assert Conflict("stale").plan is None


def test_what_is_wrong_has_a_name_for_those_who_say_it_in_other_words() -> None:
    why = Why("label_length", {"most": 64})

    assert Invalid("label", "is too long").problems[0].why == Why()
    assert Invalid("label", "is too long", why=why).problems[0].why == why
    assert Invalid.of([Problem("label", "is too long", why)]).problems[0].why == why


def test_what_several_looks_find_is_told_at_once() -> None:
    def fail(error: Invalid) -> str:
        raise error

    label, rule = Invalid("label", "is too long"), Invalid("f", "not allowed", rule_id="r")

    nothing = Gathered()
    assert nothing.look(lambda: "found", None) == "found"
    nothing.settle()

    alone = Gathered()
    assert alone.look(lambda: fail(rule), "else") == "else"
    with pytest.raises(Invalid) as raised:
        alone.settle()
    assert raised.value is rule

    both = Gathered()
    for error in (label, rule):
        both.look(partial(fail, error), None)
    with pytest.raises(Invalid) as raised:
        both.settle()
    assert raised.value.problems == (*label.problems, *rule.problems)
    assert raised.value.rule_id == "", "of its first, which no rule forbids"

    forbidden = Gathered()
    for error in (rule, label):
        forbidden.look(partial(fail, error), None)
    with pytest.raises(Invalid) as raised:
        forbidden.settle()
    assert (raised.value.field, raised.value.rule_id) == ("f", "r")
