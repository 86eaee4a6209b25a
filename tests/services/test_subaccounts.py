"""
What masters do to their sub-accounts' keys: found by their names, one transaction, one event.

How calls look on the wire is tried in tests/faces/http/test_binance_subaccounts.py and beside it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, Invalid, NotFound, TenureError, Unavailable
from tenure.domain.model import AccountKind, ApiKey, KeyId, KeyType, Permission
from tenure.domain.rights import Owner
from tenure.services.keys import Draft, Previewed
from tenure.services.subaccounts import Named, SubAccounts
from tenure.store import subaccounts
from tests.builders import FUTURES, HOME, MONTH_MS, TRADING, WITHDRAWALS, end_of
from tests.services import parts as building
from tests.services.parts import LIMITS, Parts

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

ELSEWHERE = "192.0.2.1"
THE_MASTERS_KEY = KeyId("key_of_the_master")
MAY_READ = Permission("reading")
Act = Callable[[SubAccounts, Named], object]
EVERY_ACT: dict[str, Act] = {
    "show": lambda its, key: its.show(key),
    "add": lambda its, key: its.add_addresses(key, (ELSEWHERE,), None),
    "remove": lambda its, key: its.remove_addresses(key, (ELSEWHERE,), None),
    "unrestrict": lambda its, key: its.unrestrict(key, None),
    "permit": lambda its, key: its.permit(key, {FUTURES: True}, None),
    "revoke": lambda its, key: its.revoke(key),
}


class Family:
    """A master, its sub-account, and what the one may do to the other's keys."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.account = parts.account(AccountKind.MASTER)
        self.sub = parts.account(AccountKind.SUB, self.account.account_id)
        self.master = Owner(account_id=self.account.account_id, key_id=THE_MASTERS_KEY)
        self.its = SubAccounts(parts.store, parts.keys, LIMITS.addresses_per_key)

    def key(self, *permissions: str, ips: tuple[str, ...] = ()) -> ApiKey:
        """Issue a key to the sub-account."""
        return self.parts.issue(*permissions, account=self.sub, ip_allowlist=ips)

    def named(self, key: ApiKey, email: str | None = None) -> Named:
        """Name *key* as the master does."""
        return Named(master=self.master, email=email or self.sub.email, api_key=key.api_key)

    def did(self, act: Callable[[], object]) -> list[tuple[str, str]]:
        """Return tag and actor of what *act* recorded."""
        before = self.parts.journal.head()
        act()
        return [(str(event.change.tag), event.change.actor) for event in self.parts.events(before)]


@pytest.fixture
def family(parts: Parts) -> Family:
    return Family(parts)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(TenureError) as raised:
        act()
    return raised.value.code


@pytest.mark.parametrize(
    ("act", "tag"),
    [
        ("add", "key:edited"),
        ("remove", "key:edited"),
        ("unrestrict", "key:edited"),
        ("permit", "key:edited"),
        ("revoke", "key:revoked"),
    ],
)
def test_an_act_is_one_event_by_the_masters_key_and_none_the_second_time(
    family: Family, act: str, tag: str
) -> None:
    named = family.named(family.key(ips=(HOME,) if act != "remove" else (HOME, ELSEWHERE)))

    def once() -> object:
        return EVERY_ACT[act](family.its, named)

    assert family.did(once) == [(tag, family.master.actor)]
    assert family.did(once) == []


def test_issuing_is_one_event_and_the_key_can_act(family: Family) -> None:
    draft = Draft(label="its bot", key_type=KeyType.HMAC, permissions=(TRADING,))
    found: list[ApiKey] = []

    def issue() -> None:
        issued = family.its.issue(family.master, family.sub.email, draft)
        assert issued.secret_key is not None
        found.append(issued.plan.after)
        family.parts.secrets[found[0].key_id] = issued.secret_key.reveal()

    assert family.did(issue) == [("key:issued", family.master.actor)]
    (key,) = found
    assert key.account_id == family.sub.account_id
    assert end_of(TRADING, key) == family.parts.clock.now + MONTH_MS
    assert family.parts.ask(key) is None


def test_what_was_done_is_in_force_when_the_call_returns(family: Family) -> None:
    key = family.key(TRADING)
    family.its.permit(family.named(key), {TRADING: False}, None)
    assert family.parts.ask(key) is Reason.PERMISSION_MISSING
    family.its.add_addresses(family.named(key), (ELSEWHERE,), None)
    assert family.parts.ask(key) is Reason.IP_NOT_ALLOWED
    family.its.revoke(family.named(key))
    assert family.parts.ask(key) is Reason.KEY_REVOKED


@pytest.mark.parametrize("act", EVERY_ACT)
def test_nothing_of_anybody_elses_is_found(family: Family, act: str) -> None:
    key = family.key()
    other = Family(family.parts)
    theirs = other.key()
    no_master = Owner(account_id=family.sub.account_id, key_id=THE_MASTERS_KEY)
    wrong = [
        family.named(theirs),
        family.named(theirs, other.sub.email),
        family.named(key, "nobody@example.com"),
        family.named(key, family.account.email),
        family.named(key, "\0"),
        Named(master=no_master, email=family.sub.email, api_key=key.api_key),
        Named(master=family.master, email=family.sub.email, api_key="\0"),
    ]
    before = family.parts.journal.head()
    for named in wrong:
        with pytest.raises(NotFound):
            EVERY_ACT[act](family.its, named)
    assert family.parts.journal.head() == before


def test_a_master_issues_and_lists_for_its_own_sub_accounts_alone(family: Family) -> None:
    other = Family(family.parts)
    draft = Draft(label="x", key_type=KeyType.HMAC)
    for email in (other.sub.email, family.account.email, "nobody@example.com", "x" * 255):
        with pytest.raises(NotFound):
            family.its.issue(family.master, email, draft)
        with pytest.raises(NotFound):
            family.its.listing(family.master, email, api_key=None, skip=0, most=1)


def test_a_revoked_key_is_found_to_be_revoked_again_and_for_nothing_else(family: Family) -> None:
    named = family.named(family.key())
    family.its.revoke(named)
    family.its.revoke(named)
    for act in EVERY_ACT.keys() - {"revoke"}:
        with pytest.raises(NotFound):
            EVERY_ACT[act](family.its, named)


def test_keys_are_listed_while_they_live(family: Family) -> None:
    key, gone = family.key(), family.key()
    family.its.revoke(family.named(gone))

    def listed(api_key: str | None) -> tuple[int, list[ApiKey]]:
        return family.its.listing(family.master, family.sub.email, api_key=api_key, skip=0, most=10)

    assert listed(None) == listed(key.api_key) == (1, [key])
    assert listed(gone.api_key) == listed("no key") == (0, [])


def test_a_term_that_ended_is_recorded_before_it_is_written_over(family: Family) -> None:
    key = family.key(TRADING)
    family.parts.clock.advance(MONTH_MS)

    tags = family.did(lambda: family.its.permit(family.named(key), {TRADING: True}, None))

    assert [tag for tag, _ in tags] == ["grant:swept", "key:edited"]


def test_too_much_is_a_limit_and_not_a_mistake(family: Family) -> None:
    most = LIMITS.addresses_per_key
    several = tuple(f"192.0.2.{number}" for number in range(most + 1))
    named = family.named(family.key(ips=several[:2]))
    draft = Draft(label="x", key_type=KeyType.HMAC, ip_allowlist=several)

    assert code_of(lambda: family.its.add_addresses(named, several[2:], None)) == "limit"
    assert code_of(lambda: family.its.issue(family.master, family.sub.email, draft)) == "limit"
    assert family.its.add_addresses(named, several[:most] * 4, None).allowlist == several[:most]
    flood = (ELSEWHERE,) * (most * 4 + 1)
    assert code_of(lambda: family.its.add_addresses(named, flood, None)) == "limit"
    assert code_of(lambda: family.its.remove_addresses(named, flood, None)) == "limit"


def test_a_list_longer_than_is_allowed_today_is_left_as_it_is(family: Family) -> None:
    named = family.named(family.key(ips=(HOME, ELSEWHERE)))
    stricter = SubAccounts(family.parts.store, family.parts.keys, 1)
    assert family.did(lambda: stricter.add_addresses(named, (HOME,), None)) == []
    assert stricter.remove_addresses(named, (HOME,), None).allowlist == (ELSEWHERE,)


@pytest.mark.parametrize(
    ("email", "api_key"), [("a\0@example.com", None), ("x" * 255, None), (None, "\0")]
)
def test_what_nobody_can_be_called_is_not_even_looked_for(
    family: Family, monkeypatch: pytest.MonkeyPatch, email: str | None, api_key: str | None
) -> None:
    """PostgreSQL takes no NUL in a text, and would fail where SQLite finds nothing."""
    key = family.key()
    named = Named(
        master=family.master,
        email=email or family.sub.email,
        api_key=api_key or key.api_key,
    )
    looked: list[object] = []

    def look(*asked: object) -> ApiKey:
        looked.append(asked)
        return key

    monkeypatch.setattr(subaccounts, "key", look)
    with pytest.raises(NotFound):
        family.its.show(named)
    assert looked == []


def test_no_address_at_all_is_told_from_a_bad_one(family: Family) -> None:
    named = family.named(family.key())
    with pytest.raises(Invalid) as none:
        family.its.add_addresses(named, (), None)
    with pytest.raises(Invalid) as bad:
        family.its.add_addresses(named, (HOME, "x"), None)
    assert (none.value.field, bad.value.field) == ("ip_allowlist", "ip_allowlist.1")


def test_what_is_not_named_comes_with_the_plan_and_its_stamp(family: Family) -> None:
    named = family.named(family.key(TRADING, WITHDRAWALS, ips=(HOME,)))

    with pytest.raises(Conflict) as asked:
        family.its.unrestrict(named, None)

    assert asked.value.code == "confirmation_required"
    assert isinstance(asked.value.plan, Previewed)
    opened = family.its.unrestrict(named, asked.value.plan.stamp)
    assert opened.grants.keys() == {MAY_READ, TRADING}


def test_a_frozen_sub_accounts_keys_can_still_be_closed(family: Family) -> None:
    """What stops a thief is not what stops the master."""
    key = family.key(TRADING)
    family.parts.accounts.set_frozen(family.sub.account_id, frozen=True, actor="test")
    family.its.revoke(family.named(key))
    assert family.parts.keys.get(key.key_id).revoked_at_ms == family.parts.clock.now


def test_a_sealed_house_issues_no_secret(tmp_path: Path) -> None:
    family = Family(building.opened(tmp_path, is_sealed=True))
    draft = Draft(label="x", key_type=KeyType.HMAC)
    with pytest.raises(Unavailable):
        family.its.issue(family.master, family.sub.email, draft)
    assert family.parts.keys.of_account(family.sub.account_id) == []
    family.parts.close()
