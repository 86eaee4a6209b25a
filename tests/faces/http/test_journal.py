"""The route of the journal."""

import pytest

from tenure.domain import events
from tests.faces.http.managed import Managed, is_problem


def test_the_journal_is_read_in_order_and_in_pages_that_miss_none(managed: Managed) -> None:
    for _ in range(5):
        managed.account()
    whole = managed.tell("GET", "/v1/events")["events"]
    assert [event["seq"] for event in whole] == list(range(1, len(whole) + 1))

    after, found = 0, []
    while page := managed.tell("GET", f"/v1/events?after={after}&limit=2"):
        if not page["events"]:
            break
        found += page["events"]
        after = page["next_after"]
    assert found == whole
    assert page == {"events": [], "next_after": len(whole)}


def test_each_event_holds_the_hash_of_the_one_before(managed: Managed) -> None:
    managed.key()
    previous = events.GENESIS_HASH
    for event in managed.tell("GET", "/v1/events")["events"]:
        change = events.Change(
            tag=events.Tag(event["tag"]),
            actor=event["actor"],
            happened_at_ms=event["happened_at_ms"],
            body=event["body"],
            account_id=event["account_id"],
            key_id=event["key_id"],
        )
        assert event["previous_hash"] == previous
        previous = events.digest(
            change,
            seq=event["seq"],
            recorded_at_ms=event["recorded_at_ms"],
            previous_hash=previous,
        )
        assert event["hash"] == previous


@pytest.mark.parametrize(
    "query",
    [
        *("after=-1", "after=x", "after=9007199254740992", "after=9" * 40, "after=1_0", "after="),
        *("limit=0", "limit=-1", "limit=1001", "limit=1e9", "limit=%00"),
    ],
)
def test_a_forged_cursor_or_limit_is_refused(shared: Managed, query: str) -> None:
    assert is_problem(shared.ask("GET", f"/v1/events?{query}"), 422, "invalid")
