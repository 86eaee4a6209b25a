"""What no form can mend, as a page: the reason in the reader's language."""

import re
from pathlib import Path

import pytest

import tenure
from tenure.domain.people import Role
from tenure.services import languages
from tests.faces.console.visiting import Visited, words

SOURCE = Path(tenure.__file__).parent
_CODES = re.compile(r'\bConflict\(\s*"(\w+)"|\bForbidden\([^()]*code="(\w+)"')
ELSEWHERE = {
    "approval_required": "of the management face: the console proposes instead",
    "last_factor": "beside its form, see factors.py",
    "not_empty": "of `tenure restore`",
    "not_explained": "of `tenure restore`",
    "not_held": "of `tenure restore`",
    "not_reached": "of `tenure restore`",
    "not_signed_yet": "of the management face and `tenure audit`",
    "older": "of commands that want the store as it is now",
    "rule_altered": "beside the rule's own text, which is English",
    "rule_contested": "beside the rule's own text, which is English",
    "rule_withdrawn": "beside the rule's own text, which is English",
    "unknown_event": "of `tenure restore`",
}
"""The codes that no page of a mishap has to explain, and why."""


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("en", "only the platform can unfreeze it"),
        ("es", "La plataforma congeló esta cuenta."),
        ("ja", "解除は運営にご依頼ください"),
        ("zh-CN", "平台已冻结此账户"),
    ],
)
def test_the_reason_is_given_in_the_readers_language(
    visited: Visited, tag: str, reason: str
) -> None:
    ids = visited.tree()
    master = visited.owner(ids["master"])
    visited.house.worker.accounts.set_frozen(ids["sub"], frozen=True, actor="test")
    path = f"/console/accounts/{ids['sub']}/unfreeze"
    asked = master.get(f"{path}?lang={tag}")

    reply = master.post(path, master.fill(asked, {"code": master.code(), "once": "x"}))

    assert reply.status == 409
    assert reason in words(reply)
    assert 'class="soft" lang="en"' not in reply.body.decode()


def test_whose_role_does_not_allow_it_reads_that(visited: Visited) -> None:
    viewer = visited.operator(Role.VIEWER)

    reply = viewer.get("/console/operate/rules/rule-30d/withdraw?lang=es")

    assert reply.status == 403
    assert "Su función no lo permite." in words(reply)


def test_every_reason_why_something_cannot_be_done_has_its_words() -> None:
    raised = {
        one or other
        for file in SOURCE.rglob("*.py")
        for one, other in _CODES.findall(file.read_text("utf-8"))
    }
    texts = languages.language("en", "UTC").texts
    unsaid = {
        code
        for code in raised
        if f"mishap.why.{code}" not in texts and f"operate.problem.{code}" not in texts
    }

    assert len(raised) > len(ELSEWHERE)
    assert unsaid == set(ELSEWHERE)
