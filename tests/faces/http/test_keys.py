"""The routes of API keys: shapes, confirmation, secrets shown once, and refusals by field."""

from pathlib import Path
from typing import Any

import pytest

from tenure.domain.model import KeyType
from tests import signers
from tests.builders import ms
from tests.faces.http.managed import DAY_MS, TRADING, Managed, is_problem

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

UNKNOWN = "key_" + "0" * 24
NOW_MS = ms("2021-12-01 10:00")


def edit(managed: Managed, key_id: str, **given: object) -> Any:  # noqa: ANN401 - JSON
    """Preview and commit an edit, confirming whatever it asks."""
    stamp = managed.tell("POST", f"/v1/keys/{key_id}/edits/preview", given)["stamp"]
    return managed.tell("POST", f"/v1/keys/{key_id}/edits", given | {"stamp": stamp})


def test_an_issued_key_shows_its_state_its_consequences_and_its_secret(managed: Managed) -> None:
    account_id = managed.account()
    issued = managed.key(account_id, permissions=[TRADING])
    assert issued == {
        "key_id": issued["key_id"],
        "api_key": issued["api_key"],
        "account_id": account_id,
        "label": "bot",
        "key_type": "hmac",
        "status": "active",
        "public_key": None,
        "ip_allowlist": [],
        "version": 1,
        "issued_at_ms": NOW_MS,
        "edited_at_ms": NOW_MS,
        "revoked_at_ms": None,
        "quarantined_at_ms": None,
        "quarantine_cause": None,
        "old_until_ms": None,
        "permissions": {
            "reading": {
                "enabled": True,
                "granted_at_ms": NOW_MS,
                "ends_at_ms": None,
                "rule_id": None,
            },
            TRADING: {
                "enabled": True,
                "granted_at_ms": NOW_MS,
                "ends_at_ms": NOW_MS + 30 * DAY_MS,
                "rule_id": "2021-07-09",
            },
        },
        "consequences": issued["consequences"],
        "secret_key": issued["secret_key"],
    }
    assert len(issued["secret_key"]) == 64
    assert issued["consequences"][0] == {
        "kind": "term_starts",
        "permission": TRADING,
        "is_asked": True,
        "needs_confirmation": True,
        "ends_at_ms": NOW_MS + 30 * DAY_MS,
        "ended_at_ms": None,
        "rule_id": "2021-07-09",
        "text": '"Enable Spot & Margin Trading" will be on until 2021-12-31 10:00:00 UTC, then '
        "unticked. (Without trusted IPs, Spot & Margin Trading lasts 30 days.)",
    }
    state = {name: said for name, said in issued.items() if name != "secret_key"}
    del state["consequences"]
    state["last_used"] = None
    assert managed.tell("GET", f"/v1/keys/{issued['key_id']}") == state
    assert managed.tell("GET", f"/v1/accounts/{account_id}/keys") == {"keys": [state]}


def test_a_secret_is_in_the_answer_to_issue_and_rotate_and_nowhere_else(managed: Managed) -> None:
    account_id = managed.account()
    issued = managed.key(account_id)
    key_id = issued["key_id"]
    rotated = managed.tell("POST", f"/v1/keys/{key_id}/rotate")
    secrets = {issued["secret_key"], rotated["secret_key"]}
    assert len(secrets) == 2
    asked = [
        managed.ask("GET", f"/v1/keys/{key_id}"),
        managed.ask("GET", f"/v1/accounts/{account_id}/keys"),
        managed.ask("GET", "/v1/events"),
        managed.ask("GET", "/metrics"),
        managed.ask("POST", f"/v1/keys/{key_id}/edits", {"label": "new"}),
        managed.ask("POST", f"/v1/keys/{key_id}/revoke"),
        managed.ask("POST", f"/v1/keys/{key_id}/rotate"),
    ]
    assert [reply.status for reply in asked] == [200] * 6 + [409]
    assert not any(secret.encode() in reply.body for secret in secrets for reply in asked)


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_a_key_that_brings_its_public_key_has_no_secret(shared: Managed, key_type: KeyType) -> None:
    public_key = signers.public_key(key_type)
    issued = shared.key(key_type=key_type, public_key=public_key)
    assert "secret_key" not in issued
    assert issued["public_key"] == public_key
    target = f"/v1/keys/{issued['key_id']}/rotate"
    rotated = shared.tell("POST", target, {"public_key": public_key})
    assert "secret_key" not in rotated
    assert (rotated["version"], rotated["consequences"]) == (2, [])
    assert is_problem(shared.ask("POST", target), 422, "invalid")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"label": "", "key_type": "hmac"}, "label"),
        ({"label": None, "key_type": "hmac"}, "label"),
        ({"key_type": "hmac"}, "label"),
        ({"label": "x", "key_type": "dsa"}, "key_type"),
        ({"label": "x", "key_type": "ed25519"}, "public_key"),
        ({"label": "x", "key_type": "hmac", "public_key": "x"}, "public_key"),
        ({"label": "x", "key_type": "rsa", "public_key": "x" * 20_000}, "public_key"),
        ({"label": "x", "key_type": "hmac", "permissions": ["flying"]}, "permissions.flying"),
        ({"label": "x", "key_type": "hmac", "permissions": ["x" * 65]}, "permissions[0]"),
        ({"label": "x", "key_type": "hmac", "permissions": TRADING}, "permissions"),
        (
            {"label": "x", "key_type": "hmac", "permissions": ["withdrawals"]},
            "permissions.withdrawals",
        ),
        ({"label": "x", "key_type": "hmac", "ip_allowlist": ["0.0.0.0/0"]}, "ip_allowlist.0"),
        ({"label": "x", "key_type": "hmac", "ip_allowlist": "1.2.3.4"}, "ip_allowlist"),
        ({"label": "x", "key_type": "hmac", "ip_allowlist": [1]}, "ip_allowlist[0]"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_by_field(
    shared_account: tuple[Managed, str], given: object, field: str
) -> None:
    managed, account_id = shared_account
    reply = managed.ask("POST", f"/v1/accounts/{account_id}/keys", given)
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [field]


@pytest.fixture(scope="module")
def shared_account(shared: Managed) -> tuple[Managed, str]:
    """Return the shared face and an account that gets no keys."""
    return shared, shared.account()


def test_a_pasted_private_key_is_refused_and_not_repeated(shared: Managed) -> None:
    private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIcanary\n-----END PRIVATE KEY-----"
    target = f"/v1/accounts/{shared.account()}/keys"
    given = {"label": "x", "key_type": "ed25519", "public_key": private}
    reply = shared.ask("POST", target, given)
    assert is_problem(reply, 422, "invalid")
    assert b"canary" not in reply.body
    assert b"private key" in reply.body


def test_an_account_has_no_more_keys_than_its_limit(managed: Managed) -> None:
    account_id = managed.account()
    most = managed.house.worker.settings.keys_per_account
    for _ in range(most):
        managed.key(account_id)
    target = f"/v1/accounts/{account_id}/keys"
    reply = managed.ask("POST", target, {"label": "one more", "key_type": "hmac"})
    assert is_problem(reply, 409, "limit")


def test_a_preview_shows_the_plan_and_changes_nothing(shared: Managed) -> None:
    key_id = shared.key(ip_allowlist=["203.0.113.7"], permissions=[TRADING])["key_id"]
    before = shared.tell("GET", f"/v1/keys/{key_id}")
    given: dict[str, object] = {"ip_allowlist": []}
    plan = shared.tell("POST", f"/v1/keys/{key_id}/edits/preview", given)
    assert {**plan["before"], "last_used": None} == before
    assert plan["after"]["ip_allowlist"] == []
    assert plan["after"]["version"] == 2
    assert plan["after"]["permissions"][TRADING]["ends_at_ms"] == NOW_MS + 30 * DAY_MS
    assert plan["confirmation_required"]
    assert [item["kind"] for item in plan["consequences"]] == ["term_starts"]
    assert plan["stamp"]
    assert shared.tell("GET", f"/v1/keys/{key_id}") == before


def test_an_edit_with_consequences_is_done_with_the_stamp_that_the_conflict_brings(
    shared: Managed,
) -> None:
    key_id = shared.key(ip_allowlist=["203.0.113.7"], permissions=[TRADING])["key_id"]
    target = f"/v1/keys/{key_id}/edits"
    given: dict[str, object] = {"ip_allowlist": []}
    reply = shared.ask("POST", target, given)
    assert is_problem(reply, 409, "confirmation_required")
    plan = reply.json()["plan"]
    assert plan["confirmation_required"]
    done = shared.tell("POST", target, given | {"stamp": plan["stamp"]})
    assert done["consequences"] == plan["consequences"]
    assert {name: done[name] for name in plan["after"]} == plan["after"]


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ({}, ("bot", ["203.0.113.7"], 1)),
        ({"label": "new"}, ("new", ["203.0.113.7"], 2)),
        ({"label": "new", "stamp": None}, ("new", ["203.0.113.7"], 2)),
        ({"ip_allowlist": ["203.0.113.8"]}, ("bot", ["203.0.113.8"], 2)),
        ({"permissions": {"futures": True}}, ("bot", ["203.0.113.7"], 2)),
    ],
)
def test_what_an_edit_leaves_out_is_left_alone(
    shared: Managed, given: object, after: tuple[str, list[str], int]
) -> None:
    key_id = shared.key(ip_allowlist=["203.0.113.7"])["key_id"]
    done = shared.tell("POST", f"/v1/keys/{key_id}/edits", given)
    assert (done["label"], done["ip_allowlist"], done["version"]) == after


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"label": None}, "label"),
        ({"ip_allowlist": None}, "ip_allowlist"),
        ({"permissions": None}, "permissions"),
        ({"permissions": {TRADING: None}}, "permissions[...]"),
        ({"permissions": {TRADING: "true"}}, "permissions[...]"),
        ({"permissions": {TRADING: 1}}, "permissions[...]"),
        ({"permissions": {TRADING: "RENEW"}}, "permissions[...]"),
        ({"permissions": [TRADING]}, "permissions"),
        ({"permissions": {"flying": True}}, "permissions.flying"),
        ({"permissions": {"reading": False, TRADING: True}}, f"permissions.{TRADING}"),
        ({"ip_allowlist": ["10.0.0.1/8", "::/0"]}, "ip_allowlist.0"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_by_field(
    shared: Managed, given: object, field: str
) -> None:
    key_id = shared.key()["key_id"]
    for act in ("edits", "edits/preview"):
        reply = shared.ask("POST", f"/v1/keys/{key_id}/{act}", given)
        assert is_problem(reply, 422, "invalid")
        assert reply.json()["problems"][0]["field"] == field


def test_enabled_is_the_decision_now_swept_or_not(managed: Managed) -> None:
    key_id = managed.key(permissions=[TRADING])["key_id"]
    shown = []
    for moment in ("2021-12-31 09:59:59.999", "2021-12-31 10:00"):
        managed.house.move(moment)
        shown.append(managed.tell("GET", f"/v1/keys/{key_id}")["permissions"][TRADING])
    assert [permission["enabled"] for permission in shown] == [True, False]
    assert {permission["ends_at_ms"] for permission in shown} == {NOW_MS + 30 * DAY_MS}
    assert managed.tell("GET", "/v1/events")["events"][-1]["tag"] == "key:issued"


def test_an_ended_permission_is_ticked_again_with_a_new_end(managed: Managed) -> None:
    key_id = managed.key(permissions=[TRADING])["key_id"]
    managed.house.move("2022-01-15 08:00")
    done = edit(managed, key_id, permissions={TRADING: True})
    assert done["permissions"][TRADING] == {
        "enabled": True,
        "granted_at_ms": ms("2022-01-15 08:00"),
        "ends_at_ms": ms("2022-02-14 08:00"),
        "rule_id": "2021-07-09",
    }


def test_a_revoked_key_stays_revoked(managed: Managed) -> None:
    key_id = managed.key()["key_id"]
    revoked = managed.tell("POST", f"/v1/keys/{key_id}/revoke")
    assert (revoked["status"], revoked["revoked_at_ms"], revoked["version"]) == (
        "revoked",
        NOW_MS,
        2,
    )
    managed.house.move("2021-12-02 10:00")
    assert managed.tell("POST", f"/v1/keys/{key_id}/revoke") == revoked
    for act in ("edits", "edits/preview", "rotate"):
        reply = managed.ask("POST", f"/v1/keys/{key_id}/{act}", {})
        assert is_problem(reply, 409, "revoked")


@pytest.mark.parametrize("act", ["", "/edits", "/edits/preview", "/rotate", "/revoke"])
def test_no_such_key_is_answered_alike_whatever_the_id(shared: Managed, act: str) -> None:
    ids = [UNKNOWN, "x", "key_", UNKNOWN + "0", UNKNOWN.upper(), "acct_" + "0" * 24, "%00", "é"]
    replies = [
        shared.ask("POST" if act else "GET", f"/v1/keys/{key_id}{act}", {} if act else None)
        for key_id in ids
    ]
    for reply in replies:
        assert is_problem(reply, 404, "not_found")
    bodies = [{**reply.json(), "request_id": ""} for reply in replies]
    assert all(body == bodies[0] for body in bodies)


def test_hmac_secrets_wait_for_their_sealing_key_and_public_keys_do_not(tmp_path: Path) -> None:
    whole = Managed.open(tmp_path)
    target = f"/v1/accounts/{whole.account()}/keys"
    whole.house.close()
    whole.house.worker.settings.sealing_key_path.unlink()

    sealed = Managed.open(tmp_path)
    reply = sealed.ask("POST", target, {"label": "x", "key_type": "hmac"})
    assert is_problem(reply, 503, "sealed")
    public_key = signers.public_key(KeyType.ED25519)
    given = {"label": "x", "key_type": "ed25519", "public_key": public_key}
    assert sealed.ask("POST", target, given).status == 201
    sealed.house.close()
