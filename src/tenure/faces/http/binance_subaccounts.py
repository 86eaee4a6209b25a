"""
The Binance-compatible surface, ring (b): a master manages its sub-accounts' keys, calls A to H.

Shapes, casings and types are WIRE section 1.3's, to the letter: `apiKey` here and `apikey` there,
`"true"` as text here and true there. How parameters are read is in `binance_parameters`, what is
done with them in `services.subaccounts`. All of this runs in a thread: it waits for the store.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from tenure.domain import admission, allowlist, wording
from tenure.domain.catalog import Catalog
from tenure.domain.decide import Allowed
from tenure.domain.errors import Conflict, Invalid, NotFound
from tenure.domain.model import READING, ApiKey, KeyType, Permission
from tenure.domain.rights import Owner
from tenure.domain.signing import SignedRequest
from tenure.faces.http import binance, binance_errors
from tenure.faces.http.binance import Call, Calls
from tenure.faces.http.binance_parameters import ParameterError, Parameters
from tenure.faces.http.refusals import Answer, Headers
from tenure.services.deciding import Decider
from tenure.services.keys import Draft, Issued, Previewed
from tenure.services.subaccounts import Named, SubAccounts

TRADING: Final = Permission("spot_margin_trading")
"""What a master's key needs to change another key (WIRE, section 1.3)."""

_KEYS: Final = "/sapi/v1/sub-account/subAccountApi"
_PAGE_SIZE: Final = 30
_PAGE_SIZE_MAX: Final = 100
# The order the venue documents; what else a catalog names comes after.
_DOCUMENTED: Final = (
    "canTrade",
    "canMarginLoanRepay",
    "canFuturesTrade",
    "canUniversalTransfer",
    "canVanillaOptions",
)
_FIX: Final = ("canFixApiTrading", "canFixApiReading")
"""Taken and shown by call E alone."""

_Flags: TypeAlias = Mapping[str, Permission]
"""The venue's name of a flag, and the permission it stands for."""
_Act: TypeAlias = Callable[[Owner, Parameters], Answer]


def calls(subaccounts: SubAccounts, decider: Decider) -> Calls:
    """Return calls A to H by method and path."""
    ring = _Ring(subaccounts, decider)
    acts: Mapping[tuple[str, str], _Act] = {
        ("GET", f"{_KEYS}/ipRestriction"): ring.show_addresses,
        ("POST", "/sapi/v2/sub-account/subAccountApi/ipRestriction"): ring.restrict,
        ("DELETE", f"{_KEYS}/ipRestriction/ipList"): ring.remove_addresses,
        ("POST", _KEYS): ring.issue,
        ("POST", "/sapi/v2/sub-account/subAccountApi"): ring.issue_with_fix,
        ("GET", _KEYS): ring.list_keys,
        ("POST", f"{_KEYS}Permission"): ring.permit,
        ("DELETE", _KEYS): ring.revoke,
    }
    return {
        (method, path): Call(
            READING if method == "GET" else TRADING,
            partial(ring.answer, act, reads_body=method != "GET"),
        )
        for (method, path), act in acts.items()
    }


class _Ring:
    """The calls, each a method: parameters in, the venue's answer out."""

    def __init__(self, subaccounts: SubAccounts, decider: Decider) -> None:
        self._subaccounts = subaccounts
        self._catalog, self._now_ms = decider.catalog, decider.now_ms
        self._flags, self._fix = _flags_of(decider.catalog)
        self._names = {
            permission: name for name, permission in {**self._flags, **self._fix}.items()
        }

    def answer(
        self, act: _Act, allowed: Allowed, request: SignedRequest, *, reads_body: bool
    ) -> Answer:
        """Carry out *act* for the caller who was *allowed*, or say why it cannot be."""
        master = Owner(account_id=allowed.account_id, key_id=allowed.key_id)
        try:
            status, headers, body = act(master, Parameters(request, reads_body=reads_body))
        except ParameterError as error:
            status, headers, body = error.answer
        except NotFound:
            status, headers, body = binance_errors.not_found()
        except Invalid as error:
            status, headers, body = self._refuse(error)
        except Conflict as conflict:
            status, headers, body = self._ask_again(conflict)
        return status, [*headers, *binance_errors.term_headers(allowed)], body

    def show_addresses(self, master: Owner, given: Parameters) -> Answer:
        """Answer A: the IP allowlist of one key."""
        return binance.ok(_addresses_of(self._subaccounts.show(_named(master, given))))

    def restrict(self, master: Owner, given: Parameters) -> Answer:
        """Answer B: add addresses, or let any address in."""
        named, stamp = _named(master, given), given.text("stamp") or None
        if given.is_restricted():
            key = self._subaccounts.add_addresses(named, given.addresses(), stamp)
        else:
            key = self._subaccounts.unrestrict(named, stamp)
        said: dict[str, object] = {"status": "2" if key.is_restricted else "1"}
        if key.is_restricted:
            said["ipList"] = list(key.allowlist)
        said |= {"updateTime": key.edited_at_ms, "apiKey": key.api_key}
        return binance.ok(said, self._terms(key))

    def remove_addresses(self, master: Owner, given: Parameters) -> Answer:
        """Answer C: take addresses off the list."""
        named, stamp = _named(master, given), given.text("stamp") or None
        entries = given.addresses()
        if not entries:
            raise ParameterError(binance_errors.missing("ipAddress"))
        key = self._subaccounts.remove_addresses(named, entries, stamp)
        return binance.ok(_addresses_of(key), self._terms(key))

    def issue(self, master: Owner, given: Parameters) -> Answer:
        """Answer D: a new key, HMAC or Ed25519."""
        draft = _draft(given, self._flags, key_in_body_only=False)
        if draft.key_type is KeyType.RSA:
            raise ParameterError(binance_errors.not_valid("publicKey", "is RSA; /sapi/v2 takes it"))
        issued = self._subaccounts.issue(master, given.email(), draft)
        return self._answer_issued(issued, self._flags)

    def issue_with_fix(self, master: Owner, given: Parameters) -> Answer:
        """Answer E: a new key of any type, with the FIX permissions too."""
        flags = {**self._flags, **self._fix}
        draft = _draft(given, flags, key_in_body_only=True)
        issued = self._subaccounts.issue(master, given.email(), draft)
        return self._answer_issued(issued, flags)

    def list_keys(self, master: Owner, given: Parameters) -> Answer:
        """Answer F: a sub-account's keys, page by page, and what they may do now."""
        email, api_key = given.email(), given.text("subAccountApiKey")
        if api_key == "":
            raise ParameterError(binance_errors.not_valid("subAccountApiKey", "is empty"))
        page = given.number("page", default=1)
        size = given.number("size", default=_PAGE_SIZE, most=_PAGE_SIZE_MAX)
        total, keys = self._subaccounts.listing(
            master, email, api_key=api_key, skip=(page - 1) * size, most=size
        )
        return binance.ok(
            {"total": total, "rows": [{"email": email} | self._row(key) for key in keys]}
        )

    def permit(self, master: Owner, given: Parameters) -> Answer:
        """Answer G: tick and untick; a flag that did not come is left alone."""
        named, stamp = _named(master, given), given.text("stamp") or None
        asked = {permission: given.flag(name) for name, permission in self._flags.items()}
        wishes = {permission: wish for permission, wish in asked.items() if wish is not None}
        key = self._subaccounts.permit(named, wishes, stamp)
        return binance.ok(self._row(key), self._terms(key))

    def revoke(self, master: Owner, given: Parameters) -> Answer:
        """Answer H: the end of a key; a second time the same answer."""
        self._subaccounts.revoke(_named(master, given))
        return binance.ok({})

    def _answer_issued(self, issued: Issued, flags: _Flags) -> Answer:
        key = issued.plan.after
        said = {
            "apiName": key.label,
            "apiKey": key.api_key,
            "secretKey": issued.secret_key.reveal() if issued.secret_key else "",
            **self._shown(key, flags),
            "status": 2 if key.is_restricted else 1,
            "ipList": list(key.allowlist),
        }
        return binance.ok(said, self._terms(key))

    def _row(self, key: ApiKey) -> dict[str, object]:
        return {
            "apiName": key.label,
            "apikey": key.api_key,
            **self._shown(key, self._flags),
            "timestamp": key.edited_at_ms,
        }

    def _shown(self, key: ApiKey, flags: _Flags) -> dict[str, object]:
        now_ms = self._now_ms()
        return {name: key.holds(permission, now_ms) for name, permission in flags.items()}

    def _terms(self, key: ApiKey) -> Headers:
        ends = {
            permission: grant.term.ends_at_ms if grant.term else None
            for permission, grant in key.grants.items()
        }
        return binance.terms(ends, self._catalog)

    def _refuse(self, error: Invalid) -> Answer:
        """Say what was wrong in the venue's terms: *error* names our fields."""
        subject, _, name = error.field.partition(".")
        match subject:
            case "label":
                return binance_errors.not_valid("apiName", error.message)
            case "public_key":
                return binance_errors.not_valid("publicKey", error.message)
            case allowlist.FIELD:
                if not name:
                    return binance_errors.missing("ipAddress")
                return binance_errors.not_valid("ipAddress", error.message)
            case "permissions":
                return self._refuse_permission(Permission(name), error)
            case _:
                raise error

    def _refuse_permission(self, permission: Permission, error: Invalid) -> Answer:
        name = self._names.get(permission, permission)
        if error.rule_id:
            words = error.message.replace(f", by rule {error.rule_id}", "")
            return binance_errors.not_allowed(error.rule_id, f"{name} is {words}.")
        if self._catalog.offers[permission].key_types != frozenset(KeyType):
            return binance_errors.unsupported()
        return binance_errors.not_valid(name, error.message)

    def _ask_again(self, conflict: Conflict) -> Answer:
        """Say what the call would do that it does not name, or which limit it meets."""
        if conflict.code == "limit":
            return binance_errors.limit_reached(f"{conflict.message}.")
        if not isinstance(conflict.plan, Previewed):
            raise conflict
        shown = conflict.plan
        words = [
            wording.sentence(consequence, self._catalog, shown.rulebook)
            for consequence in shown.plan.consequences
        ]
        if conflict.code == "stale":
            words.insert(0, f"{conflict.message}.")
        return binance_errors.confirmation_required(
            " ".join([*words, "To confirm, send the same call with"]), shown.stamp
        )


def _flags_of(catalog: Catalog) -> tuple[_Flags, _Flags]:
    """Return the flags of every call, and those of call E alone."""
    sold: dict[str, Permission] = {
        offer.wire["sub_account"]: permission
        for permission, offer in catalog.offers.items()
        if "sub_account" in offer.wire
    }
    others = tuple(name for name in sold if name not in {*_DOCUMENTED, *_FIX})
    return (
        {name: sold[name] for name in (*_DOCUMENTED, *others) if name in sold},
        {name: sold[name] for name in _FIX if name in sold},
    )


def _named(master: Owner, given: Parameters) -> Named:
    email, api_key = given.email(), given.mandatory("subAccountApiKey")
    return Named(master=master, email=email, api_key=api_key)


def _draft(given: Parameters, flags: _Flags, *, key_in_body_only: bool) -> Draft:
    given.email()  # Before all others, so that it is what is missed first.
    label, is_restricted = given.mandatory("apiName"), given.is_restricted()
    entries = given.addresses()
    if is_restricted and not entries:
        raise ParameterError(binance_errors.missing("ipAddress"))
    public_key = given.public_key(in_body_only=key_in_body_only)
    return Draft(
        label=label,
        key_type=KeyType.HMAC if public_key is None else admission.type_of(public_key),
        public_key=public_key,
        permissions=tuple(
            permission for name, permission in flags.items() if given.flag(name) is True
        ),
        ip_allowlist=entries,
    )


def _addresses_of(key: ApiKey) -> Mapping[str, object]:
    return {
        "ipRestrict": "true" if key.is_restricted else "false",
        "ipList": list(key.allowlist),
        "updateTime": key.edited_at_ms,
        "apiKey": key.api_key,
    }
