"""
How the house writes: sizes, names, and what its text does not say.

What ruff checks already (formats, docstrings of functions, unused names) is left to ruff.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.tidy.sources import Found, Page, Source, Tree

MODULE_LINES_MAX = 320
"""About 300 is one reading; the rest is slack for whoever just added an import."""
TEST_LINES_MAX = 600
"""A module's cases stay in one file, mirroring it, and tables of them are read by the row."""
FUNCTION_LINES_MAX = 60

BANNED = {
    "credential": "say which: API key, secret key, public key or signature",
    "policy": "rule, or rulebook",
    "scope": "permission",
    "manager": "name it after what it keeps or does",
    "handler": "name it with a verb for what it does",
    "helper": "name it with a verb for what it does",
    "utils": "name the one idea the module holds",
    "data": "name what it holds",
    "info": "name what it holds",
    "token": "operator token is the only one; else API key or stamp",
}
"""Words that say nothing, or that DESIGN's vocabulary has another word for."""
ALLOWED_BESIDE = {"token": {"operator"}, "data": {"key", "keys"}}
"""Neighbours that make a banned word mean one thing: operator tokens, and sealing's data keys."""

UNSAYABLE = (
    (r"(?<![\w.])/(?:work|root)/", "a path of one machine"),
    (r"(?i)\b(?:issue|pull request|pr) #\d+", "a number nobody can look up in a checkout"),
    (r"(?i)\b(?:pypi\.org|pythonhosted\.org|npmjs\.org)", "the host of a package registry"),
)
"""Text that is true only where it was written."""


def modules_fit_in_one_reading(tree: Tree) -> Iterator[Found]:
    """Split a module that outgrew one reading: it holds two ideas."""
    for source in tree.sources:
        lines = len(source.text.splitlines())
        most = TEST_LINES_MAX if source.is_under("tests") else MODULE_LINES_MAX
        if lines > most:
            yield source.at(most, f"{lines} lines, of at most {most}")


def functions_are_short(tree: Tree) -> Iterator[Found]:
    """See a function at once, its docstring included; a migration is a list and may be long."""
    for source in tree.sources:
        if source.is_under("tenure.store.migrations"):
            continue
        for node in source.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    message = f"{node.name}: {lines} lines, of at most {FUNCTION_LINES_MAX}"
                    yield source.at(node.lineno, message)


def modules_say_what_they_hold(tree: Tree) -> Iterator[Found]:
    """Tell whoever opens a file in a hurry what lives there."""
    for source in tree.sources:
        if not ast.get_docstring(source.tree):
            yield source.at(1, "opens without a docstring")


def names_are_ours(tree: Tree) -> Iterator[Found]:
    """Use one word for one thing, in code, URLs, docs and console (docs/reference/glossary.md)."""
    for source in tree.sources:
        for line, name in _names(source):
            words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
            lowered = [word.lower() for word in words]
            for at, word in enumerate(lowered):
                beside = {*lowered[max(at - 1, 0) : at], *lowered[at + 1 : at + 2]}
                if word in BANNED and not beside & ALLOWED_BESIDE.get(word, set()):
                    yield source.at(line, f"`{name}` says {word}: {BANNED[word]}")


def _names(source: Source) -> Iterator[tuple[int, str]]:
    yield 1, PurePosixPath(source.path).stem
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # A test's name is a sentence; an overriding method is named by somebody else.
            is_overriding = any("override" in ast.unparse(by) for by in node.decorator_list)
            if not node.name.startswith("test_") and not is_overriding:
                yield node.lineno, node.name


def no_bare_todo(tree: Tree) -> Iterator[Found]:
    """Name the person or the event that unblocks what is left to do, or it stays for ever."""
    for source in tree.sources:
        for piece in tokenize.generate_tokens(io.StringIO(source.text).readline):
            if piece.type == tokenize.COMMENT and re.search(
                r"\b(?:TODO|FIXME)\b(?!\(\w[^)]*\))", piece.string
            ):
                yield source.at(piece.start[0], "a bare TODO: write TODO(who or what unblocks it)")


def text_holds_everywhere(tree: Tree) -> Iterator[Found]:
    """Make sense on any machine, to people who were not there."""
    files: tuple[Source | Page, ...] = (*tree.sources, *tree.pages)
    for file in files:
        for number, line in enumerate(file.text.splitlines(), start=1):
            for pattern, what in UNSAYABLE:
                if found := re.search(pattern, line):
                    message = f"`{found.group()}` is {what}"
                    yield Found(path=file.path, line=number, message=message)
