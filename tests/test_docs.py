"""The reference pages name everything there is: a new setting, reason or tag needs a line."""

import re
import tomllib
from pathlib import Path

import pytest

from tenure.domain import catalog, notices, rulebooks
from tenure.domain.decide import REFUSALS, Reason
from tenure.domain.events import Tag
from tenure.domain.notices import Kind
from tenure.faces.http.notices import NoticeView
from tenure.services import sending
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


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_notice_is_documented_with_its_urgency(kind: Kind) -> None:
    assert f"| `{kind}` | {notices.URGENCIES[kind]} |" in page("notices")


def test_the_waits_and_lead_times_of_notices_are_documented() -> None:
    units = {86_400: "24 h", 43_200: "12 h", 21_600: "6 h", 7_200: "2 h"}
    units |= {1_800: "30 min", 600: "10 min", 120: "2 min", 30: "30 s", 5: "5 s"}
    rows = [f"| {n} | {units[wait]} |" for n, wait in enumerate(sending.RETRY_AFTER_S, start=1)]
    assert "\n".join(rows) in page("notices")
    assert rulebooks.NOTIFY_BEFORE_MS == (604_800_000, 259_200_000, 86_400_000, 3_600_000)
    assert "7 days, 3 days, 1 day and 1 hour" in page("notices")


def test_every_member_of_a_notice_is_documented() -> None:
    for name in NoticeView.__struct_fields__:
        assert f"`{name}`" in page("notices"), name


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


def test_nothing_is_fixed_that_no_release_had() -> None:
    root = Path(__file__).parents[1]
    if "Nothing has been released yet." in (root / "CHANGELOG.md").read_text("utf-8"):
        assert [path.name for path in (root / "changes").glob("*.fixed.md")] == []
