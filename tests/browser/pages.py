"""
What a page that is looked at is, and the pages of owners and of nobody.

Those of people and of operators stand in `pages_of_people` and `pages_of_operators`; `every_page`
has all of them.
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
        return self.path.format(**asdict(scene) | asdict(scene.house))


_KEY = "GET /console/keys/{key_id}"
_ACT = "GET /console/keys/{key_id}/{what}"

OF_OWNERS = (
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
    Shown(name="inbox", route="GET /console/inbox", who="ann", path="/console/inbox"),
    Shown(
        name="inbox unread", route="GET /console/inbox", who="ben", path="/console/inbox?unread=1"
    ),
    Shown(name="activity", route="GET /console/activity", who="mia", path="/console/activity"),
    Shown(
        name="activity none such",
        route="GET /console/accounts/{account_id}/activity",
        who="ann",
        path="/console/accounts/{ann}/activity?until=2020-01-01",
    ),
    Shown(
        name="activity of a key",
        route="GET /console/keys/{key_id}/activity",
        who="ann",
        path="/console/keys/{lapsed_id}/activity",
    ),
    Shown(name="refusals", route="GET /console/refusals", who="ann", path="/console/refusals"),
    Shown(
        name="refusals none",
        route="GET /console/accounts/{account_id}/refusals",
        who="mia",
        path="/console/accounts/{sub}/refusals",
    ),
    Shown(
        name="refusals of a key",
        route="GET /console/keys/{key_id}/refusals",
        who="ann",
        path="/console/keys/{key_id}/refusals",
    ),
    Shown(
        name="sub-accounts",
        route="GET /console/sub-accounts",
        who="mia",
        path="/console/sub-accounts",
    ),
    Shown(
        name="sub-accounts of nobody",
        route="GET /console/sub-accounts",
        who="ben",
        path="/console/sub-accounts",
    ),
    Shown(
        name="freeze",
        route="GET /console/accounts/{account_id}/{turn}",
        who="mia",
        path="/console/accounts/{sub}/freeze",
    ),
    Shown(
        name="settings", route="GET /console/preferences", who="ann", path="/console/preferences"
    ),
    Shown(
        name="calendar link",
        route="GET /console/preferences/calendar",
        who="ann",
        path="/console/preferences/calendar",
    ),
    Shown(
        name="contact to add",
        route="GET /console/accounts/{account_id}/contacts/new",
        who="ann",
        path="/console/accounts/{ann}/contacts/new?channel=webhook",
    ),
    Shown(
        name="contact",
        route="GET /console/accounts/{account_id}/contacts/{contact_id}",
        who="ann",
        path="/console/accounts/{ann}/contacts/{mail_id}",
    ),
    Shown(
        name="contact to remove",
        route="GET /console/accounts/{account_id}/contacts/{contact_id}/{doing}",
        who="ann",
        path="/console/accounts/{ann}/contacts/{mail_id}/remove",
    ),
    Shown(
        name="contact's new secret",
        route="GET /console/accounts/{account_id}/contacts/{contact_id}/{doing}",
        who="ann",
        path="/console/accounts/{ann}/contacts/{hook_id}/rotate",
    ),
    Shown(
        name="announcements",
        route="GET /console/announcements",
        who="nobody",
        path="/console/announcements",
    ),
    Shown(
        name="announcement to anybody",
        route="GET /console/announcements/{rule_id}",
        who="nobody",
        path="/console/announcements/2021-07-09",
    ),
    Shown(
        name="announcement",
        route="GET /console/announcements/{rule_id}",
        who="ann",
        path="/console/announcements/2021-07-09",
    ),
    Shown(
        name="announcement ahead",
        route="GET /console/announcements/{rule_id}",
        who="ann",
        path="/console/announcements/{rule_id}",
    ),
    Shown(
        name="new account",
        route="GET /console/operate/accounts/new",
        who="operator",
        path="/console/operate/accounts/new",
    ),
    Shown(name="nowhere", route="", who="ann", path="/console/nowhere", status=404),
)
