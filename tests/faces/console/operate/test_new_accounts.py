"""Creating an account on the pages: what follows first, a second factor, a link for its owner."""

import re

import pytest

from tenure.domain.model import Account, AccountKind
from tenure.domain.people import Role
from tests.faces.console.operate.house import OPERATE, Office, confirm, went
from tests.faces.console.visiting import Browser, Visited, words
from tests.house import Reply

NEW = f"{OPERATE}/accounts/new"
EMAIL = "new@example.com"


def asked(browser: Browser, email: str = EMAIL, kind: str = "normal", master: str = "") -> Reply:
    """Fill in the form, and return what is shown then."""
    at = f"{NEW}?master={master}" if master else NEW
    return browser.post(NEW, browser.fill(browser.get(at), {"email": email, "kind": kind}))


def made(office: Office) -> list[Account]:
    every = office.visited.house.worker.accounts.every()
    return [account for account in every if account.email == EMAIL]


def test_an_account_is_created_once_it_is_confirmed_and_its_owner_joins_by_the_link(
    office: Office,
) -> None:
    question = asked(office.oli, f" {EMAIL} ")
    assert "You get a link by which its owner joins" in words(question)
    without = office.oli.post(NEW, office.oli.fill(question))
    assert (without.status, made(office)) == (422, [])

    done = confirm(office.oli, NEW, question)

    assert office.tags(2) == ["account:created", "person:invited"]
    assert office.actor() == "operator:operator2@example.com"
    link = re.search(r"/console/join/[\w-]{43}", done.body.decode())
    assert link is not None
    assert EMAIL in words(office.visited.nobody().get(link.group()))


def test_a_form_that_is_sent_again_leads_to_where_another_link_can_be_made(
    office: Office,
) -> None:
    question = asked(office.oli)
    confirm(office.oli, NEW, question)
    (account,) = made(office)

    again = office.oli.post(NEW, office.oli.fill(question))

    assert went(again) == f"/console/owners/{account.account_id}?done=created"
    page = words(office.oli.get(went(again)))
    assert "Its link is not shown again" in page
    assert "Invite the owner" in page


def test_what_others_sent_is_judged_as_their_own(office: Office) -> None:
    """Whoever knows what a form was known by learns nothing of what it did."""
    question = asked(office.oli)
    confirm(office.oli, NEW, question)

    assert office.ada.post(NEW, office.ada.fill(question)).status == 422


def test_a_sub_account_is_created_from_its_masters_page(office: Office) -> None:
    master = office.visited.house.account("master@example.com", AccountKind.MASTER)
    at = f"{NEW}?master={master}"
    assert at in office.oli.get(f"{OPERATE}/accounts/{master}").body.decode()
    assert at not in office.vic.get(f"{OPERATE}/accounts/{master}").body.decode()

    confirm(office.oli, NEW, asked(office.oli, master=master))

    (sub,) = office.visited.house.worker.accounts.subs(master)
    assert (sub.email, sub.kind) == (EMAIL, AccountKind.SUB)


@pytest.mark.parametrize(
    ("email", "kind", "field"),
    [
        ("new", "normal", "email"),
        ("trader@example.com", "master", "email"),
        ("operator2@example.com", "normal", "email"),
        (EMAIL, "sub", "kind"),
    ],
    ids=["no e-mail", "an account's", "an operator's", "a sub of nobody"],
)
def test_what_will_not_do_is_told_beside_its_field(
    office: Office, email: str, kind: str, field: str
) -> None:
    reply = asked(office.oli, email, kind)

    assert reply.status == 422
    assert f'id="{field}-error"' in reply.body.decode()


@pytest.mark.parametrize("master", ["acct_" + "0" * 24, "\0", "normal"])
def test_a_master_that_is_none_is_not_found(office: Office, master: str) -> None:
    named = office.account_id if master == "normal" else master.replace("\0", "%00")
    assert office.oli.get(f"{NEW}?master={named}").status == 404


def test_whose_people_sign_in_elsewhere_are_handed_no_link(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office.visited.people, "oidc", object())
    question = asked(office.oli)
    assert "Its owner signs in at your own provider." in words(question)

    done = confirm(office.oli, NEW, question)

    assert "The account is created." in words(office.oli.get(went(done)))
    assert office.tags() == ["account:created"]


def test_a_house_without_accounts_begins_with_one(visited: Visited) -> None:
    oli, vic = visited.operator(Role.OPERATOR), visited.operator(Role.VIEWER)
    first = "Create the first account"
    assert first in words(oli.get(OPERATE))
    assert first not in words(vic.get(OPERATE))
    assert NEW in oli.get(f"{OPERATE}/accounts").body.decode()
    assert NEW not in vic.get(f"{OPERATE}/accounts").body.decode()

    visited.house.account()
    assert first not in words(oli.get(OPERATE))
