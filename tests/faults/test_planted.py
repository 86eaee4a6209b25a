"""Each planted bug turns the tests red that answer for it; without it they are green."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

import tenure
from tests.faults.planted import bugs, running
from tests.faults.planted.bug import Bug
from tests.faults.planted.leak_bugs import LEAK_BUGS
from tests.faults.planted.people_bugs import PEOPLE_BUGS

BUGS = (*bugs.BUGS, *LEAK_BUGS, *PEOPLE_BUGS)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SOURCE = Path(tenure.__file__).parent
_WITHIN_S = 240


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_without_a_planted_bug_they_all_pass(tmp_path: Path, *, whole: bool) -> None:
    """
    A test that is always red catches nothing: one of each directory, or all, which takes longer.

    On the source as it is each of them is green in the run that this test is part of. What is left
    to see is that a run on a copy, with few plugins, can be green.
    """
    _copy(tmp_path)
    selection = sorted({node for bug in BUGS for node in bug.caught_by})
    if not whole:
        selection = list(
            {Path(node.partition("::")[0]).parent: node for node in selection}.values()
        )

    code, outcomes, said = _run(tmp_path, selection)

    assert code == 0, said
    assert set(outcomes) == set(selection)
    assert all(outcomes.values())


@pytest.mark.parametrize("bug", BUGS, ids=[bug.number for bug in BUGS])
def test_a_planted_bug_is_caught(tmp_path: Path, bug: Bug) -> None:
    """Every test that is named fails, by an assertion or an error of its own: none is missing."""
    _copy(tmp_path)
    for swap in bug.swaps:
        path = tmp_path / "tenure" / swap.path
        text = path.read_text(encoding="utf-8")
        assert text.count(swap.old) == 1, (
            f"{swap.path} has changed: renew the patch of {bug.number}"
        )
        path.write_text(text.replace(swap.old, swap.new), encoding="utf-8")

    code, outcomes, said = _run(tmp_path, bug.caught_by)

    assert code == pytest.ExitCode.TESTS_FAILED, said
    assert outcomes == dict.fromkeys(bug.caught_by, False), said


def test_every_bug_has_a_number_and_a_test_of_its_own() -> None:
    numbers = [bug.number for bug in BUGS]

    assert len(set(numbers)) == len(numbers)
    assert all(bug.caught_by and bug.swaps for bug in BUGS)


def _copy(tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "tenure")


def _run(directory: Path, selection: Sequence[str]) -> tuple[int | None, dict[str, bool], str]:
    """
    Run *selection* on the copy of the source in *directory*.

    Returns pytest's exit code, for each of *selection* whether all of its cases passed, and what
    pytest said. A case that could not even be set up is in nobody's favour: it raises.
    """
    report = directory / "report.xml"
    ran = running.run(ROOT, directory, selection, report, _WITHIN_S)
    outcomes: dict[str, bool] = {}
    cases = ElementTree.parse(report).getroot().iter("testcase") if report.exists() else ()  # noqa: S314 - ours
    for case in cases:
        assert case.find("error") is None, ran.said
        if case.find("skipped") is not None:
            continue  # PostgreSQL may not be there; a test with no case that ran is missed below.
        name = _selected(case, selection)
        outcomes[name] = outcomes.get(name, True) and case.find("failure") is None
    return ran.code, outcomes, ran.said


def _selected(case: ElementTree.Element, selection: Sequence[str]) -> str:
    """Return which of *selection* the *case* belongs to; a test stands for all its cases."""
    path = case.attrib["classname"].replace(".", "/") + ".py"
    node = f"{path}::{case.attrib['name']}"
    return node if node in selection else node.partition("[")[0]
