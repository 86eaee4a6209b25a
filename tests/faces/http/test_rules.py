"""The routes of the rulebook and the catalog."""

from pathlib import Path
from typing import Any

import pytest

from tenure.domain.rules import rule_state
from tests.builders import the_catalog, the_rulebook
from tests.faces.http.managed import Managed, is_problem

NO_FUTURES = """
[[rule]]
id = "no-futures"
title = "Futures need trusted IPs"
source = "a notice"
effective_from = 2022-01-01T00:00:00Z
permissions = ["futures"]
unrestricted = "not_allowed"
"""
WITHDRAW = "/v1/rules/no-futures/withdraw"


def schedule(managed: Managed, text: str = NO_FUTURES) -> Any:  # noqa: ANN401 - JSON
    """Preview the rules in *text* and schedule them."""
    stamp = managed.tell("POST", "/v1/rules/preview", {"rulebook": text})["stamp"]
    return managed.tell("POST", "/v1/rules", {"rulebook": text, "stamp": stamp})


def test_every_rule_is_shown_as_it_is_stored(shared: Managed) -> None:
    shown = shared.tell("GET", "/v1/rules")["rules"]
    assert shown == [{**rule_state(rule), "withdrawn_at_ms": None} for rule in the_rulebook().rules]
    assert shown[0]["unrestricted"] == 2_592_000_000
    assert shown[1]["unrestricted"] == "not_allowed"


def test_the_catalog_is_shown_whole(shared: Managed) -> None:
    shown, known = shared.tell("GET", "/v1/catalog"), the_catalog()
    assert (shown["id"], shown["title"]) == (known.catalog_id, known.title)
    assert [offer["id"] for offer in shown["permissions"]] == list(known.offers)
    assert {(route["method"], route["path"]): route["permission"] for route in shown["routes"]} == (
        known.routes
    )
    fix = next(offer for offer in shown["permissions"] if offer["id"] == "fix_trading")
    assert fix == {
        "id": "fix_trading",
        "label": known.offer("fix_trading").label,
        "wire": known.offer("fix_trading").wire,
        "key_types": ["ed25519"],
        "requires": list(known.offer("fix_trading").requires),
        "warning": known.offer("fix_trading").warning,
        "one_time": known.offer("fix_trading").one_time,
        "kept_in_quarantine": known.offer("fix_trading").kept_in_quarantine,
    }
    kept = {
        (route["method"], route["path"]) for route in shown["routes"] if route["kept_in_quarantine"]
    }
    assert kept == known.kept_in_quarantine


def test_a_preview_tells_by_permission_and_kind_of_account_what_would_happen(
    managed: Managed,
) -> None:
    key = managed.key(permissions=["futures"])

    shown = managed.tell("POST", "/v1/rules/preview", {"rulebook": NO_FUTURES})

    assert [rule["id"] for rule in shown["added"]] == ["no-futures"]
    assert shown["judged_at_ms"] == shown["added"][0]["effective_from_ms"]
    assert (shown["keys"], shown["revoked"], shown["untouched"]) == (1, 0, 0)
    assert (shown["keys_total"], shown["next_after"]) == (1, None)
    assert shown["counts"] == [
        {
            "permission": "futures",
            "account_kind": "normal",
            "held": 1,
            "keeps": 0,
            "term_starts": 0,
            "lost": 1,
            "ended": 0,
            "anyway": 0,
            "examples": {"lost": [key["key_id"]]},
        }
    ]
    assert len(managed.tell("GET", "/v1/rules")["rules"]) == 2


def test_a_preview_goes_on_where_the_last_slice_ended(managed: Managed) -> None:
    made = sorted(managed.key()["key_id"] for _ in range(2))
    given = {"rulebook": NO_FUTURES, "limit": 1}

    first = managed.tell("POST", "/v1/rules/preview", given)
    second = managed.tell("POST", "/v1/rules/preview", {**given, "after": first["next_after"]})

    assert [first["next_after"], second["next_after"]] == made
    assert (first["keys"], second["keys"]) == (1, 1)


def test_a_confirmed_rule_is_scheduled_and_announced_in_the_journal(managed: Managed) -> None:
    (added,) = schedule(managed)["rules"]

    assert managed.tell("GET", "/v1/rules")["rules"][-1] == added
    assert added["withdrawn_at_ms"] is None
    event = managed.tell("GET", "/v1/events")["events"][-1]
    assert (event["tag"], event["actor"]) == ("rule:added", "operator")
    assert event["body"]["rule"]["title"] == added["title"]


@pytest.mark.parametrize(
    ("stamp", "code"), [(None, "confirmation_required"), ("0-0", "stale"), ("x", "stale")]
)
def test_what_was_not_previewed_is_not_scheduled(
    shared: Managed, stamp: str | None, code: str
) -> None:
    reply = shared.ask("POST", "/v1/rules", {"rulebook": NO_FUTURES, "stamp": stamp})

    assert is_problem(reply, 409, code)


@pytest.mark.parametrize("target", ["/v1/rules", "/v1/rules/preview"])
@pytest.mark.parametrize(
    ("text", "field"),
    [
        (NO_FUTURES.replace("2022-", "2021-"), "rule no-futures"),
        (NO_FUTURES.replace("futures", "nothing"), "line 7"),
        (NO_FUTURES.replace("no-futures", "no/futures"), "line 3"),
        ("[[rule]", "line 1"),
    ],
    ids=["back-dated", "not sold", "an id nobody can name", "no TOML"],
)
def test_a_rulebook_that_will_not_do_is_told_line_by_line(
    shared: Managed, target: str, text: str, field: str
) -> None:
    reply = shared.ask("POST", target, {"rulebook": text})

    assert is_problem(reply, 422, "invalid")
    assert [problem["field"] for problem in reply.json()["problems"]] == [field]


def test_a_rule_is_withdrawn_before_its_date_and_not_after(managed: Managed) -> None:
    schedule(managed)

    withdrawn = managed.tell("POST", WITHDRAW)

    assert withdrawn["withdrawn_at_ms"] == managed.house.worker.clock.now_ms()
    assert managed.tell("GET", "/v1/rules")["rules"][-1] == withdrawn
    reply = managed.ask("POST", "/v1/rules/preview", {"rulebook": NO_FUTURES})
    assert is_problem(reply, 409, "rule_withdrawn")
    reply = managed.ask("POST", "/v1/rules/2021-07-09/withdraw")
    assert is_problem(reply, 409, "in_force")


@pytest.mark.parametrize("rule_id", ["nothing", "a%2Fb", "x" * 65, "%00", "-"])
def test_a_rule_nobody_knows_is_not_found(shared: Managed, rule_id: str) -> None:
    assert is_problem(shared.ask("POST", f"/v1/rules/{rule_id}/withdraw"), 404, "not_found")


def test_where_two_people_have_to_agree_the_token_alone_changes_no_rule(tmp_path: Path) -> None:
    """SECURITY BI-49."""
    strict = Managed.open(tmp_path, second_approval="always")
    stamp = strict.tell("POST", "/v1/rules/preview", {"rulebook": NO_FUTURES})["stamp"]
    before = strict.tell("GET", "/v1/rules")

    for target, given in (
        ("/v1/rules", {"rulebook": NO_FUTURES, "stamp": stamp}),
        ("/v1/rules/no-futures/withdraw", None),
    ):
        assert is_problem(strict.ask("POST", target, given), 403, "approval_required")

    assert strict.tell("GET", "/v1/rules") == before
    strict.house.close()
