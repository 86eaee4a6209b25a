"""All the house rules, by name, and `violations`, which tries them on a checkout."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.tidy import boundaries, habits
from tests.tidy.sources import Found, Tree, read

RULES: dict[str, Callable[[Tree], Iterator[Found]]] = {
    "imports-point-down": boundaries.imports_point_down,
    "domain-is-pure": boundaries.the_domain_is_pure,
    "one-home": boundaries.everything_has_one_home,
    "no-dead-modules": boundaries.every_module_is_used,
    "module-length": habits.modules_fit_in_one_reading,
    "function-length": habits.functions_are_short,
    "module-docstring": habits.modules_say_what_they_hold,
    "banned-words": habits.names_are_ours,
    "no-bare-todo": habits.no_bare_todo,
    "text-holds-everywhere": habits.text_holds_everywhere,
}
"""A rule's docstring says why it is one."""


def violations(root: Path) -> list[str]:
    """Return what the checkout at *root* does against the rules: `file:line rule message`."""
    tree = read(root)
    return [
        f"{found.path}:{found.line} {name} {found.message}"
        for name, rule in RULES.items()
        for found in sorted(rule(tree), key=lambda found: (found.path, found.line, found.message))
    ]
