"""
Domain values for tests: keys that lived through real plans, and requests that are really signed.

Builders, not factories: each says in its arguments what matters to the test and fills in the rest.
Instants may be given as text, `"2021-12-31 10:05"`, or as milliseconds. Owners' acts (`tick`,
`renew`, ...) plan as the services do, confirm what the plan asks, and return the key afterwards.
"""

import datetime
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TypeAlias
from urllib.parse import quote

from tenure.domain import allowlist as allowlists
from tenure.domain import apikeys, catalog, decide, marks, plans, rulebooks, signing
from tenure.domain.catalog import Catalog
from tenure.domain.model import (
    Account,
    AccountId,
    AccountKind,
    ApiKey,
    KeyId,
    KeyType,
    Permission,
    RuleId,
)
from tenure.domain.plans import Edit, Plan, Wish
from tenure.domain.rules import Lifetime, Rule, Rulebook
from tests import signers

Moment: TypeAlias = str | int
"""`2021-12-31 10:05`, with `:07` and `.123` if wanted, UTC; or integer milliseconds."""

TRADING = Permission("spot_margin_trading")
FUTURES = Permission("futures")
OPTIONS = Permission("european_options")
WITHDRAWALS = Permission("withdrawals")
FIX_TRADING = Permission("fix_trading")

DAY_MS = 86_400_000
MONTH_MS = 2_592_000_000
"""The 30 days of the announcement (RULES, Time)."""
TAKES_EFFECT = "2021-07-09 00:00"
HOME = "203.0.113.7"
"""Where callers come from unless a test says otherwise."""


def ms(text: str) -> int:
    """Return the instant (ms) *text* says, UTC: `2021-12-31 10:05`, seconds and .001 if wanted."""
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (moment - epoch) // datetime.timedelta(milliseconds=1)


def at_ms(moment: Moment) -> int:
    """Return *moment* as milliseconds, whichever way it was given."""
    return ms(moment) if isinstance(moment, str) else moment


def shipped(name: str) -> str:
    """Return the text of a TOML file that comes with the package."""
    return (resources.files("tenure") / name).read_text("utf-8")


@cache
def the_catalog() -> Catalog:
    """Return the catalog that is shipped."""
    return catalog.read(shipped("catalogs/exchange.toml"))


@cache
def the_rulebook() -> Rulebook:
    """Return the rulebook that is shipped: trading 30 days, withdrawals not without addresses."""
    return rulebooks.read(shipped("rulebooks/2021-07-09.toml"), frozenset(the_catalog().offers))


def a_rule(  # noqa: PLR0913 - a row has that many columns
    rule_id: str = "a-rule",
    *permissions: Permission,
    since: Moment = TAKES_EFFECT,
    unrestricted: Lifetime = MONTH_MS,
    restricted: Lifetime = "unlimited",
    key_types: Iterable[KeyType] = KeyType,
    account_kinds: Iterable[AccountKind] = AccountKind,
) -> Rule:
    """Return a rule, for trading unless *permissions* are named, in force *since* then."""
    return Rule(
        rule_id=RuleId(rule_id),
        title=f"What {rule_id} says",
        source="a test",
        effective_from_ms=at_ms(since),
        permissions=permissions or (TRADING,),
        unrestricted=unrestricted,
        restricted=restricted,
        key_types=frozenset(key_types),
        account_kinds=frozenset(account_kinds),
    )


def an_account(
    *,
    kind: AccountKind = AccountKind.NORMAL,
    master: int | None = None,
    created: Moment = "2021-06-01 12:00",
    number: int = 1,
) -> Account:
    """Return the owner of the key of the same *number*; *master* is a sub-account's."""
    return Account(
        account_id=AccountId(f"acct_{number}"),
        kind=kind,
        email=f"owner{number}@example.com",
        created_at_ms=at_ms(created),
        master_id=None if master is None else AccountId(f"acct_{master}"),
    )


def a_draft(  # noqa: PLR0913 - a key has that many sides
    *,
    issued: Moment = "2021-07-01 12:00",
    allowlist: tuple[str, ...] = (),
    key_type: KeyType = KeyType.HMAC,
    account_kind: AccountKind = AccountKind.NORMAL,
    label: str = "my bot",
    number: int = 1,
) -> ApiKey:
    """Return a key about to be issued; another *number* is another key."""
    return ApiKey(
        key_id=KeyId(f"key_{number}"),
        api_key=apikeys.compose(number.to_bytes(apikeys.API_KEY_ENTROPY_BYTES_MIN, "big")),
        account_id=AccountId(f"acct_{number}"),
        account_kind=account_kind,
        label=label,
        key_type=key_type,
        issued_at_ms=at_ms(issued),
        edited_at_ms=at_ms(issued),
        allowlist=allowlist,
        public_key=signers.public_key(key_type),
    )


def a_key(  # noqa: PLR0913 - as a_draft
    *permissions: Permission,
    issued: Moment = "2021-07-01 12:00",
    allowlist: tuple[str, ...] = (),
    key_type: KeyType = KeyType.HMAC,
    account_kind: AccountKind = AccountKind.NORMAL,
    label: str = "my bot",
    number: int = 1,
    rulebook: Rulebook | None = None,
) -> ApiKey:
    """Return a key *issued* then with `reading` and *permissions*, under the rules of that day."""
    draft = a_draft(
        issued=issued,
        allowlist=allowlist,
        key_type=key_type,
        account_kind=account_kind,
        label=label,
        number=number,
    )
    rulebook = the_rulebook() if rulebook is None else rulebook
    return plans.plan_issue(draft, permissions, the_catalog(), rulebook).after


def an_edit(
    *,
    label: str | None = None,
    allowlist: tuple[str, ...] | None = None,
    tick: Iterable[Permission] = (),
    untick: Iterable[Permission] = (),
    renew: Iterable[Permission] = (),
) -> Edit:
    """Return what an owner asks for."""
    wishes: dict[Permission, Wish] = dict.fromkeys(tick, True)
    wishes |= dict.fromkeys(untick, False)
    wishes |= dict.fromkeys(renew, "renew")
    return Edit(label=label, allowlist=allowlist, permissions=wishes)


def plan(key: ApiKey, edit: Edit, *, at: Moment, rulebook: Rulebook | None = None) -> Plan:
    """Plan *edit* of *key*, by the shipped catalog and, unless another is given, rulebook."""
    rulebook = the_rulebook() if rulebook is None else rulebook
    return plans.plan_edit(key, edit, the_catalog(), rulebook, at_ms(at))


def confirmed(plan: Plan, at: Moment) -> ApiKey:
    """Commit *plan* with its own stamp and return the key afterwards."""
    plan.require_confirmed(plan.stamp(at_ms(at)), at_ms(at))
    return plan.after


def tick(
    key: ApiKey, *permissions: Permission, at: Moment, rulebook: Rulebook | None = None
) -> ApiKey:
    """Tick *permissions* and confirm."""
    return confirmed(plan(key, an_edit(tick=permissions), at=at, rulebook=rulebook), at)


def untick(
    key: ApiKey, *permissions: Permission, at: Moment, rulebook: Rulebook | None = None
) -> ApiKey:
    """Untick *permissions* and confirm."""
    return confirmed(plan(key, an_edit(untick=permissions), at=at, rulebook=rulebook), at)


def renew(
    key: ApiKey, *permissions: Permission, at: Moment, rulebook: Rulebook | None = None
) -> ApiKey:
    """Renew *permissions* and confirm."""
    return confirmed(plan(key, an_edit(renew=permissions), at=at, rulebook=rulebook), at)


def relabel(
    key: ApiKey, label: str = "renamed", *, at: Moment, rulebook: Rulebook | None = None
) -> ApiKey:
    """Change the label alone."""
    return confirmed(plan(key, an_edit(label=label), at=at, rulebook=rulebook), at)


def allow_only(key: ApiKey, *entries: str, at: Moment, rulebook: Rulebook | None = None) -> ApiKey:
    """Make *entries* the whole IP allowlist, no entries opening the key to all, and confirm."""
    edit = an_edit(allowlist=allowlists.normalise(entries))
    return confirmed(plan(key, edit, at=at, rulebook=rulebook), at)


def revoked(key: ApiKey, *, at: Moment) -> ApiKey:
    """Return *key* as revoking it leaves it."""
    return replace(key, revoked_at_ms=at_ms(at), edited_at_ms=at_ms(at), version=key.version + 1)


def end_of(permission: Permission, key: ApiKey) -> int | None:
    """Return when *permission*, which *key* has been granted, ends or ended; None for never."""
    term = key.grants[permission].term
    return term.ends_at_ms if term else None


def an_address(text: str = HOME) -> allowlists.Address:
    """Return the caller's address *text* spells."""
    address = allowlists.parse_address(text)
    assert address is not None, text
    return address


def signed(  # noqa: PLR0913 - a request has that many sides
    key: ApiKey,
    *,
    at: Moment,
    query: str = "",
    body: str = "",
    recv_window: str | None = None,
    covers: bytes | None = None,
    signature: str | None = None,
    address: str = HOME,
) -> signing.SignedRequest:
    """
    Return what a client of *key* sends at *at*: *query* and *body*, signed, read as it arrives.

    `timestamp` and, if given, *recv_window* join the query before it is signed. *covers* is what
    the client signs instead of the raw bytes; *signature* replaces the right one.
    """
    parts = [query] if query else []
    parts += [f"recvWindow={recv_window}"] if recv_window is not None else []
    unsigned = "&".join([*parts, f"timestamp={at_ms(at)}"])
    covered = (unsigned + body).encode() if covers is None else covers
    text = signers.sign(key.key_type, covered) if signature is None else signature
    sent = f"{unsigned}&signature={quote(text, safe='')}".encode()
    request = signing.parse(key.api_key, sent, body.encode(), an_address(address))
    assert isinstance(request, signing.SignedRequest), request
    return request


def load(
    key: ApiKey, *, master_id: AccountId | None = None, frozen_at_ms: int | None = None
) -> decide.LoadedKey:
    """Return *key* as the keyring hands it to `decide`."""
    return decide.LoadedKey(
        key_id=key.key_id,
        account_id=key.account_id,
        master_id=master_id,
        account_kind=key.account_kind,
        key_type=key.key_type,
        issued_at_ms=key.issued_at_ms,
        version=key.version,
        verifier=signers.verifier(key.key_type),
        admits=allowlists.compile_allowlist(key.allowlist),
        is_restricted=key.is_restricted,
        grants={
            permission: decide.LoadedGrant(
                grant.term.ends_at_ms if grant.term else None,
                grant.term.rule_id if grant.term else None,
            )
            for permission, grant in key.grants.items()
        },
        revoked_at_ms=key.revoked_at_ms,
        frozen_at_ms=frozen_at_ms,
        quarantine=key.quarantine,
        label_digest=marks.digest_of(key.label),
    )


def decided(
    key: ApiKey, permission: Permission | None, *, at: Moment, address: str = HOME
) -> decide.Reason | None:
    """Return why a really signed request at *at* is refused, None where it is allowed."""
    request = signed(key, at=at, address=address)
    outcome = decide.decide(request, permission, load(key), at_ms(at))
    return outcome.reason if isinstance(outcome, decide.Refused) else None
