"""Acting once: what is sent again under its Idempotency-Key changes nothing again (I6, BI-46)."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tenure.services.acts import KEPT_MS, Acts
from tests.faces.http.managed import OPERATOR_TOKEN, TRADING, Managed, an_email, is_problem
from tests.faces.http.owning import Cast
from tests.house import Reply

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

BEARER = f"Bearer {OPERATOR_TOKEN}"


def ask(
    managed: Managed, method: str, target: str, given: object = None, key: str = "k-1"
) -> Reply:
    """Ask as an operator, under a key."""
    headers = {"Authorization": BEARER, "Idempotency-Key": key}
    return managed.ask(method, target, given, headers=headers)


def seq(managed: Managed) -> int:
    return managed.house.worker.journal.head()


def issue(managed: Managed, account_id: str, label: str = "bot", key: str = "k-1") -> Reply:
    given = {"label": label, "key_type": "hmac"}
    return ask(managed, "POST", f"/v1/accounts/{account_id}/keys", given, key)


def test_an_issue_that_is_sent_again_makes_no_second_key(managed: Managed) -> None:
    """The repeat names the key, and not its secret."""
    account_id = managed.account()
    first, known = issue(managed, account_id), seq(managed)
    assert first.status == 201

    for _ in range(2):
        again = issue(managed, account_id)
        assert is_problem(again, 409, "repeated")
        told = again.json()
        assert (told["seq"], told["account_id"]) == (known, account_id)
        assert told["key_id"] == first.json()["key_id"]
        assert first.json()["secret_key"] not in again.body.decode()

    assert seq(managed) == known
    assert len(managed.tell("GET", f"/v1/accounts/{account_id}/keys")["keys"]) == 1


def test_no_answer_is_kept(managed: Managed) -> None:
    account_id = managed.account()
    secret = issue(managed, account_id).json()["secret_key"]
    path = managed.house.worker.settings.home / "tenure.db"
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT * FROM acts").fetchall()
    assert len(rows) == 1
    assert secret not in repr(rows)
    assert "k-1" not in repr(rows), "a caller may put anything there"


def test_an_act_is_known_before_anything_else_is_wrong_with_it(managed: Managed) -> None:
    """The e-mail is taken, by this very request."""
    given = {"email": an_email(), "kind": "normal"}
    assert ask(managed, "POST", "/v1/accounts", given).status == 201
    assert is_problem(ask(managed, "POST", "/v1/accounts", given), 409, "repeated")
    assert is_problem(managed.ask("POST", "/v1/accounts", given), 409, "exists")


@pytest.mark.parametrize("other", ["body", "path", "method"])
def test_the_same_key_for_another_request_is_refused(managed: Managed, other: str) -> None:
    """BI-46."""
    account_id, somebody = managed.account(), managed.account()
    issue(managed, account_id)
    known = seq(managed)
    keys, given = f"/v1/accounts/{account_id}/keys", {"label": "bot", "key_type": "hmac"}
    method, target, body = {
        "body": ("POST", keys, {**given, "label": "other"}),
        "path": ("POST", f"/v1/accounts/{somebody}/keys", given),
        "method": ("DELETE", f"/v1/accounts/{account_id}/contacts/ctc_{account_id[5:]}", None),
    }[other]

    reply = ask(managed, method, target, body)

    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == ["Idempotency-Key"]
    assert seq(managed) == known


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "a\tb"])
def test_a_key_that_will_not_do_is_refused(managed: Managed, key: str) -> None:
    known = seq(managed)
    reply = ask(managed, "POST", "/v1/accounts", {"email": an_email(), "kind": "normal"}, key)
    assert is_problem(reply, 422, "invalid")
    assert seq(managed) == known


def test_two_keys_are_refused(managed: Managed) -> None:
    headers = [("Authorization", BEARER), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    given = {"email": an_email(), "kind": "normal"}
    reply = managed.ask("POST", "/v1/accounts", given, headers=headers)
    assert is_problem(reply, 422, "invalid")


def test_a_request_that_was_refused_may_be_sent_again(managed: Managed) -> None:
    account_id = managed.account()
    refused = issue(managed, account_id, label="")
    assert refused.status == 422
    assert issue(managed, account_id).status == 201, "also when it was put right"


def test_what_changed_nothing_is_done_again(managed: Managed) -> None:
    account_id = managed.account()
    target = f"/v1/accounts/{account_id}/unfreeze"
    assert [ask(managed, "POST", target).status for _ in range(2)] == [200, 200]


def test_reading_takes_no_notice_of_it(managed: Managed) -> None:
    account_id = managed.account()
    issue(managed, account_id)
    assert ask(managed, "GET", f"/v1/accounts/{account_id}").status == 200
    assert ask(managed, "GET", "/v1/accounts").status == 200


@pytest.mark.parametrize(
    ("method", "target", "given"),
    [
        ("PUT", "/sandbox/clock", {"advance_ms": 1}),
        ("POST", "/v1/leaks", {"reports": [{"api_key": "nobody's"}]}),
        ("POST", "/v1/revocations/preview", {"label": "bot"}),
    ],
)
def test_where_nothing_is_recorded_a_key_is_refused(
    managed: Managed, method: str, target: str, given: object
) -> None:
    """It could not keep what it promises."""
    reply = ask(managed, method, target, given)
    assert is_problem(reply, 422, "invalid")
    assert [item["field"] for item in reply.json()["problems"]] == ["Idempotency-Key"]
    assert managed.ask(method, target, given).status == 200


def test_callers_do_not_meet_in_a_key(managed: Managed) -> None:
    account_id = managed.account()
    key = managed.house.issue(account_id, TRADING)
    other = managed.house.issue(account_id)
    cast = Cast(managed=managed, accounts={"normal": account_id}, keys={"normal": key})
    target = f"/v1/keys/{other.key_id}/quarantine"
    given: dict[str, Any] = {"cause": "was seen"}
    assert ask(managed, "POST", f"/v1/accounts/{account_id}/freeze").status == 200
    assert managed.ask("POST", f"/v1/accounts/{account_id}/unfreeze").status == 200
    assert cast.ask("normal", "POST", target, given, **{"Idempotency-Key": "k-1"}).status == 200
    again = cast.ask("normal", "POST", target, given, **{"Idempotency-Key": "k-1"})
    assert is_problem(again, 409, "repeated")
    assert again.json()["key_id"] == other.key_id


def test_at_once_it_is_done_once(managed: Managed) -> None:
    account_id, known = managed.account(), seq(managed)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: issue(managed, account_id), range(8)))
    assert sorted(reply.status for reply in replies) == [201, *([409] * 7)]
    assert seq(managed) == known + 1


@pytest.mark.parametrize("what", ["an account", "the last key there may be"])
def test_whoever_comes_second_hears_that_it_is_a_repeat(managed: Managed, what: str) -> None:
    """And not that things are no longer as he thought."""
    if what == "an account":
        target, given = "/v1/accounts", {"email": an_email(), "kind": "normal"}
    else:
        account_id = managed.account()
        while len(managed.tell("GET", f"/v1/accounts/{account_id}/keys")["keys"]) < 29:
            managed.key(account_id)
        target, given = f"/v1/accounts/{account_id}/keys", {"label": "bot", "key_type": "hmac"}
    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(lambda _: ask(managed, "POST", target, given), range(6)))
    assert sorted(reply.status for reply in replies) == [201, *([409] * 5)]
    assert {reply.json()["code"] for reply in replies if reply.status == 409} == {"repeated"}


def test_after_a_week_it_is_forgotten(managed: Managed) -> None:
    account_id = managed.account()
    issue(managed, account_id)
    worker = managed.house.worker
    acts = Acts(worker.store, worker.clock)
    managed.house.move(worker.clock.now_ms() + KEPT_MS)
    assert not acts.step()
    assert is_problem(issue(managed, account_id), 409, "repeated")
    managed.house.move(worker.clock.now_ms() + 1)
    assert not acts.step()
    assert issue(managed, account_id).status == 201
