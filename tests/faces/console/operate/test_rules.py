"""The rulebook: shown, previewed with counts and a picture, scheduled and withdrawn."""

import pytest

from tenure.domain.people import Role
from tests.faces.console.operate.house import OPERATE, Office, again, confirm, rulebook, went
from tests.faces.console.visiting import Visited, words

RULES = f"{OPERATE}/rules"


def known(office: Office) -> set[str]:
    return {str(rule.rule_id) for rule in office.visited.house.worker.rules.rulebook().rules}


def test_the_rulebook_is_a_table_in_words(office: Office) -> None:
    said = words(office.vic.get(RULES))

    assert "Without trusted IPs, Spot & Margin Trading lasts 30 days" in said
    assert "Enable Spot & Margin Trading 30 days told 7 days, 3 days, 1 day, 1 hour before" in said
    assert "Enable Withdrawals not allowed without end" in said
    assert "No rule waits to take effect." in said


def test_a_shipped_rulebook_may_be_taken_to_begin_with(office: Office) -> None:
    assert "Bybit" in office.vic.get(f"{RULES}/new?shipped=bybit").body.decode()
    assert (
        "[[rule]]"
        not in office.vic.get(f"{RULES}/new?shipped=../x").body.decode().split("<textarea")[1]
    )


def test_problems_are_named_with_their_lines_and_nothing_is_lost(office: Office) -> None:
    text = rulebook().replace('unrestricted = "7d"', 'unrestricted = "soon"')

    page = office.vic.post(f"{RULES}/new", {"rulebook": text})

    assert page.status == 422
    assert "line " in words(page)
    assert "“" not in words(page).split("line ")[1][:20]
    assert "unrestricted = &#34;soon&#34;" in page.body.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rulebook(since="2021-11-01T00:00:00Z"), "back-dated"),
        (rulebook().replace("lasts 30 days", "lasts long"), "a rule is never altered"),
    ],
)
def test_what_cannot_be_scheduled_is_said_before(office: Office, text: str, said: str) -> None:
    page = office.ada.post(f"{RULES}/new", {"rulebook": text})

    assert page.status == 422
    assert said in words(page)


def test_a_preview_counts_and_draws_what_would_happen(office: Office) -> None:
    office.visited.house.issue(office.account_id, "european_options", label="opt")
    page = office.ada.post(f"{RULES}/new", {"rulebook": rulebook()})
    said, text = words(page), page.body.decode()

    assert page.status == 200
    assert "from 1 Mar 2022, 00:00 on : Enable European Options" in said.replace("on:", "on :")
    assert "Keys counted: 4. Of these 3 hold nothing that would change." in said
    assert "Enable European Options for example" in said
    assert "As things stand: 3" in said
    assert "With the new rules: 4" in said
    assert text.count('<rect class="after" x=') == 2
    assert (
        '<th scope="row">7 Mar 2022</th><td class="number">0</td><td class="number">1</td>' in text
    )
    assert "another administrator has to approve it within 24 hours" in said


def test_what_is_known_already_adds_nothing(office: Office) -> None:
    text = rulebook().split('\n[[rule]]\nid = "options-week"')[0]
    page = office.ada.post(f"{RULES}/new", {"rulebook": text})

    assert "There is no new rule in it" in words(page)
    assert 'name="stamp"' not in page.body.decode()


def test_who_may_not_schedule_sees_the_preview_without_the_form(office: Office) -> None:
    page = office.oli.post(f"{RULES}/new", {"rulebook": rulebook()})

    assert "Only an administrator may do this." in words(page)
    assert 'name="code"' not in page.body.decode()
    assert office.oli.post(RULES, {"rulebook": rulebook()}).status == 403


def test_two_administrators_propose_and_approve(office: Office) -> None:
    page = office.ada.post(f"{RULES}/new", {"rulebook": rulebook()})
    assert office.ada.post(RULES, office.ada.fill(page)).status == 422

    to = went(confirm(office.ada, RULES, page))

    assert to.startswith(f"{OPERATE}/approvals/appr_")
    assert to.endswith("?done=proposed")
    assert "options-week" not in known(office)
    approval = office.ben.get(to)
    done = confirm(office.ben, f"{to.partition('?')[0]}/approve", approval)
    assert went(done).endswith("?done=approved")
    assert "options-week" in known(office)
    assert office.tags(2) == ["approval:approved", "rule:added"]


def test_alone_it_is_scheduled_at_once_and_withdrawn_again(visited: Visited) -> None:
    ada = visited.operator(Role.ADMINISTRATOR)
    page = ada.post(f"{RULES}/new", {"rulebook": rulebook()})
    assert "You are the only administrator" in words(page)

    assert went(confirm(ada, RULES, page)) == f"{RULES}?done=scheduled"
    assert "The rules are scheduled" in words(ada.get(f"{RULES}?done=scheduled"))
    asked = ada.get(f"{RULES}/options-week/withdraw")
    assert "never will" in words(asked)
    assert went(confirm(ada, f"{RULES}/options-week/withdraw", asked)) == f"{RULES}?done=withdrawn"
    assert "Withdrawn before they took effect" in words(ada.get(RULES))


def test_acts_on_the_rulebook_that_are_sent_again_say_that_they_were_done(
    visited: Visited,
) -> None:
    ada = visited.operator(Role.ADMINISTRATOR)
    withdrawing = f"{RULES}/options-week/withdraw"
    pages = ((RULES, f"{RULES}/new"), (withdrawing, ""))

    for to, preview in pages:
        page = ada.post(preview, {"rulebook": rulebook()}) if preview else ada.get(to)
        filled = dict(ada.fill(page, {"code": ada.code()}))  # Two forms have the rulebook.
        assert went(ada.post(to, filled)).startswith(f"{RULES}?done=")
        head = visited.house.worker.journal.head()

        assert went(ada.post(to, filled)) == f"{RULES}?done=sent"
        assert visited.house.worker.journal.head() == head
    assert "was done then, or proposed" in words(ada.get(f"{RULES}?done=sent"))


def test_a_preview_that_went_stale_is_shown_again(visited: Visited) -> None:
    ada = visited.operator(Role.ADMINISTRATOR)
    page = ada.post(f"{RULES}/new", {"rulebook": rulebook()})
    visited.house.move(visited.house.worker.clock.now_ms() + 600_001)

    stale = confirm(ada, RULES, page)

    assert stale.status == 422
    assert "Something changed since this was shown." in words(stale)
    assert went(again(ada, RULES, stale)) == f"{RULES}?done=scheduled", "already proved"


def test_a_rule_in_force_is_not_withdrawn(office: Office) -> None:
    assert office.ada.get(f"{RULES}/2021-07-09/withdraw").status == 409
    assert office.ada.get(f"{RULES}/nobody/withdraw").status == 404
