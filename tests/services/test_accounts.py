"""One act each on an account: created, frozen, unfrozen; and what a freeze does to keys."""

from functools import partial

import pytest

from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.freezes import Freezer
from tenure.domain.model import AccountKind
from tests.builders import TRADING
from tests.services.parts import ACTOR, Parts


def test_an_account_is_created_with_one_event(parts: Parts) -> None:
    before = parts.journal.head()

    account = parts.accounts.create("owner@example.com", AccountKind.NORMAL, None, ACTOR)

    assert parts.accounts.get(account.account_id) == account
    assert account.created_at_ms == parts.clock.now
    (event,) = parts.events(before)
    assert str(event.change.tag) == "account:created"
    assert (event.change.account_id, event.change.actor) == (account.account_id, ACTOR)


@pytest.mark.parametrize(
    "email", ["", "owner", "a b@example.com", "a@b\n", "@b.c", "a@", "a\0@b.c", "a@b"]
)
def test_an_email_that_cannot_be_one_is_refused(parts: Parts, email: str) -> None:
    with pytest.raises(Invalid) as raised:
        parts.accounts.create(email, AccountKind.NORMAL, None, ACTOR)

    assert raised.value.field == "email"
    assert parts.accounts.every() == []


def test_an_email_is_taken_once(parts: Parts) -> None:
    parts.accounts.create("owner@example.com", AccountKind.NORMAL, None, ACTOR)
    before = parts.journal.head()

    with pytest.raises(Conflict) as raised:
        parts.accounts.create("owner@example.com", AccountKind.MASTER, None, ACTOR)

    assert raised.value.code == "exists"
    assert parts.journal.head() == before


def test_what_cannot_be_created_is_told_beforehand(parts: Parts) -> None:
    taken = parts.account().email
    for email, kind, master_id in [
        ("owner", AccountKind.NORMAL, None),
        ("new@example.com", AccountKind.SUB, None),
        ("new@example.com", AccountKind.SUB, "acct_none"),
    ]:
        with pytest.raises(Invalid):
            parts.accounts.check(email, kind, master_id)
    with pytest.raises(Conflict):
        parts.accounts.check(taken, AccountKind.NORMAL, None)

    before = parts.journal.head()
    parts.accounts.check("new@example.com", AccountKind.NORMAL, None)
    assert parts.journal.head() == before


def test_a_sub_account_names_a_master_and_nothing_else_does(parts: Parts) -> None:
    master = parts.account(AccountKind.MASTER).account_id
    sub = parts.account(AccountKind.SUB, master).account_id
    assert parts.accounts.get(sub).master_id == master

    normal = parts.account().account_id
    for kind, named in [
        (AccountKind.SUB, None),
        (AccountKind.SUB, "acct_none"),
        (AccountKind.SUB, normal),
        (AccountKind.SUB, sub),
        (AccountKind.NORMAL, master),
        (AccountKind.MASTER, master),
    ]:
        with pytest.raises(Invalid) as raised:
            parts.account(kind, named)
        assert raised.value.field == "master_id"


def test_a_frozen_accounts_keys_are_refused_until_it_is_unfrozen(parts: Parts) -> None:
    key, another = parts.issue(TRADING), parts.issue(TRADING)

    parts.accounts.set_frozen(key.account_id, frozen=True, actor=ACTOR)
    assert parts.ask(key) is Reason.ACCOUNT_FROZEN
    assert parts.ask(another) is None

    parts.accounts.set_frozen(key.account_id, frozen=False, actor=ACTOR)
    assert parts.ask(key) is None


def test_freezing_a_master_freezes_its_sub_accounts_and_not_the_reverse(parts: Parts) -> None:
    master = parts.account(AccountKind.MASTER)
    sub = parts.account(AccountKind.SUB, master.account_id)
    of_master, of_sub = parts.issue(TRADING, account=master), parts.issue(TRADING, account=sub)

    parts.accounts.set_frozen(master.account_id, frozen=True, actor=ACTOR)
    assert parts.ask(of_master) is parts.ask(of_sub) is Reason.ACCOUNT_FROZEN
    assert parts.accounts.get(sub.account_id).frozen_at_ms is None

    parts.accounts.set_frozen(sub.account_id, frozen=True, actor=ACTOR)
    parts.accounts.set_frozen(master.account_id, frozen=False, actor=ACTOR)
    assert parts.ask(of_master) is None
    assert parts.ask(of_sub) is Reason.ACCOUNT_FROZEN


def test_freezing_twice_is_freezing_once(parts: Parts) -> None:
    account = parts.account()
    before = parts.journal.head()

    first = parts.accounts.set_frozen(account.account_id, frozen=True, actor=ACTOR)
    parts.clock.advance(5)
    assert parts.accounts.set_frozen(account.account_id, frozen=True, actor=ACTOR) == first
    assert parts.accounts.get(account.account_id) == first
    assert first.frozen_at_ms == parts.clock.now - 5
    parts.accounts.set_frozen(account.account_id, frozen=False, actor=ACTOR)
    parts.accounts.set_frozen(account.account_id, frozen=False, actor=ACTOR)

    assert parts.tags(before) == ["account:frozen", "account:unfrozen"]
    assert parts.accounts.get(account.account_id) == account


def test_an_account_that_is_not_there_is_not_found(parts: Parts) -> None:
    with pytest.raises(NotFound):
        parts.accounts.get("acct_none")
    with pytest.raises(NotFound):
        parts.accounts.set_frozen("acct_none", frozen=True, actor=ACTOR)


def test_accounts_are_listed_by_id_page_by_page(parts: Parts) -> None:
    ids = sorted(parts.account().account_id for _ in range(3))

    page = [account.account_id for account in parts.accounts.every(most=2)]
    rest = [account.account_id for account in parts.accounts.every(after_id=page[-1])]

    assert page + rest == ids


def test_the_sub_accounts_of_a_master_are_listed_by_id_page_by_page(parts: Parts) -> None:
    master, other = parts.account(AccountKind.MASTER), parts.account(AccountKind.MASTER)
    subs = [parts.account(AccountKind.SUB, master.account_id) for _ in range(3)]
    ids = sorted(sub.account_id for sub in subs)
    parts.account(AccountKind.SUB, other.account_id)

    page = [sub.account_id for sub in parts.accounts.subs(master.account_id, most=2)]
    rest = [sub.account_id for sub in parts.accounts.subs(master.account_id, page[-1])]

    assert page + rest == ids
    assert parts.accounts.subs(ids[0]) == []
    with pytest.raises(NotFound):
        parts.accounts.subs("acct_none")


KEYS, OPERATOR = "acct_master/key_1", "operator:a/b@example.com"


def test_what_its_master_froze_the_house_can_take_over_and_not_the_other_way(parts: Parts) -> None:
    account, known = parts.account(), parts.journal.head()
    turn = partial(parts.accounts.set_frozen, account.account_id)
    first = turn(frozen=True, actor=KEYS)
    assert parts.accounts.freezer(account.account_id) is Freezer.MASTER
    parts.clock.advance(5)

    assert turn(frozen=True, actor=OPERATOR) == first
    assert parts.accounts.freezer(account.account_id) is Freezer.HOUSE
    assert turn(frozen=True, actor=KEYS) == first
    with pytest.raises(Conflict) as raised:
        turn(frozen=False, actor=KEYS)
    assert raised.value.code == "house"
    assert parts.tags(known) == ["account:frozen", "account:frozen"]

    turn(frozen=False, actor=OPERATOR)
    assert parts.accounts.freezer(account.account_id) is None
    turn(frozen=True, actor=KEYS)
    turn(frozen=False, actor=KEYS)
    assert parts.tags(known)[2:] == ["account:unfrozen", "account:frozen", "account:unfrozen"]
