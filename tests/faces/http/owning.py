"""
Accounts of every relation to each other, and whoever asks the management face in their name.

`Cast` is what the rights are tried on: a master with two sub-accounts, another family, a normal
account, and ids that nobody has.
"""

import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tenure.domain.model import AccountKind, ApiKey
from tests.faces.http.managed import OPERATOR_TOKEN, TRADING, Managed, an_email
from tests.house import Reply
from tests.native import Request

HOST: Final = "tenure.example.com"
NOBODY_S: Final = "0" * 24
TREE: Final = {
    "normal": {"normal"},
    "master": {"master", "sub", "sibling"},
    "sub": {"sub"},
    "sibling": {"sibling"},
}
"""Whom each caller reaches (RULES R16), written down apart from the code that works it out."""
STRANGERS: Final = ("stranger", "other master", "other sub")
OPEN, OPERATORS, READS, ACTS, MASTER = (
    "open",
    "operators",
    "owner reads",
    "owner acts",
    "master acts",
)
RIGHTS = {
    "GET /calendar/{name}": OPEN,
    "GET /healthz": OPEN,
    "GET /metrics": OPEN,
    "GET /readyz": OPEN,
    "GET /sandbox/clock": OPERATORS,
    "PUT /sandbox/clock": OPERATORS,
    "GET /v1/accounts": OPERATORS,
    "POST /v1/accounts": OPERATORS,
    "GET /v1/accounts/{account_id}": READS,
    "POST /v1/accounts/{account_id}/calendar": OPERATORS,
    "GET /v1/accounts/{account_id}/calendar.ics": READS,
    "GET /v1/accounts/{account_id}/contacts": OPERATORS,
    "POST /v1/accounts/{account_id}/contacts": OPERATORS,
    "DELETE /v1/accounts/{account_id}/contacts/{contact_id}": OPERATORS,
    "PUT /v1/accounts/{account_id}/contacts/{contact_id}": OPERATORS,
    "POST /v1/accounts/{account_id}/contacts/{contact_id}/rotate": OPERATORS,
    "GET /v1/accounts/{account_id}/events": READS,
    "POST /v1/accounts/{account_id}/freeze": MASTER,
    "POST /v1/accounts/{account_id}/invitations": OPERATORS,
    "GET /v1/accounts/{account_id}/keys": READS,
    "POST /v1/accounts/{account_id}/keys": OPERATORS,
    "GET /v1/accounts/{account_id}/notices": READS,
    "GET /v1/accounts/{account_id}/notices/{notice_id}/deliveries": READS,
    "POST /v1/accounts/{account_id}/notices/{notice_id}/read": READS,
    "GET /v1/accounts/{account_id}/sub-accounts": READS,
    "POST /v1/accounts/{account_id}/unfreeze": MASTER,
    "POST /v1/authorize": OPERATORS,
    "GET /v1/catalog": OPERATORS,
    "GET /v1/checkpoints/key": OPEN,
    "GET /v1/checkpoints/latest": OPEN,
    "GET /v1/events": OPERATORS,
    "GET /v1/events/{seq}/proof": OPERATORS,
    "POST /v1/keys/report": OPEN,
    "GET /v1/keys/unused": OPERATORS,
    "GET /v1/keys/{key_id}": READS,
    "GET /v1/keys/{key_id}/allowlist-suggestion": READS,
    "POST /v1/keys/{key_id}/edits": OPERATORS,
    "POST /v1/keys/{key_id}/edits/preview": READS,
    "POST /v1/keys/{key_id}/quarantine": ACTS,
    "GET /v1/keys/{key_id}/refusals": READS,
    "POST /v1/keys/{key_id}/release": OPERATORS,
    "POST /v1/keys/{key_id}/revoke": ACTS,
    "POST /v1/keys/{key_id}/rotate": OPERATORS,
    "GET /v1/keys/{key_id}/usage": READS,
    "POST /v1/leaks": OPERATORS,
    "POST /v1/leaks/github": OPEN,
    "GET /v1/people": OPERATORS,
    "POST /v1/people": OPERATORS,
    "DELETE /v1/people/{person_id}": OPERATORS,
    "GET /v1/revocations": OPERATORS,
    "POST /v1/revocations": OPERATORS,
    "POST /v1/revocations/preview": OPERATORS,
    "GET /v1/rules": OPERATORS,
    "POST /v1/rules": OPERATORS,
    "POST /v1/rules/preview": OPERATORS,
    "POST /v1/rules/{rule_id}/withdraw": OPERATORS,
}
"""Who may call each route of the management face. A new route gets its line here."""
PROVED_OTHERWISE = {
    "POST /v1/leaks/github": (401, "unauthenticated"),
    "POST /v1/keys/report": (200, ""),
    "GET /calendar/{name}": (404, "not_found"),
}
"""
Open routes that ask for a proof of their own, by GitHub, a key's secret or a name nobody guesses,
and what those get who bring none: who they are makes no difference.
"""
COMPATIBLE = {
    ("GET", "/api/v3/ping"): OPEN,
    ("GET", "/api/v3/time"): OPEN,
    ("GET", "/sapi/v1/system/status"): OPEN,
    ("GET", "/sapi/v1/account/apiRestrictions"): READS,
    ("GET", "/sapi/v1/account/apiTradingStatus"): READS,
    ("GET", "/sapi/v1/account/status"): READS,
    ("GET", "/sapi/v1/sub-account/subAccountApi"): MASTER,
    ("GET", "/sapi/v1/sub-account/subAccountApi/ipRestriction"): MASTER,
    ("DELETE", "/sapi/v1/sub-account/subAccountApi"): MASTER,
    ("DELETE", "/sapi/v1/sub-account/subAccountApi/ipRestriction/ipList"): MASTER,
    ("POST", "/sapi/v1/sub-account/subAccountApi"): MASTER,
    ("POST", "/sapi/v1/sub-account/subAccountApiPermission"): MASTER,
    ("POST", "/sapi/v2/sub-account/subAccountApi"): MASTER,
    ("POST", "/sapi/v2/sub-account/subAccountApi/ipRestriction"): MASTER,
}
"""
The same for the compatible surface: what is read there is the key that signs, and a master's calls
name a sub-account of its by e-mail.
"""
_nonces = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Account ids, and the key each caller signs with, by name."""

    managed: Managed
    accounts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)

    @classmethod
    def open(cls, home: Path, **more: Any) -> "Cast":  # noqa: ANN401 - any setting
        """Open a sandbox with all of them in it."""
        managed = Managed.open(home, keys_per_account=100_000, **more)
        cast, house = cls(managed=managed), managed.house
        for name in ("normal", "stranger"):
            cast.accounts[name] = house.account(an_email())
        for master, subs in (("master", ("sub", "sibling")), ("other master", ("other sub",))):
            cast.accounts[master] = house.account(an_email(), AccountKind.MASTER)
            for name in subs:
                cast.accounts[name] = house.account(
                    an_email(), AccountKind.SUB, cast.accounts[master]
                )
        for name, account_id in cast.accounts.items():
            cast.keys[name] = house.issue(account_id, TRADING)
        house.worker.checkpoints.step()  # What is open to all is there to be read.
        return cast

    def sign(self, key: ApiKey, method: str, target: str, body: bytes = b"", **more: Any) -> Any:  # noqa: ANN401 - any field of a request
        """Return the headers of a request that *key* signs, each time under another nonce."""
        given = {
            "created_s": self.managed.house.worker.clock.now_ms() // 1000,
            "nonce": f"nonce-{next(_nonces)}",
            "host": HOST,
            **more,
        }
        request = Request(api_key=key.api_key, method=method, target=target, body=body, **given)
        return request.headers(self.managed.house.signers[key.key_id])

    def ask(self, who: str, method: str, target: str, given: object = None, **more: str) -> Reply:
        """Ask as *who*: `nobody`, `operator`, or the name of an account; *more* are headers."""
        body = b"" if given is None else json.dumps(given).encode()
        headers: dict[str, str] = {}
        if who == "operator":
            headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
        elif who == "binance":
            # As good a signature as that profile has: over the parameters, and nothing else.
            key = self.keys["normal"]
            headers = {"X-MBX-APIKEY": key.api_key}
            target = f"{target}?{self.managed.house.signed_query(key)}"
        elif who != "nobody":
            headers = self.sign(self.keys[who], method, target, body)
        return self.managed.ask(method, target, body=body, headers=headers | more)

    def thaw(self) -> None:
        """Unfreeze everybody."""
        for account_id in self.accounts.values():
            self.managed.house.worker.accounts.set_frozen(account_id, frozen=False, actor="test")


def likeness(reply: Reply) -> object:
    """Return all of *reply* but the id of its request: what two answers have to share."""
    body = json.loads(reply.body)
    assert body.pop("request_id") == reply.headers["x-request-id"]
    headers = {name: value for name, value in reply.headers.items() if name != "x-request-id"}
    # As long as each other, whatever the id: it has one length.
    return reply.status, headers, body
