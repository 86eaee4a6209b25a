"""The reference pages name everything there is: a new setting, reason or tag needs a line."""

import re
import tomllib
from pathlib import Path

import pytest

from tenure.domain import catalog, rulebooks
from tenure.domain.decide import REFUSALS, Reason
from tenure.domain.events import Tag
from tenure.settings import Settings
from tests.builders import shipped

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    described = Settings.model_fields[name].description
    assert f"| `{name}` | `TENURE_{name.upper()}` |" in page("settings")
    assert described
    assert described in page("settings")


@pytest.mark.parametrize("reason", list(Reason))
def test_every_refusal_reason_is_documented_with_its_status(reason: Reason) -> None:
    assert f"| `{reason}` | {REFUSALS[reason].status} |" in page("refusals")


@pytest.mark.parametrize("tag", list(Tag))
def test_every_event_tag_is_documented(tag: Tag) -> None:
    assert f"`{tag}`" in page("events")


def test_every_metric_is_documented() -> None:
    source = (Path(__file__).parent.parent / "src/tenure/metrics.py").read_text(encoding="utf-8")
    names = re.findall(r'"(tenure_[a-z_]+)"', source)
    assert names
    for name in names:
        assert f"`{name}_total`" in page("metrics")


def test_every_column_of_the_shipped_files_is_documented() -> None:
    for name, table, documented in (
        ("rulebooks/2021-07-09.toml", "rule", "rulebook"),
        ("catalogs/exchange.toml", "permission", "catalog"),
        ("catalogs/exchange.toml", "route", "catalog"),
    ):
        for row in tomllib.loads(shipped(name))[table]:
            for column in row:
                assert f"`{column}`" in page(documented), column


def test_the_example_rule_can_be_loaded() -> None:
    example = re.search(r"```toml\n(.*?)```", page("rulebook"), re.DOTALL)
    assert example
    offers = catalog.read(shipped("catalogs/exchange.toml")).offers
    assert (
        rulebooks.read(example.group(1), frozenset(offers)).rules[0].unrestricted == 7_776_000_000
    )


def test_every_link_between_pages_leads_somewhere() -> None:
    root = REFERENCE.parent.parent
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md")]
    broken = [
        f"{found.relative_to(root)}: {target}"
        for found in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", found.read_text(encoding="utf-8"))
        if "://" not in target and "NNNN" not in target and not (found.parent / target).exists()
    ]
    assert broken == []
