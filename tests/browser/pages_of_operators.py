"""The pages of the operators' part; viewers see them too, without what only others may do."""

from tests.browser.pages import Shown

_HERE = "/console/operate"
_ACCOUNT = "GET /console/operate/accounts/{account_id}"
_KEY = "GET /console/operate/keys/{key_id}"
_TURN = "GET /console/operate/keys/{key_id}/{turn}"
_PROPOSAL = "GET /console/operate/approvals/{approval_id}"
_SEARCH = "GET /console/operate/search"


def _shown(name: str, path: str, *, route: str = "", who: str = "administrator") -> Shown:
    return Shown(
        name=f"operate {name}", route=route or f"GET {_HERE}{path}", who=who, path=f"{_HERE}{path}"
    )


OF_OPERATORS = (
    _shown("overview", ""),
    _shown("accounts", "/accounts"),
    _shown("accounts after the first", "/accounts?after={ann}", route=f"GET {_HERE}/accounts"),
    _shown("account", "/accounts/{ann}", route=_ACCOUNT),
    _shown("account of a master", "/accounts/{mia}", route=_ACCOUNT, who="viewer"),
    _shown("account frozen", "/accounts/{lea}", route=_ACCOUNT, who="operator"),
    _shown("account to freeze", "/accounts/{ann}/freeze", route=f"{_ACCOUNT}/{{turn}}"),
    _shown("account to unfreeze", "/accounts/{lea}/unfreeze", route=f"{_ACCOUNT}/{{turn}}"),
    _shown("key", "/keys/{key_id}", route=_KEY, who="operator"),
    _shown("key quarantined", "/keys/{quarantined_id}", route=_KEY),
    _shown("key leaked", "/keys/{leaked_id}", route=_KEY, who="viewer"),
    _shown("key to revoke", "/keys/{key_id}/revoke", route=_TURN, who="operator"),
    _shown("key to quarantine", "/keys/{key_id}/quarantine", route=_TURN, who="operator"),
    _shown("key to release", "/keys/{quarantined_id}/release", route=_TURN),
    _shown("approvals", "/approvals"),
    _shown("proposal", "/approvals/{inviting_id}", route=_PROPOSAL),
    _shown("proposal of one's own", "/approvals/{scheduling_id}", route=_PROPOSAL, who="rosa"),
    _shown("proposal overtaken", "/approvals/{stale_id}", route=_PROPOSAL),
    _shown("proposal approved", "/approvals/{approved_id}", route=_PROPOSAL, who="viewer"),
    _shown(
        "proposal to turn down",
        "/approvals/{inviting_id}/withdraw",
        route=f"{_PROPOSAL}/withdraw",
    ),
    _shown("journal", "/journal"),
    _shown(
        "journal nothing",
        "/journal?actor=nobody&house=yes&until=2020-01-01T00:00",
        route=f"GET {_HERE}/journal",
        who="viewer",
    ),
    _shown("leaks", "/leaks"),
    _shown("revocations", "/revocations"),
    _shown("rules", "/rules"),
    _shown("rules to add", "/rules/new?shipped=mexc", route=f"GET {_HERE}/rules/new"),
    _shown(
        "rule to withdraw",
        "/rules/{rule_id}/withdraw",
        route=f"GET {_HERE}/rules/{{rule_id}}/withdraw",
    ),
    _shown("search", "/search", who="viewer"),
    _shown("search hits", "/search?q=203.0.113.7", route=_SEARCH),
    _shown("search people", "/search?q=nina", route=_SEARCH, who="viewer"),
    _shown("search nothing", "/search?q=no%20such%20thing", route=_SEARCH),
)
