"""Owners on the management face: how they prove who they are, and what they are told if not."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tenure.domain.model import ApiKey, KeyType
from tests.faces.http.managed import (
    DAY_MS,
    OPERATOR_TOKEN,
    TRADING,
    Managed,
    is_problem,
    send,
)
from tests.faces.http.owning import NOBODY_S, Cast, likeness
from tests.house import Asgi, Reply, ask, one_time_catalog
from tests.native import DIGEST, digest

pytestmark = pytest.mark.slow

GATEWAY = "10.0.0.7"


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """Yield everybody, for tests that leave them as they were."""
    opened = Cast.open(tmp_path_factory.mktemp("cast"), trusted_proxies=(GATEWAY,))
    yield opened
    opened.managed.house.close()


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Cast]:
    """Yield everybody, to do with what one likes."""
    opened = Cast.open(tmp_path)
    yield opened
    opened.managed.house.close()


@pytest.fixture(scope="module")
def nobodys(cast: Cast) -> object:
    """Return what somebody is answered who does not say who he is."""
    return likeness(cast.ask("nobody", "GET", "/v1/accounts"))


def own(cast: Cast, who: str = "normal") -> str:
    return f"/v1/accounts/{cast.accounts[who]}"


def knock(cast: Cast, key: ApiKey, target: str | None = None, **more: Any) -> Reply:  # noqa: ANN401 - any field of a request
    """Read *target*, signed by *key*, or the account of *key*."""
    target = target or f"/v1/accounts/{key.account_id}"
    headers = cast.sign(key, "GET", target, **more)
    return send(cast.managed.app, "GET", target, headers=headers)


@pytest.mark.parametrize("key_type", list(KeyType))
def test_a_key_of_each_type_reads_its_account(cast: Cast, key_type: KeyType) -> None:
    account_id = cast.accounts["normal"]
    key = cast.managed.house.issue(account_id, key_type=key_type)
    assert knock(cast, key).json()["account_id"] == account_id


def test_query_and_escapes_are_signed_as_they_were_sent(cast: Cast) -> None:
    key = cast.keys["normal"]
    assert knock(cast, key, f"{own(cast)}/events?after=0&limit=1").status == 200
    assert knock(cast, key, f"{own(cast)}/events?").status == 200
    assert is_problem(knock(cast, key, f"{own(cast)}/events?after=%2D1"), 422, "invalid")


# Before proof: one answer, that of nobody.


@dataclass(frozen=True)
class Attempt:
    """A request about to be sent; whatever is not named here is right."""

    method: str = "GET"
    target: str = ""
    body: bytes = b""


def attempts(cast: Cast) -> Iterator[tuple[str, Attempt, dict[str, str] | list[tuple[str, str]]]]:
    """Yield requests that prove nothing: why, what is sent, and its headers."""
    key, target = cast.keys["normal"], own(cast)
    right, body = Attempt(target=target), b'{"label": "renamed"}'
    now_s = cast.managed.house.worker.clock.now_ms() // 1000
    signed = cast.sign(key, "GET", target)
    post = Attempt("POST", f"/v1/keys/{key.key_id}/edits/preview", body)
    posted = cast.sign(key, post.method, post.target, body)
    bare = cast.sign(key, post.method, post.target)

    yield "no signature", right, {**signed, "signature": ""}
    other = cast.sign(cast.keys["master"], "GET", target)["signature"]
    yield "another's signature", right, {**signed, "signature": other}
    unknown = key.api_key[:-1] + ("A" if key.api_key[-1] != "A" else "B")
    for why, api_key in (("mistyped", unknown), ("empty", "")):
        changed = signed["signature-input"].replace(key.api_key, api_key)
        yield f"{why} key", right, {**signed, "signature-input": changed}
    yield "too old", right, cast.sign(key, "GET", target, created_s=now_s - 61)
    yield "too new", right, cast.sign(key, "GET", target, created_s=now_s + 1)
    yield "another method", Attempt("POST", f"{target}/freeze"), signed
    yield "another path", Attempt(target=f"{target}/keys"), signed
    yield "another query", Attempt(target=f"{target}?a=1"), signed
    yield "another host", right, {**signed, "host": "tenure.example.org"}
    yield "not all covered", right, cast.sign(key, "GET", target, covered=("@method", "@path"))
    yield "another algorithm", right, cast.sign(key, "GET", target, more={"alg": '"ed25519"'})
    yield "another body", Attempt("POST", post.target, b'{"label": "other"}'), posted
    yield "no body", Attempt("POST", post.target), posted
    yield "a body nobody signed", post, bare
    yield "another digest", post, {**posted, DIGEST: digest(b"")}
    yield "a token too", right, {**signed, "authorization": f"Bearer {OPERATOR_TOKEN}"}
    yield "the other profile too", right, {**signed, "x-mbx-apikey": key.api_key}
    for name in ("signature", "signature-input", "host"):
        yield f"{name} twice", right, [*signed.items(), (name, signed[name])]
    yield "another spelling", right, {**signed, "signature_input": signed["signature-input"]}
    yield "only that", right, {"signature_input": signed["signature-input"]}
    yield "the other profile", right, {"x-mbx-apikey": key.api_key}


def test_before_proof_everybody_is_told_what_nobody_is(cast: Cast, nobodys: object) -> None:
    before = cast.managed.tell("GET", "/v1/events")
    for why, sent, headers in attempts(cast):
        reply = send(cast.managed.app, sent.method, sent.target, headers=headers, body=sent.body)
        assert likeness(reply) == nobodys, why
    assert cast.managed.tell("GET", "/v1/events") == before


def test_a_body_is_not_waited_for_before_proof(cast: Cast, nobodys: object) -> None:
    key, target = cast.keys["normal"], f"/v1/keys/{cast.keys['normal'].key_id}/edits/preview"
    body = b"x" * 300_000
    signed = cast.sign(key, "POST", target, body)
    reply = send(cast.managed.app, "POST", target, headers=signed, body=body)
    assert is_problem(reply, 413, "too_large")
    wrong = {**signed, "signature": cast.sign(key, "POST", target)["signature"]}
    reply = send(cast.managed.app, "POST", target, headers=wrong, body=body)
    assert likeness(reply) == nobodys


# After proof: the exact reason.


def test_a_key_that_may_not_is_told_why(moving: Cast) -> None:
    house, account_id = moving.managed.house, moving.accounts["normal"]
    now_ms = house.worker.clock.now_ms()
    revoked = house.issue(account_id)
    house.worker.keys.revoke(revoked.key_id, "test")
    reply = knock(moving, revoked)
    assert is_problem(reply, 401, "key_revoked")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert (reply.json()["since_ms"], reply.headers["tenure-refusal"]) == (now_ms, "key_revoked")

    elsewhere = house.issue(account_id, ips=("203.0.113.7",))
    reply = knock(moving, elsewhere)
    assert is_problem(reply, 403, "ip_not_allowed")
    assert reply.json()["address"] == reply.headers["tenure-address"] == "198.51.100.9"

    reader = house.issue(account_id)
    target = f"/v1/keys/{reader.key_id}/revoke"
    headers = moving.sign(reader, "POST", target)
    reply = send(moving.managed.app, "POST", target, headers=headers)
    assert is_problem(reply, 403, "permission_missing")
    assert reply.json()["permission"] == TRADING
    assert knock(moving, reader).status == 200

    house.move(now_ms + 30 * DAY_MS)
    headers = moving.sign(moving.keys["normal"], "POST", target)
    reply = send(moving.managed.app, "POST", target, headers=headers)
    assert is_problem(reply, 403, "permission_expired")
    said = reply.json()
    assert (said["ends_at_ms"], said["rule_id"]) == (now_ms + 30 * DAY_MS, "2021-07-09")
    assert reply.headers["tenure-expires-at"] == str(said["ends_at_ms"])


def test_a_frozen_sub_account_does_not_thaw_itself(moving: Cast) -> None:
    sub = own(moving, "sub")
    assert moving.ask("master", "POST", f"{sub}/freeze").json()["frozen_at_ms"] is not None
    for method, target in (("POST", f"{sub}/unfreeze"), ("GET", sub)):
        reply = moving.ask("sub", method, target)
        assert is_problem(reply, 403, "account_frozen")
        assert reply.json()["since_ms"] == moving.managed.house.worker.clock.now_ms()
    assert moving.ask("sibling", "GET", own(moving, "sibling")).status == 200
    assert moving.ask("master", "POST", f"{sub}/unfreeze").json()["frozen_at_ms"] is None
    assert moving.ask("sub", "GET", sub).status == 200


def test_a_frozen_master_freezes_its_whole_tree_and_thaws_none_of_it(moving: Cast) -> None:
    moving.managed.tell("POST", f"{own(moving, 'master')}/freeze")
    for who in ("master", "sub", "sibling"):
        reply = moving.ask(who, "POST", f"{own(moving, 'sub')}/unfreeze")
        assert is_problem(reply, 403, "account_frozen")


def test_a_keyring_that_is_too_old_lets_no_owner_in(
    moving: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = moving.managed.house.worker.keyring
    monkeypatch.setattr(keyring, "_staleness_ns", -1)
    assert is_problem(moving.ask("normal", "GET", own(moving)), 503, "stale")
    assert moving.ask("operator", "GET", own(moving)).status == 200


# An act is an act once.


def test_an_act_that_is_sent_again_is_refused_and_changes_nothing(moving: Cast) -> None:
    """Else whoever saw an unfreeze could undo the freeze that followed it."""
    app, sub = moving.managed.app, own(moving, "sub")
    thaw = moving.sign(moving.keys["master"], "POST", f"{sub}/unfreeze")
    assert send(app, "POST", f"{sub}/unfreeze", headers=thaw).status == 200
    assert moving.ask("master", "POST", f"{sub}/freeze").status == 200
    before = moving.managed.tell("GET", "/v1/events")

    reply = send(app, "POST", f"{sub}/unfreeze", headers=thaw)
    assert is_problem(reply, 401, "replayed")
    assert moving.managed.tell("GET", "/v1/events") == before
    assert moving.managed.tell("GET", sub)["frozen_at_ms"] is not None


def test_an_act_signed_anew_under_the_same_nonce_is_the_same(moving: Cast) -> None:
    key = moving.keys["normal"]
    for status, other in ((200, key), (401, moving.managed.house.issue(key.account_id))):
        target = f"/v1/keys/{other.key_id}/revoke"
        if status == 200:
            target = f"/v1/keys/{moving.managed.house.issue(key.account_id).key_id}/revoke"
        headers = moving.sign(key, "POST", target, nonce="mine")
        assert send(moving.managed.app, "POST", target, headers=headers).status == status


def test_reading_may_be_repeated_and_what_is_refused_spends_nothing(moving: Cast) -> None:
    house, app = moving.managed.house, moving.managed.app
    key, target = moving.keys["normal"], own(moving)
    headers = moving.sign(key, "GET", target)
    assert [send(app, "GET", target, headers=headers).status for _ in range(2)] == [200, 200]

    victim = house.issue(key.account_id)
    target = f"/v1/keys/{victim.key_id}/revoke"
    headers = moving.sign(key, "POST", target)
    house.worker.accounts.set_frozen(key.account_id, frozen=True, actor="test")
    assert is_problem(send(app, "POST", target, headers=headers), 403, "account_frozen")
    moving.thaw()
    assert send(app, "POST", target, headers=headers).json()["status"] == "revoked"


def test_an_act_that_cannot_be_remembered_is_not_done(moving: Cast) -> None:
    victim = moving.managed.house.issue(moving.accounts["normal"])
    moving.managed.house.worker.replays.close()
    reply = moving.ask("normal", "POST", f"/v1/keys/{victim.key_id}/revoke")
    assert is_problem(reply, 503, "replay")
    assert moving.managed.house.worker.keys.get(victim.key_id).revoked_at_ms is None


def test_where_trading_is_one_time_anyway_an_act_is_spent_once(tmp_path: Path) -> None:
    cast = Cast.open(tmp_path / "home", catalog=one_time_catalog(tmp_path, TRADING))
    victim = cast.managed.house.issue(cast.accounts["normal"])
    reply = cast.ask("normal", "POST", f"/v1/keys/{victim.key_id}/revoke")
    assert reply.status == 200
    cast.managed.house.close()


# What is done, and by whom.


def test_the_journal_names_account_and_key(moving: Cast) -> None:
    key, victim = moving.keys["normal"], moving.managed.house.issue(moving.accounts["normal"])
    moving.ask("normal", "POST", f"/v1/keys/{victim.key_id}/revoke")
    event = moving.managed.tell("GET", "/v1/events")["events"][-1]
    assert (event["tag"], event["actor"]) == ("key:revoked", f"{key.account_id}/{key.key_id}")


def test_a_key_may_end_itself_and_is_then_told_so(moving: Cast) -> None:
    key = moving.managed.house.issue(moving.accounts["normal"], TRADING)
    target = f"/v1/keys/{key.key_id}/revoke"
    for status in (200, 401):
        headers = moving.sign(key, "POST", target)
        assert send(moving.managed.app, "POST", target, headers=headers).status == status


def test_a_preview_changes_nothing_and_its_stamp_is_an_operators_to_use(moving: Cast) -> None:
    key_id, edit = moving.keys["sub"].key_id, {"permissions": {"futures": True}}
    before = moving.managed.tell("GET", "/v1/events")
    plan = moving.ask("master", "POST", f"/v1/keys/{key_id}/edits/preview", edit).json()
    assert plan["after"]["permissions"]["futures"]["enabled"]
    assert moving.managed.tell("GET", "/v1/events") == before
    confirmed = {**edit, "stamp": plan["stamp"]}
    reply = moving.ask("master", "POST", f"/v1/keys/{key_id}/edits", confirmed)
    assert is_problem(reply, 403, "forbidden")
    moving.managed.tell("POST", f"/v1/keys/{key_id}/edits", confirmed)


def test_a_master_sees_its_sub_accounts_page_by_page(cast: Cast) -> None:
    whole = cast.ask("master", "GET", f"{own(cast, 'master')}/sub-accounts").json()
    found = [each["account_id"] for each in whole["accounts"]]
    assert found == sorted(cast.accounts[name] for name in ("sub", "sibling"))
    assert whole["next_after"] is None
    page = f"{own(cast, 'master')}/sub-accounts?limit=1"
    first = cast.ask("master", "GET", page).json()
    second = cast.ask("master", "GET", f"{page}&after={first['next_after']}").json()
    assert [each["account_id"] for each in first["accounts"] + second["accounts"]] == found
    assert whole == cast.managed.tell("GET", f"{own(cast, 'master')}/sub-accounts")


@pytest.mark.parametrize("who", ["normal", "sub"])
def test_whoever_is_no_master_has_no_sub_accounts(cast: Cast, who: str) -> None:
    page = cast.ask(who, "GET", f"{own(cast, who)}/sub-accounts").json()
    assert page == {"accounts": [], "next_after": None}


def test_an_account_reads_what_happened_to_it_and_by_whom_as_far_as_it_may(moving: Cast) -> None:
    sub, master = moving.keys["sub"], moving.keys["master"]
    house = moving.managed.house
    by = {"master": house.issue(sub.account_id), "sub": house.issue(sub.account_id)}
    for who, victim in by.items():
        moving.ask(who, "POST", f"/v1/keys/{victim.key_id}/revoke")

    def actors(who: str) -> list[str]:
        events = moving.ask(who, "GET", f"{own(moving, 'sub')}/events").json()["events"]
        assert {event["account_id"] for event in events} == {sub.account_id}
        assert not [event for event in events if event.keys() & {"hash", "previous_hash"}]
        return [event["actor"] for event in events]

    names = [f"{master.account_id}/{master.key_id}", f"{sub.account_id}/{sub.key_id}"]
    assert actors("operator")[-2:] == actors("master")[-2:] == names
    assert actors("sub") == [*actors("operator")[:-2], "master", names[1]]


def test_the_events_of_an_account_come_in_pages_and_by_key(cast: Cast) -> None:
    key = cast.keys["sibling"]
    events = f"{own(cast, 'sibling')}/events"
    whole = cast.ask("sibling", "GET", events).json()
    assert [event["tag"] for event in whole["events"]] == ["account:created", "key:issued"]
    first = cast.ask("sibling", "GET", f"{events}?limit=1").json()
    rest = cast.ask("sibling", "GET", f"{events}?after={first['next_after']}").json()
    assert first["events"] + rest["events"] == whole["events"]
    end = cast.ask("sibling", "GET", f"{events}?after={rest['next_after']}").json()
    assert end == {"events": [], "next_after": rest["next_after"]}

    of_key = cast.ask("sibling", "GET", f"{events}?key_id={key.key_id}").json()["events"]
    assert of_key == whole["events"][1:]
    for other in (cast.keys["master"].key_id, f"key_{NOBODY_S}"):
        found = cast.ask("sibling", "GET", f"{events}?key_id={other}").json()
        assert found == {"events": [], "next_after": 0}


@pytest.mark.parametrize("listing", ["sub-accounts", "events"])
@pytest.mark.parametrize("who", ["operator", "master"])
@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=1001", "limit=1e9", "limit=x", "limit="),
        *("after=forged", "after=-1", "after=%00", "after=1.5", "after=9007199254740992"),
    ],
)
def test_a_forged_cursor_or_limit_of_a_listing_is_refused(
    cast: Cast, who: str, listing: str, query: str
) -> None:
    """BI-48."""
    reply = cast.ask(who, "GET", f"{own(cast, 'master')}/{listing}?{query}")
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == [query.partition("=")[0]]


def test_the_address_that_counts_is_the_one_a_trusted_proxy_names(cast: Cast) -> None:
    key = cast.managed.house.issue(cast.accounts["normal"], ips=("203.0.113.7",))
    target = own(cast)

    def status(peer: str) -> int:
        headers = {**cast.sign(key, "GET", target), "x-forwarded-for": "203.0.113.7"}
        app: Asgi = cast.managed.app  # type: ignore[assignment]  # its own names for these
        return ask(app, "GET", target, headers=headers, peer=peer).status

    assert (status(GATEWAY), status("198.51.100.9")) == (200, 403)


def test_what_owners_are_answered_is_counted(managed: Managed) -> None:
    account_id = managed.account()
    key = managed.house.issue(account_id)
    cast = Cast(managed=managed, accounts={"normal": account_id}, keys={"normal": key})
    before = counted(managed)
    cast.ask("normal", "GET", own(cast))
    cast.ask("normal", "POST", f"/v1/keys/{key.key_id}/revoke")
    knock(cast, key, created_s=1_600_000_000)
    after = counted(managed)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"allowed", "permission_missing", "outside_receive_window"}


def counted(managed: Managed) -> dict[str, str]:
    lines = managed.ask("GET", "/metrics", headers={}).body.decode().splitlines()
    start = 'tenure_decisions_total{face="owners",outcome="'
    return {
        line.removeprefix(start).partition('"')[0]: line.rpartition(" ")[2]
        for line in lines
        if line.startswith(start)
    }
