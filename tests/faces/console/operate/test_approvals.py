"""Approvals: by somebody else, with a second factor, and only what is still as it was shown."""

import pytest

from tenure.domain.approvals import GOOD_FOR_MS, Act
from tests.faces.console.operate.house import OPERATE, Office, confirm, rulebook, signatory, went
from tests.faces.console.visiting import words

APPROVALS = f"{OPERATE}/approvals"
LEAKY = {"label": "my bot", "issued_before_ms": None}


@pytest.fixture
def page(office: Office) -> str:
    """Return where a proposal of Ada's is."""
    return f"{APPROVALS}/{office.proposed(Act.REVOKE_KEYS, LEAKY).approval_id}"


def test_everybody_of_the_house_sees_what_waits(office: Office, page: str) -> None:
    for browser in (office.vic, office.oli, office.ben):
        assert page in browser.get(APPROVALS).body.decode()
    said = words(office.vic.get(page))
    assert "Keys called “my bot” and issued before 1 Dec 2021, 10:00: 3 (Account: 3)." in said
    assert "administrator0@example.com" in said
    assert "Only an administrator may do this." in said


def test_whoever_proposed_it_may_take_it_back_and_nothing_else(office: Office, page: str) -> None:
    own = office.ada.get(page)
    assert "You proposed this, so somebody else has to approve it." in words(own)
    assert f'action="{page}/approve"' not in own.body.decode()

    forced = office.ada.post(f"{page}/approve", {"once": "1", "code": office.ada.code()})
    assert forced.status == 409
    assert "Somebody else has to approve this" in words(forced)
    assert office.key().revoked_at_ms is None

    asked = office.ada.get(f"{page}/withdraw")
    assert "Take it back" in words(asked)
    assert went(confirm(office.ada, f"{page}/withdraw", asked)) == f"{page}?done=turned_down"
    assert office.tags() == ["approval:withdrawn"]


def test_another_administrator_approves_with_a_second_factor(office: Office, page: str) -> None:
    shown = office.ben.get(page)
    without = office.ben.post(f"{page}/approve", office.ben.fill(shown))
    assert without.status == 422
    assert 'id="code-error"' in without.body.decode()
    assert office.key().revoked_at_ms is None

    filled = office.ben.fill(shown, {"code": office.ben.code()})
    done = office.ben.post(f"{page}/approve", filled)

    assert went(done) == f"{page}?done=approved"
    assert went(office.ben.post(f"{page}/approve", filled)) == f"{page}?done=approved", (
        "loaded again"
    )
    assert office.key().revoked_at_ms is not None
    said = words(office.vic.get(page))
    assert "Approved administrator1@example.com" in said


def test_it_may_be_turned_down(office: Office, page: str) -> None:
    asked = office.ben.get(f"{page}/withdraw")
    assert "Turn it down" in words(asked)
    assert office.ben.post(f"{page}/withdraw", office.ben.fill(asked)).status == 422

    confirm(office.ben, f"{page}/withdraw", asked)

    again = office.ben.post(f"{page}/approve", {"once": "2", "code": office.ben.code()})
    assert again.status == 409
    assert "this is settled already" in words(again)
    late = office.ben.post(f"{page}/withdraw", {"once": "3", "code": office.ben.code()})
    assert late.status == 409


def test_others_may_neither_approve_nor_withdraw(office: Office, page: str) -> None:
    for browser in (office.oli, office.vic):
        for what in ("approve", "withdraw"):
            assert browser.post(f"{page}/{what}", {"code": "000000"}).status == 403


def test_what_moved_meanwhile_is_stale_and_cannot_be_approved(office: Office) -> None:
    proposal = office.proposed(Act.SCHEDULE_RULES, {"rulebook": rulebook("first")})
    other = office.proposed(
        Act.SCHEDULE_RULES,
        {"rulebook": rulebook("second").replace("european_options", "futures")},
    )
    office.approvals.approve(other.approval_id, signatory(office.ben))

    page = office.ben.get(f"{APPROVALS}/{proposal.approval_id}")

    assert "no longer what was proposed" in words(page)
    assert "/approve" not in page.body.decode()
    forced = office.ben.post(
        f"{APPROVALS}/{proposal.approval_id}/approve", {"once": "1", "code": office.ben.code()}
    )
    assert forced.status == 409
    assert "first" not in str(office.visited.house.worker.rules.rulebook().rules)


def test_after_a_day_it_is_over(office: Office, page: str) -> None:
    office.visited.house.move(office.visited.house.worker.clock.now_ms() + GOOD_FOR_MS)

    assert "Nothing waits" in words(office.ben.get(APPROVALS))
    assert "Expired" in words(office.ben.get(page))
    assert f"{page}/approve" not in office.ben.get(page).body.decode()


def test_a_link_to_join_is_shown_once_to_whoever_approved(office: Office) -> None:
    asked = {"email": "carla@example.com", "role": "operator"}
    page = f"{APPROVALS}/{office.proposed(Act.INVITE_OPERATOR, asked).approval_id}"
    assert "carla@example.com is invited as operator" in words(office.ben.get(page))

    done = confirm(office.ben, f"{page}/approve", office.ben.get(page))

    assert done.status == 200
    assert "/console/join/" in words(done)
    assert "The link was shown once" not in words(done)
    again = words(office.ben.get(page))
    assert "/console/join/" not in again
    assert "The link was shown once, to whoever approved this." in again


def test_a_proposed_rulebook_can_be_read_and_previewed(office: Office) -> None:
    proposal = office.proposed(Act.SCHEDULE_RULES, {"rulebook": rulebook()})
    page = office.ben.get(f"{APPROVALS}/{proposal.approval_id}")

    assert "options-week" in words(page)
    assert f'action="{OPERATE}/rules/new"' in page.body.decode()


def test_every_role_has_a_name_in_what_is_proposed(office: Office) -> None:
    assert office.vic.person is not None
    asked = {"person_id": office.vic.person.person_id, "role": "operator"}
    page = f"{APPROVALS}/{office.proposed(Act.CHANGE_ROLE, asked).approval_id}"

    said = words(office.ben.get(f"{page}?lang=es"))

    assert "pasa de observador a operador" in said


def test_what_nobody_proposed_is_no_page(office: Office) -> None:
    assert office.ben.get(f"{APPROVALS}/appr_{'0' * 24}").status == 404
