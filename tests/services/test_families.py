"""A master's sub-accounts at one glance."""

import pytest

from tenure.domain.errors import NotFound
from tenure.domain.marks import Selection
from tenure.domain.model import AccountKind
from tenure.services.families import Families
from tests.builders import DAY_MS, HOME, MONTH_MS, TRADING
from tests.services.parts import ACTOR, Parts


def test_each_sub_account_shows_its_keys_and_what_ends_next(parts: Parts) -> None:
    master = parts.account(AccountKind.MASTER)
    first, second, empty = (parts.account(AccountKind.SUB, master.account_id) for _ in range(3))
    parts.issue(TRADING, account=master)
    sooner = parts.issue(TRADING, account=first)
    parts.clock.advance(DAY_MS)
    parts.issue(TRADING, account=first)
    parts.keys.revoke(parts.issue(TRADING, account=first).key_id, ACTOR)
    parts.issue(TRADING, account=second, ip_allowlist=(HOME,))

    family = Families(parts.store, parts.clock).of_master(master.account_id)

    found = {member.account.account_id: member for member in family.members}
    assert {name: member.keys for name, member in found.items()} == {
        first.account_id: 2,
        second.account_id: 1,
        empty.account_id: 0,
    }
    end = found[first.account_id].next_end
    assert end is not None
    assert (end.key_id, end.ends_at_ms) == (sooner.key_id, sooner.issued_at_ms + MONTH_MS)
    assert found[second.account_id].next_end is found[empty.account_id].next_end is None
    assert family.next_after is None


def test_what_a_mark_revoked_and_what_has_ended_does_not_count(parts: Parts) -> None:
    master = parts.account(AccountKind.MASTER)
    sub = parts.account(AccountKind.SUB, master.account_id)
    families = Families(parts.store, parts.clock)
    parts.issue(TRADING, account=sub)
    parts.clock.advance(MONTH_MS)
    assert families.of_master(master.account_id).members[0].next_end is None

    parts.issue(TRADING, account=sub)
    house = Selection()
    parts.revocations.commit(house, parts.revocations.preview(house).stamp, ACTOR)

    (member,) = families.of_master(master.account_id).members
    assert (member.keys, member.next_end) == (0, None)


def test_sub_accounts_come_page_by_page(parts: Parts) -> None:
    master = parts.account(AccountKind.MASTER)
    subs = sorted(parts.account(AccountKind.SUB, master.account_id).account_id for _ in range(5))
    families = Families(parts.store, parts.clock)
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = families.of_master(master.account_id, after, 2)
        found += [member.account.account_id for member in page.members]
        after = page.next_after

    assert found == subs


def test_nobody_but_a_master_has_any(parts: Parts) -> None:
    families = Families(parts.store, parts.clock)
    assert families.of_master(parts.account().account_id).members == ()
    with pytest.raises(NotFound):
        families.of_master("acct_nobody")
