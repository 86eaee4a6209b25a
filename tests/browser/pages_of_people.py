"""The pages by which people come in, those about how they do, and those about who they are."""

from tests.browser.pages import Shown

_SECURITY = "/console/security"
_PEOPLE = "/console/people"
_PERSON = "GET /console/people/{person_id}"
_OWNER = "GET /console/owners/{account_id}"
_JOIN = "GET /console/join/{secret}"

OF_PEOPLE = (
    Shown(
        name="sign in", route="GET /console/sign-in", who="nobody", path="/console/sign-in?out=1"
    ),
    Shown(
        name="second factor",
        route="GET /console/sign-in/second",
        who="sam",
        path="/console/sign-in/second",
    ),
    Shown(name="join", route=_JOIN, who="nobody", path="/console/join/{join_secret}"),
    Shown(
        name="join by a dead link",
        route=_JOIN,
        who="nobody",
        path=f"/console/join/{'A' * 43}",
        status=410,
    ),
    Shown(name="enrol", route="GET /console/enrol", who="zoe", path="/console/enrol"),
    Shown(name="security", route=f"GET {_SECURITY}", who="rosa", path=_SECURITY),
    Shown(name="security in doubt", route=f"GET {_SECURITY}", who="lea_herself", path=_SECURITY),
    Shown(
        name="recovery to cancel",
        route=f"GET {_SECURITY}/recovery/cancel",
        who="lea_herself",
        path=f"{_SECURITY}/recovery/cancel",
    ),
    Shown(
        name="app to add",
        route=f"GET {_SECURITY}/app/new",
        who="administrator",
        path=f"{_SECURITY}/app/new",
    ),
    Shown(
        name="app to remove",
        route=f"GET {_SECURITY}/app/remove",
        who="rosa",
        path=f"{_SECURITY}/app/remove",
    ),
    Shown(
        name="recovery codes",
        route=f"GET {_SECURITY}/codes",
        who="rosa",
        path=f"{_SECURITY}/codes",
    ),
    Shown(
        name="passkey to add",
        route=f"GET {_SECURITY}/passkeys/new",
        who="rosa",
        path=f"{_SECURITY}/passkeys/new",
    ),
    Shown(
        name="passkey to remove",
        route=f"GET {_SECURITY}/passkeys/{{passkey_id}}/remove",
        who="rosa",
        path=f"{_SECURITY}/passkeys/{{passkey_id}}/remove",
    ),
    Shown(
        name="password",
        route=f"GET {_SECURITY}/password",
        who="rosa",
        path=f"{_SECURITY}/password",
    ),
    Shown(name="people", route=f"GET {_PEOPLE}", who="administrator", path=_PEOPLE),
    Shown(
        name="person to invite",
        route=f"GET {_PEOPLE}/invite",
        who="administrator",
        path=f"{_PEOPLE}/invite",
    ),
    Shown(name="person", route=_PERSON, who="administrator", path=f"{_PEOPLE}/{{zoe}}"),
    Shown(
        name="person to remove",
        route=_PERSON,
        who="administrator",
        path=f"{_PEOPLE}/{{zoe}}?what=remove",
    ),
    Shown(name="owner locked out", route=_OWNER, who="administrator", path="/console/owners/{lea}"),
    Shown(
        name="owner to invite",
        route=_OWNER,
        who="operator",
        path="/console/owners/{nina}?step=invite",
    ),
)
