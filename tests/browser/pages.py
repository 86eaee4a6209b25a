"""
Every page of the console, who looks at it and where it is: what the tests of all pages go through.

A route that is not here fails `test_pages`: a page without a test is not shipped.
"""

from dataclasses import asdict, dataclass

from tests.browser.scenes import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page called *name*: its *route*, *who* looks, and its *path*, with ids of the scene."""

    name: str
    route: str
    who: str
    path: str
    status: int = 200

    def at(self, scene: Scene) -> str:
        """Return where it is."""
        return self.path.format(**asdict(scene))


NO_PAGES = {
    "GET /console": "sends on to the first page somebody has",
    "GET /console/static/{name}": "the stylesheet, scripts and pictures",
}
"""What is answered at some address and is no page, and what it is instead."""

_KEY = "GET /console/keys/{key_id}"
_ACT = "GET /console/keys/{key_id}/{what}"

PAGES = (
    Shown(name="keys", route="GET /console/keys", who="ann", path="/console/keys"),
    Shown(name="keys none yet", route="GET /console/keys", who="ben", path="/console/keys"),
    Shown(
        name="keys of a sub-account",
        route="GET /console/accounts/{account_id}/keys",
        who="mia",
        path="/console/accounts/{sub}/keys",
    ),
    Shown(name="key", route=_KEY, who="ann", path="/console/keys/{key_id}"),
    Shown(name="key lapsed", route=_KEY, who="ann", path="/console/keys/{lapsed_id}"),
    Shown(name="key quarantined", route=_KEY, who="ann", path="/console/keys/{quarantined_id}"),
    Shown(name="key revoked", route=_KEY, who="ann", path="/console/keys/{revoked_id}"),
    Shown(
        name="create",
        route="GET /console/accounts/{account_id}/keys/new",
        who="ann",
        path="/console/accounts/{ann}/keys/new",
    ),
    Shown(
        name="edit",
        route="GET /console/keys/{key_id}/edit",
        who="ann",
        path="/console/keys/{key_id}/edit",
    ),
    Shown(name="rotate", route=_ACT, who="ann", path="/console/keys/{key_id}/rotate"),
    Shown(name="rotate a pair", route=_ACT, who="ann", path="/console/keys/{ed25519_id}/rotate"),
    Shown(name="revoke", route=_ACT, who="ann", path="/console/keys/{key_id}/revoke"),
    Shown(name="quarantine", route=_ACT, who="ann", path="/console/keys/{key_id}/quarantine"),
    Shown(name="release", route=_ACT, who="ann", path="/console/keys/{quarantined_id}/release"),
    Shown(name="nowhere", route="", who="ann", path="/console/nowhere", status=404),
)
