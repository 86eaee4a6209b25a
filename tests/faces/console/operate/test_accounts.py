"""An account's page, and freezing it: what follows first, a second factor, once."""

from tenure.domain.decide import Reason
from tenure.domain.model import AccountKind
from tests.faces.console.operate.house import OPERATE, Office, confirm, went
from tests.faces.console.visiting import words


def page_of(office: Office) -> str:
    return f"{OPERATE}/accounts/{office.account_id}"


def test_an_account_is_shown_with_all_that_belongs_to_it(office: Office) -> None:
    house = office.visited.house
    master = house.account("master@example.com", AccountKind.MASTER)
    sub = house.account("sub@example.com", AccountKind.SUB, master)
    house.issue(sub, label="sub bot")

    of_master = words(office.vic.get(f"{OPERATE}/accounts/{master}"))
    of_sub = words(office.vic.get(f"{OPERATE}/accounts/{sub}"))

    assert "sub@example.com" in of_master
    assert "This account has no keys." in of_master
    assert "Master account master@example.com" in of_sub
    for part in ("sub bot", "Keys (1)", "E-mail sub@example.com Confirmed", "key:issued"):
        assert part in of_sub
    assert "Nobody was invited yet" in of_sub


def test_who_may_not_act_is_shown_no_button(office: Office) -> None:
    assert f"{page_of(office)}/freeze" not in office.vic.get(page_of(office)).body.decode()
    assert f"{page_of(office)}/freeze" in office.oli.get(page_of(office)).body.decode()


def test_freezing_says_what_follows_and_asks_for_a_second_factor(office: Office) -> None:
    asked = office.oli.get(f"{page_of(office)}/freeze")
    assert "is refused at once" in words(asked)

    without = office.oli.post(f"{page_of(office)}/freeze", office.oli.fill(asked))
    assert without.status == 422
    assert 'id="code-error"' in without.body.decode()
    assert office.visited.house.worker.accounts.get(office.account_id).frozen_at_ms is None

    done = confirm(office.oli, f"{page_of(office)}/freeze", asked)

    assert went(done) == f"{page_of(office)}?done=freeze"
    assert (office.tags(), office.actor()) == (
        ["account:frozen"],
        "operator:operator2@example.com",
    )
    assert "The account is frozen." in words(office.oli.get(went(done)))


def test_unfreezing_lets_it_go_on(office: Office) -> None:
    accounts = office.visited.house.worker.accounts
    accounts.set_frozen(office.account_id, frozen=True, actor="x")
    asked = office.oli.get(f"{page_of(office)}/unfreeze")

    done = confirm(office.oli, f"{page_of(office)}/unfreeze", asked)

    assert went(done) == f"{page_of(office)}?done=unfreeze"
    assert accounts.get(office.account_id).frozen_at_ms is None
    assert Reason.ACCOUNT_FROZEN not in office.tags()


def test_a_form_that_is_sent_twice_acts_once(office: Office) -> None:
    asked = office.oli.get(f"{page_of(office)}/freeze")
    fields = office.oli.fill(asked, {"code": office.oli.code()})
    office.oli.post(f"{page_of(office)}/freeze", fields)
    head = office.visited.house.worker.journal.head()

    again = office.oli.post(
        f"{page_of(office)}/freeze",
        [pair for pair in fields if pair[0] != "code"] + [("code", office.oli.code())],
    )

    assert went(again) == f"{page_of(office)}?done=again"
    assert "nothing was done a second time" in words(office.oli.get(went(again)))
    assert office.visited.house.worker.journal.head() == head
