"""Bad inputs to the management face, as tables: SECURITY section 8, BI-36 to BI-41."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tenure.domain.contacts import first_contact_id
from tests.faces.http.managed import BODIES, DAY_MS, TRADING, Managed, is_problem, operations

pytestmark = pytest.mark.slow

# BI-40, and what else is no JSON text. The field it stands in is one that every route refuses, so
# that it shows whether the whole body is read before any of it is judged.
UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n",
    "NaN": b'{"surplus": NaN}',
    "Infinity": b'{"surplus": -Infinity}',
    "1e400": b'{"surplus": 1e400}',
    "lone high surrogate": rb'{"surplus": "\ud800"}',
    "lone high surrogate, then text": rb'{"surplus": "\ud800 and on"}',
    "lone low surrogate": rb'{"surplus": "\udc00"}',
    "surrogates the wrong way round": rb'{"surplus": "\udc00\ud800"}',
    "lone surrogate in a name": rb'{"\ud800": 1}',
    "surrogate as UTF-8": b'{"surplus": "\xed\xa0\x80"}',
    "bad UTF-8": b'{"surplus": "\xff"}',
    "bad UTF-8 in a name": b'{"\xff": 1}',
    "overlong UTF-8": b'{"surplus": "\xc0\x80"}',
    "Latin-1": '{"surplus": "é"}'.encode("latin-1"),
    "UTF-16": '{"surplus": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "100,000 levels, open": b'{"surplus": ' + b"[" * 100_000,
    "100,000 levels, closed": b'{"surplus": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "40,000 objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "4,301 digits": b'{"surplus": ' + b"9" * 4_301 + b"}",
    "trailing text": b"{} {}",
    "trailing comma": b'{"surplus": 1,}',
    "cut short": b'{"surplus": 1',
    "control character": b'{"surplus": "\x00"}',
    "line break in a text": b'{"surplus": "\n"}',
    "single quotes": b"{'surplus': 1}",
    "no quotes": b"{surplus: 1}",
    "comment": b'{"surplus": 1} // really',
    "plus sign": b'{"surplus": +1}',
    "zero in front": b'{"surplus": 01}',
    "hexadecimal": b'{"surplus": 0x1}',
    "a form": b"surplus=1",
    "gzip": b"\x1f\x8b\x08\x00",
}
STORED = {
    "ends_at_ms": 1,
    "account_id": "acct_x",
    "status": "active",
    "version": 2,
    "id": "x",
    "key_id": "key_x",
    "issued_at_ms": 1,
    "revoked_at_ms": None,
    "frozen_at_ms": None,
    "granted_at_ms": 1,
    "rule_id": None,
    "actor": "somebody",
    "secret_key": "x",
    "unknown": 1,
    "__proto__": {},
    "": 0,
    "created_at_ms": 1,
    "edited_at_ms": 1,
    "grants": {},
}
TAKEN = {
    ("POST /v1/keys/report", "secret_key"),
    ("POST /v1/revocations", "account_id"),
    ("POST /v1/revocations/preview", "account_id"),
}
"""Of those, what a route takes as proof and keeps nothing of, and whose keys to revoke."""
OTHER_SHAPES = [b"[]", b"1", b'"text"', b"true", b"[{}]", b'[["label","x"]]']


def places(managed: Managed) -> dict[str, str]:
    """Return a target for each route that takes a body, on an account and a key of its own."""
    account_id = managed.account()
    there = {
        "account_id": account_id,
        "key_id": managed.key(account_id)["key_id"],
        "contact_id": first_contact_id(account_id),
    }
    return {name: name.partition(" ")[2].format_map(there) for name in BODIES}


def state(managed: Managed) -> object:
    """Return everything a caller could have changed."""
    return managed.tell("GET", "/v1/events"), managed.tell("GET", "/sandbox/clock")


def test_the_table_of_bodies_names_every_route_that_takes_one(shared: Managed) -> None:
    document = shared.tell("GET", "/openapi.json")
    assert {name for name, said in operations(document) if "requestBody" in said} == BODIES.keys()


def test_each_body_of_the_table_is_taken(managed: Managed) -> None:
    targets = places(managed)
    for name, body in BODIES.items():
        reply = managed.ask(name.partition(" ")[0], targets[name], body)
        # An HMAC key has no public key to rotate to, and null says so; an e-mail is taken once.
        assert reply.status in {200, 201}, (name, reply)


@pytest.mark.parametrize("name", BODIES)
def test_what_is_no_json_is_told_as_such_before_any_field_is_judged(
    shared: Managed, name: str
) -> None:
    target, before = places(shared)[name], state(shared)
    for what, body in UNREADABLE.items():
        reply = shared.ask(name.partition(" ")[0], target, body=body)
        if not body and name.endswith("/rotate"):
            assert reply.status == 200  # Nothing to say is the usual thing to say there.
            before = state(shared)
            continue
        assert is_problem(reply, 400, "malformed"), what
        assert state(shared) == before, what


@pytest.mark.parametrize("name", BODIES)
def test_json_of_another_shape_makes_no_sense(shared: Managed, name: str) -> None:
    target, before = places(shared)[name], state(shared)
    bodies = OTHER_SHAPES if name.endswith("/rotate") else [*OTHER_SHAPES, b"null"]
    for body in bodies:
        reply = shared.ask(name.partition(" ")[0], target, body=body)
        assert is_problem(reply, 422, "invalid"), body
    assert state(shared) == before


@pytest.mark.parametrize("name", BODIES)
def test_no_field_that_tenure_keeps_can_be_set_from_outside(shared: Managed, name: str) -> None:
    target, before = places(shared)[name], state(shared)
    for field, value in STORED.items():
        if (name, field) in TAKEN:
            continue
        given = BODIES[name] | {field: value}
        reply = shared.ask(name.partition(" ")[0], target, given)
        assert is_problem(reply, 422, "invalid"), field
        (problem,) = reply.json()["problems"]
        assert problem == {"field": field or "body", "message": "is not known here"}
    assert state(shared) == before


@pytest.mark.parametrize("name", BODIES)
def test_every_field_of_another_type_makes_no_sense(shared: Managed, name: str) -> None:
    target = places(shared)[name]
    values: list[object] = [{"a": {}}, [[]], 1.5, 2**70, -(2**63)]
    for field in BODIES[name]:
        for value in values:
            reply = shared.ask(name.partition(" ")[0], target, BODIES[name] | {field: value})
            assert is_problem(reply, 422, "invalid"), (field, value)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_past_the_limit_is_too_large(shared: Managed, name: str) -> None:
    target = places(shared)[name]
    body = b'{"label": "' + b"x" * 262_144 + b'"}'
    assert is_problem(shared.ask(name.partition(" ")[0], target, body=body), 413, "too_large")


def test_of_two_equal_names_the_last_wins(shared: Managed) -> None:
    key_id = shared.key()["key_id"]
    body = b'{"label": "first", "label": "last"}'
    assert shared.ask("POST", f"/v1/keys/{key_id}/edits", body=body).json()["label"] == "last"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "x"])
def test_a_body_is_json_whatever_its_content_type_says(shared: Managed, kind: str) -> None:
    key_id = shared.key()["key_id"]
    headers = {"Authorization": "Bearer an operator token for tests", "Content-Type": kind}
    target = f"/v1/keys/{key_id}/edits"
    reply = shared.ask("POST", target, {"label": "new"}, headers=headers)
    assert (reply.status, reply.json()["label"]) == (200, "new")


LABELS: list[tuple[str, str | None]] = [
    ("bot", "bot"),
    ("  bot\t", "bot"),
    ("x" * 64, "x" * 64),
    ("x" * 65, None),
    ("x" * 100_000, None),
    ("", None),
    ("   ", None),
    ("a\r\nb", None),
    ("a\u0000b", None),
    ("a\u001b[31mb", None),
    ("a\u202eb", None),
    ("\u2066a", None),
    ("a\u200bb", None),
    ("\ufeffa", None),
    ("a\u2028b", None),
    ("\ue000", None),
    ("\U000e0061", None),
    ("e\u0301", "\u00e9"),
    ("e\u0301" * 64, "\u00e9" * 64),
    ("\u0627\u0644\u0628\u0648\u062a", "\u0627\u0644\u0628\u0648\u062a"),
    ("\U0001f916", "\U0001f916"),
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("'; DROP TABLE keys; --", "'; DROP TABLE keys; --"),
    ("%s${7*7}{{7*7}}", "%s${7*7}{{7*7}}"),
    ("\\u0000", "\\u0000"),
]


@pytest.mark.parametrize(("label", "kept"), LABELS)
def test_a_label_is_kept_in_nfc_or_refused(shared: Managed, label: str, kept: str | None) -> None:
    account_id = shared.account()
    target = f"/v1/accounts/{account_id}/keys"
    reply = shared.ask("POST", target, {"label": label, "key_type": "hmac"})
    key_id = shared.key(account_id)["key_id"]
    edited = shared.ask("POST", f"/v1/keys/{key_id}/edits", {"label": label})
    if kept is None:
        for refused in (reply, edited):
            assert is_problem(refused, 422, "invalid")
            assert refused.json()["problems"][0]["field"] == "label"
    else:
        assert (reply.json()["label"], edited.json()["label"]) == (kept, kept)


def test_ten_megabytes_of_label_are_refused_without_being_read(shared: Managed) -> None:
    target = places(shared)["POST /v1/accounts/{account_id}/keys"]
    body = json.dumps({"label": "x" * 10_000_000, "key_type": "hmac"}).encode()
    assert is_problem(shared.ask("POST", target, body=body), 413, "too_large")


LOOSEN: dict[str, object] = {"ip_allowlist": []}
"""An edit with a consequence to confirm, on the key of `restricted`."""


def restricted(managed: Managed) -> str:
    """Return the target of a key whose trading has no end while its address is named."""
    issued = managed.key(ip_allowlist=["203.0.113.7"], permissions=[TRADING])
    return f"/v1/keys/{issued['key_id']}/edits"


def previewed(managed: Managed, target: str, given: object) -> str:
    return str(managed.tell("POST", f"{target}/preview", given)["stamp"])


def edit_meanwhile(managed: Managed, target: str) -> None:
    managed.tell("POST", target, {"label": "edited meanwhile"})


def wait_too_long(managed: Managed, _target: str) -> None:
    managed.tell("PUT", "/sandbox/clock", {"advance_ms": 600_001})


def wait_long(managed: Managed, _target: str) -> None:
    managed.tell("PUT", "/sandbox/clock", {"advance_ms": 600_000})


def nothing(_managed: Managed, _target: str) -> None:
    """Let nothing happen."""


@pytest.mark.parametrize(
    ("shown", "meanwhile", "committed", "code"),
    [
        (None, nothing, LOOSEN, "confirmation_required"),
        (LOOSEN, edit_meanwhile, LOOSEN, "stale"),
        (LOOSEN, nothing, {**LOOSEN, "label": "another edit"}, "stale"),
        ({"label": "another edit"}, nothing, LOOSEN, "stale"),
        (LOOSEN, wait_too_long, LOOSEN, "stale"),
        (LOOSEN, wait_long, LOOSEN, None),
        (LOOSEN, nothing, LOOSEN, None),
    ],
)
def test_only_the_stamp_of_this_very_plan_confirms_it(
    managed: Managed,
    shown: dict[str, object] | None,
    meanwhile: Callable[[Managed, str], None],
    committed: dict[str, object],
    code: str | None,
) -> None:
    target = restricted(managed)
    stamp = None if shown is None else previewed(managed, target, shown)
    meanwhile(managed, target)
    before = managed.tell("GET", "/v1/events")
    reply = managed.ask("POST", target, {**committed, "stamp": stamp})
    if code is None:
        assert reply.status == 200
        return
    assert is_problem(reply, 409, code)
    assert managed.tell("GET", "/v1/events") == before
    # The plan that comes with the conflict is today's, and its stamp is good.
    assert (
        managed.ask("POST", target, {**committed, "stamp": reply.json()["plan"]["stamp"]}).status
        == 200
    )


@pytest.mark.parametrize(
    "stamp", ["", "x", "-", "0-0", "ffffffffffffffffff-0", "17d75708e80-" + "0" * 32, "é", "\u0000"]
)
def test_a_forged_stamp_is_stale(shared: Managed, stamp: str) -> None:
    reply = shared.ask("POST", restricted(shared), {**LOOSEN, "stamp": stamp})
    assert is_problem(reply, 409, "stale")
    assert reply.json()["plan"]["confirmation_required"]


def test_another_keys_stamp_is_stale(shared: Managed) -> None:
    target = restricted(shared)
    stamp = previewed(shared, restricted(shared), LOOSEN)
    assert is_problem(shared.ask("POST", target, {**LOOSEN, "stamp": stamp}), 409, "stale")


def test_a_lapse_since_the_preview_makes_it_stale_swept_or_not(managed: Managed) -> None:
    key_id = managed.key(permissions=[TRADING])["key_id"]
    target, given = f"/v1/keys/{key_id}/edits", {"permissions": {TRADING: "renew"}}
    managed.tell("PUT", "/sandbox/clock", {"advance_ms": 30 * DAY_MS - 1})
    stamp = previewed(managed, target, given)
    managed.tell("PUT", "/sandbox/clock", {"advance_ms": 2})
    assert is_problem(managed.ask("POST", target, {**given, "stamp": stamp}), 409, "stale")


def test_a_stamp_confirms_once(shared: Managed) -> None:
    target = restricted(shared)
    given = {**LOOSEN, "stamp": previewed(shared, target, LOOSEN)}
    assert shared.ask("POST", target, given).status == 200
    before = shared.tell("GET", "/v1/events")
    assert is_problem(shared.ask("POST", target, given), 409, "stale")
    assert shared.tell("GET", "/v1/events") == before


def test_a_revoked_key_is_not_edited_whatever_the_stamp(shared: Managed) -> None:
    target = restricted(shared)
    given: dict[str, Any] = {**LOOSEN, "stamp": previewed(shared, target, LOOSEN)}
    shared.tell("POST", target.replace("/edits", "/revoke"))
    assert is_problem(shared.ask("POST", target, given), 409, "revoked")
