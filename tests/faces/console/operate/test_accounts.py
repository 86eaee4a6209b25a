"""An account's page, and freezing it: what follows first, a second factor, once."""

import pytest

from tenure.domain.decide import Reason
from tenure.domain.model import AccountKind
from tenure.domain.people import Role
from tenure.faces.console.operate import accounts
from tests.faces.console.operate.house import OPERATE, Office, confirm, went
from tests.faces.console.visiting import Visited, words

ACCOUNTS = f"{OPERATE}/accounts"


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


def test_all_accounts_are_listed_by_e_mail_page_by_page(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = office.visited.house
    house.account("another@example.com")
    master = house.account("master@example.com", AccountKind.MASTER)
    sub = house.account("sub@example.com", AccountKind.SUB, master)
    house.worker.keys.revoke(office.keys[0].key_id, "x")
    house.worker.accounts.set_frozen(master, frozen=True, actor="x")
    monkeypatch.setattr(accounts, "_PAGE", 2)

    first = words(office.vic.get(ACCOUNTS))
    second = words(office.vic.get(f"{ACCOUNTS}?after={master}"))

    assert "another@example.com Account 0 Active" in first
    assert "master@example.com Master account 0 Frozen" in first
    assert f'href="{ACCOUNTS}?after={master}"' in office.vic.get(ACCOUNTS).body.decode()
    assert f"sub@example.com Sub-account 0 Frozen 1 Dec 2021, 10:00 {sub}" in second
    assert "trader@example.com Account 2 Active" in second
    assert "More accounts" not in second
    assert went(office.vic.get(f"{ACCOUNTS}?after={office.account_id}")) == ACCOUNTS
    assert "another@example.com" in words(office.vic.get(f"{ACCOUNTS}?after=%00nonsense"))


def test_accounts_are_in_the_menu_and_made_there_by_whoever_may(office: Office) -> None:
    assert f'href="{ACCOUNTS}"' in office.vic.get(OPERATE).body.decode()
    assert f"{ACCOUNTS}/new" in office.oli.get(ACCOUNTS).body.decode()
    assert f"{ACCOUNTS}/new" not in office.vic.get(ACCOUNTS).body.decode()
    assert f'class="back" href="{ACCOUNTS}"' in office.vic.get(page_of(office)).body.decode()


def test_a_house_without_accounts_says_how_the_first_comes(visited: Visited) -> None:
    viewer, operator = visited.operator(Role.VIEWER), visited.operator(Role.OPERATOR)

    assert "An operator or an administrator can create one." in words(viewer.get(ACCOUNTS))
    assert "Create the first account" in words(operator.get(ACCOUNTS))


@pytest.mark.parametrize(("subs", "is_said"), [(1, False), (2, True)])
def test_more_sub_accounts_than_are_shown_are_said_to_be_there(
    office: Office, monkeypatch: pytest.MonkeyPatch, subs: int, *, is_said: bool
) -> None:
    house = office.visited.house
    master = house.account("master@example.com", AccountKind.MASTER)
    for number in range(subs):
        house.account(f"sub{number}@example.com", AccountKind.SUB, master)
    monkeypatch.setattr(accounts, "_SUBS_SHOWN", 1)

    page = words(office.vic.get(f"{ACCOUNTS}/{master}"))

    assert ("The first 1 are shown." in page) is is_said


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
