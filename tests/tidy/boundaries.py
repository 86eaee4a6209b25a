"""
Who may import what: layers, a pure domain, and the one home of each library and of surprise.

Each table row carries its *why*: it is shown with the violation, to somebody in a hurry.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from tests.tidy.sources import Found, Source, Tree, is_within

LAYERS = ("domain", "store", "services", "faces")
"""Bottom to top: a layer imports itself and those before it."""

LEAVES = (
    "tenure.clock",
    "tenure.inward",
    "tenure.mapped",
    "tenure.metrics",
    "tenure.outward",
    "tenure.settings",
)
BELOW_LEAVES = ("tenure.domain", "tenure.inward", "tenure.mapped", "tenure.outward")
"""What a leaf may import of ours: pure words, and the files that the clock's mark is kept in."""

WIRING = (
    *("tenure.wiring", "tenure.wiring_notices", "tenure.wiring_operating"),
    *("tenure.wiring_people", "tenure.wiring_secrets"),
)
"""The composition root, and parts of it."""

MAY_WIRE = (
    "tenure.__main__",
    "tenure.faces.cli",
    "tenure.faces.commands",
    "tenure.faces.console.face",
    "tenure.faces.http.app",
    "tenure.faces.http.management",
    "tenure.faces.http.serving",
    "tenure.faces.middleware",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The *modules*, and *attributes* of others, that only *owners* may name; and *why*."""

    modules: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    owners: tuple[str, ...]
    why: str


HOMES = (
    Home(
        modules=("sqlalchemy", "alembic", "pysqlite3", "sqlite3", "psycopg"),
        owners=("tenure.store",),
        why="SQL has one home, where it is tested on both databases; elsewhere it is not",
    ),
    Home(
        modules=("time", "random", "secrets", "uuid", "os.urandom", "os.getrandom"),
        attributes=(
            *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
            *("os.urandom", "os.getrandom"),
        ),
        owners=("tenure.clock",),
        why="surprise comes from a Clock that is handed in, or no life can be simulated",
    ),
    Home(
        modules=("lmdb",),
        owners=("tenure.services.keyring", "tenure.services.replay"),
        why="where it is opened matters (once, after the fork): one module does it for each file",
    ),
    Home(
        modules=("litestar", "granian", "typer", "rich"),
        owners=("tenure.faces",),
        why="below the faces nothing knows that there is a web or a terminal",
    ),
)

IMPURE = (
    *("asyncio", "concurrent", "contextvars", "ctypes", "fcntl", "glob", "http", "importlib"),
    *("locale", "logging", "mmap", "multiprocessing", "os", "pathlib", "platform", "queue"),
    *("random", "secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl"),
    *("subprocess", "sys", "syslog", "tempfile", "threading", "time", "urllib.request", "uuid"),
)
"""Parts of the standard library that let an answer depend on more than the arguments."""

VERIFIERS = ("tenure.domain.verifying", "tenure.domain.admission")


def imports_point_down(tree: Tree) -> Iterator[Found]:
    """Let layers import downwards, leaves next to nothing, and only the outermost modules wire."""
    for source in tree.shipped():
        for line, name in source.imports:
            if is_within(name, "tenure") and (message := _wrong_way(source, name)):
                yield source.at(line, message)


def _wrong_way(source: Source, name: str) -> str | None:
    is_wiring = any(is_within(name, part) for part in WIRING)
    if is_wiring and not source.is_under(*MAY_WIRE, *WIRING):
        return f"imports {name}: only {', '.join(MAY_WIRE)} compose the whole"
    if source.is_under(*LEAVES):
        is_fine = any(is_within(name, below) for below in (*BELOW_LEAVES, source.module))
        return None if is_fine else f"a leaf imports {name}: every layer stands on it"
    own, other = _layer(source.module), _layer(name)
    if own is None:
        return None
    if other is not None and other > own:
        return f"{LAYERS[own]} imports {name}, which is above it"
    if LAYERS[own] == "domain" and other is None:
        return f"domain imports {name}, which is not domain"
    return None


def _layer(module: str) -> int | None:
    parts = module.split(".")
    return LAYERS.index(parts[1]) if len(parts) > 1 and parts[1] in LAYERS else None


def the_domain_is_pure(tree: Tree) -> Iterator[Found]:
    """Let the domain compute: no world, no library but for the two that verify signatures."""
    for source in tree.shipped():
        if not source.is_under("tenure.domain"):
            continue
        for line, name in source.imports:
            if any(is_within(name, impure) for impure in IMPURE):
                yield source.at(line, f"imports {name}: same input, same answer")
            elif not _is_pure(source, name.partition(".")[0]):
                yield source.at(line, f"imports {name}: the standard library is enough here")
        for node in source.nodes:
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"open", "print", "input"}
            ):
                yield source.at(node.lineno, f"calls {node.func.id}(): effects come after, above")


def _is_pure(source: Source, top: str) -> bool:
    # typing_extensions is `typing` of a later Python, nothing more.
    if top in {"tenure", "typing_extensions"} or top in sys.stdlib_module_names:
        return True
    return top in {"cryptography", "nacl"} and source.is_under(*VERIFIERS)


def everything_has_one_home(tree: Tree) -> Iterator[Found]:
    """Let each library of HOMES, and each source of surprise, be named by its owner alone."""
    for source in tree.shipped():
        for home in HOMES:
            if source.is_under(*home.owners):
                continue
            for line, name in source.imports:
                if any(is_within(name, owned) for owned in home.modules):
                    yield source.at(line, f"imports {name}: {home.why}")
            for line, name in _attributes(source):
                if name in home.attributes:
                    yield source.at(line, f"uses {name}: {home.why}")


def _attributes(source: Source) -> Iterator[tuple[int, str]]:
    # By its last two names, so that `dt.datetime.now` and `datetime.now` are the same thing.
    for node in source.nodes:
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "attr", None) or getattr(node.value, "id", "")
            yield node.lineno, f"{owner}.{node.attr}"


def every_module_is_used(tree: Tree) -> Iterator[Found]:
    """
    Reach each module from an entry point of pyproject.toml, from `__main__` or an example.

    A dotted name in a string counts: servers load applications so. Migrations are found by path.
    """
    modules = {source.module: source for source in tree.shipped()}
    pyproject = tomllib.loads((tree.root / "pyproject.toml").read_text("utf-8"))
    scripts = pyproject.get("project", {}).get("scripts", {})
    ahead = [target.partition(":")[0] for target in scripts.values()]
    for entry in ahead:
        if entry not in modules:
            yield Found(path="pyproject.toml", line=1, message=f"entry point {entry} is not there")
            return

    ahead += ["tenure", "tenure.__main__"]
    examples = (source for source in tree.sources if source.is_under("examples"))
    ahead += [name for source in examples for name in _names(source)]
    reached: set[str] = set()
    while ahead:
        name = ahead.pop()
        # `from tenure.domain import rules` and `from tenure.domain.rules import settle` both.
        module = name if name in modules else name.rpartition(".")[0]
        if module in modules and module not in reached:
            reached.add(module)
            ahead += [*_names(modules[module]), module.rpartition(".")[0]]
    for module, source in modules.items():
        is_package = source.path.endswith("__init__.py")
        if not is_package and module not in reached and ".migrations." not in module:
            yield source.at(1, "nothing that is run imports it: wire it or take it out")


def _names(source: Source) -> Iterator[str]:
    yield from (name for _, name in source.imports)
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\btenure(?:\.\w+)+", node.value)
