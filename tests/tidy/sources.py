"""
The tree as the house rules see it: parsed modules with their imports, and pages of prose.

Nothing here judges; the rules are in `boundaries` and `habits`, and `check` runs them all.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CODE = ("src", "tests", "benchmarks", "examples")
PROSE = ("docs", "changes", "deploy", *CODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something at *line* of the file at *path*, which is relative to the tree's root."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    One module.

    *module* is its dotted name (`tenure.domain.rules`; a package goes by its own name), *nodes* is
    all of its tree, walked once; *imports* are pairs of a line and a dotted name, with
    `from a import b` written as `a.b`.
    """

    path: str
    module: str
    text: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]
    imports: tuple[tuple[int, str], ...]

    def at(self, line: int, message: str) -> Found:
        """Report *message* about a *line* of this module."""
        return Found(path=self.path, line=line, message=message)

    def is_under(self, *names: str) -> bool:
        """Whether this module is one of the dotted *names*, or inside one that is a package."""
        return any(is_within(self.module, name) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One Markdown file."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A checkout: *root* is its directory."""

    root: Path
    sources: tuple[Source, ...]
    pages: tuple[Page, ...]

    def shipped(self) -> Iterator[Source]:
        """Yield the modules of `src/tenure`."""
        return (source for source in self.sources if source.is_under("tenure"))


def is_within(dotted: str, name: str) -> bool:
    """Whether *dotted* is *name* or something in it."""
    return dotted == name or dotted.startswith(f"{name}.")


def read(root: Path) -> Tree:
    """Read and parse the checkout at *root*; directories it lacks are passed over."""
    code = (path for name in CODE for path in (root / name).rglob("*.py"))
    prose = (path for name in PROSE for path in (root / name).rglob("*.md"))
    return Tree(
        root=root,
        sources=tuple(_source(root, path) for path in sorted(code)),
        pages=tuple(
            Page(path=path.relative_to(root).as_posix(), text=path.read_text("utf-8"))
            for path in sorted([*root.glob("*.md"), *prose])
        ),
    )


def _source(root: Path, path: Path) -> Source:
    relative = path.relative_to(root)
    parts = relative.with_suffix("").parts
    names = parts[1:] if parts[0] == "src" else parts
    is_package = names[-1] == "__init__"
    module = ".".join(names[:-1] if is_package else names)
    text = path.read_text("utf-8")
    tree = ast.parse(text, str(path))
    nodes = tuple(ast.walk(tree))
    package = module if is_package else module.rpartition(".")[0]
    return Source(
        path=relative.as_posix(),
        module=module,
        text=text,
        tree=tree,
        nodes=nodes,
        imports=tuple(_imports(nodes, package)),
    )


def _imports(nodes: Iterable[ast.AST], package: str) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = [*(above if node.level else []), *([node.module] if node.module else [])]
            for alias in node.names:
                yield node.lineno, ".".join([*base, alias.name])
