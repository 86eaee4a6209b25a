"""Uses are noted without a store, written down in batches, and lost rather than waited for."""

import threading
from functools import partial

import pytest

from tenure.domain.decide import Allowed
from tenure.domain.errors import NotFound, Unavailable
from tenure.domain.events import Tag
from tenure.domain.model import ApiKey, Permission
from tenure.domain.usage import Caution, Use
from tenure.services import usage
from tenure.services.usage import NOTED_MAX, Usage, Uses
from tenure.store import seals
from tests.builders import DAY_MS, FUTURES, HOME, TRADING, a_key, an_address, load
from tests.services.parts import Parts

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

ELSEWHERE = "198.51.100.20"


def allowed(key: ApiKey, permission: Permission = TRADING) -> Allowed:
    return Allowed(key.account_id, key.key_id, permission, None, None, load(key))


def note(parts: Parts, key: ApiKey, address: str = HOME) -> None:
    """Note a use now."""
    parts.uses.note(allowed(key), an_address(address), parts.clock.now)


def seen(parts: Parts, after: int) -> list[object]:
    """Return the addresses the journal tells of."""
    found = [event.change for event in parts.events(after)]
    assert {change.tag for change in found} <= {Tag.KEY_ADDRESS_SEEN}
    return [change.body["address"] for change in found]


def test_what_the_decider_allows_is_noted_and_what_it_refuses_is_not(parts: Parts) -> None:
    used, refused = parts.issue(TRADING), parts.issue()
    assert parts.ask(used) is None
    assert parts.ask(refused) is not None

    assert parts.usage.flush() == 1

    known = parts.usage.of_key(used.key_id)
    assert known is not None
    assert (known.last_used_at_ms, known.last_address) == (parts.clock.now, HOME)
    assert known.last_permission == TRADING
    assert parts.usage.of_key(refused.key_id) is None


def test_nothing_is_written_before_a_flush_and_nothing_twice(parts: Parts) -> None:
    key = parts.issue(TRADING)
    note(parts, key)
    assert parts.usage.of_key(key.key_id) is None

    assert (parts.usage.flush(), parts.usage.flush()) == (1, 0)


def test_the_last_use_from_an_address_is_what_is_kept_of_many(parts: Parts) -> None:
    key = parts.issue(TRADING)
    for _ in range(5):
        parts.clock.advance(1)
        note(parts, key)
    note(parts, key, ELSEWHERE)

    assert parts.usage.flush() == 2
    assert parts.usage.last_used([key.key_id])[key.key_id].at_ms == parts.clock.now


def test_a_new_address_of_a_key_in_use_is_an_event_dated_when_it_was_seen(parts: Parts) -> None:
    key = parts.issue(TRADING)
    note(parts, key)
    parts.usage.flush()
    before = parts.journal.head()
    note(parts, key, ELSEWHERE)
    at_ms = parts.clock.now
    parts.clock.advance(4000)

    parts.usage.flush()

    (event,) = parts.events(before)
    assert (event.change.tag, event.change.actor) == (Tag.KEY_ADDRESS_SEEN, "tenure:usage")
    assert (event.change.key_id, event.change.account_id) == (key.key_id, key.account_id)
    assert event.change.happened_at_ms == at_ms
    assert event.change.body == {"address": ELSEWHERE, "permission": TRADING}


def test_the_first_addresses_of_a_key_are_no_events(parts: Parts) -> None:
    key, before = parts.issue(TRADING), parts.journal.head()
    note(parts, key)
    note(parts, key, ELSEWHERE)

    parts.usage.flush()

    assert seen(parts, before) == []


def test_very_many_uses_are_written_in_batches(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "_BATCH", 2)
    made = [parts.issue(TRADING) for _ in range(3)]
    for key in made:
        note(parts, key)
        note(parts, key, ELSEWHERE)
    began = parts.clock.now

    assert parts.usage.flush() == 6

    assert len(parts.usage.last_used([key.key_id for key in made])) == 3
    assert parts.clock.now - began == 2 * 20, "with a pause between them"


def test_a_key_this_store_does_not_have_is_passed_over(parts: Parts) -> None:
    """A keyring may be ahead of a store that was restored."""
    key = parts.issue(TRADING)
    stranger = allowed(key)._replace(key_id="key_of_another_store")  # type: ignore[arg-type]  # an id
    parts.uses.note(stranger, an_address(), parts.clock.now)
    note(parts, key)

    parts.usage.flush()

    assert parts.usage.of_key(key.key_id) is not None


def test_what_cannot_be_written_is_tried_again_unless_later_is_known(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = parts.issue(TRADING), parts.issue(TRADING)
    note(parts, first)
    note(parts, second)

    def fail(_act: object) -> None:
        parts.clock.advance(7)
        note(parts, first)
        raise Unavailable("store")

    with monkeypatch.context() as broken:
        broken.setattr(parts.store, "write", fail)
        with pytest.raises(Unavailable):
            parts.usage.flush()

    assert parts.usage.flush() == 2
    found = parts.usage.last_used([first.key_id, second.key_id])
    assert found[first.key_id].at_ms == parts.clock.now
    assert found[second.key_id].at_ms == parts.clock.now - 7


def test_room_is_bounded_and_what_is_known_goes_on_being_noted(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "NOTED_MAX", 1)
    key, other = parts.issue(TRADING), parts.issue(TRADING)
    note(parts, key)
    note(parts, other)
    parts.clock.advance(1)
    note(parts, key)
    parts.uses.give_back([Use(other.key_id, HOME, TRADING, 1)])

    taken = parts.uses.take()

    assert [(use.key_id, use.used_at_ms) for use in taken] == [(key.key_id, parts.clock.now)]
    assert NOTED_MAX > 1


def test_notes_and_flushes_at_once_break_nothing() -> None:
    """A note may be lost to a flush at that very moment; nothing else may happen."""
    uses, stop, taken = Uses(), threading.Event(), 0
    use = allowed(a_key(TRADING))

    def note_on() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            uses.note(use, an_address(f"203.0.{number % 200}.7"), number)

    noting = threading.Thread(target=note_on)
    noting.start()
    while taken < 5_000:
        taken += len(uses.take())
    stop.set()
    noting.join()
    assert len(uses.take()) <= 200


def test_since_when_use_is_noted_is_remembered_for_good(parts: Parts) -> None:
    assert parts.usage.unused(30).noted_since_ms is None
    began = parts.clock.now
    parts.usage.begin()
    parts.clock.advance(DAY_MS)
    parts.usage.begin()

    assert parts.usage.unused(30).noted_since_ms == began
    assert parts.store.read(partial(seals.mark, name="usage_since_ms")) == str(began)


def test_unused_keys_are_listed_and_it_is_said_whether_that_can_be_believed(parts: Parts) -> None:
    used, unused = parts.issue(TRADING), parts.issue(TRADING)
    parts.usage.begin()
    parts.clock.advance(10 * DAY_MS)
    young = parts.issue(TRADING)
    note(parts, used)
    parts.usage.flush()

    found = parts.usage.unused(10)
    assert [key.key_id for key in found.keys] == []
    parts.clock.advance(1)
    found = parts.usage.unused(10)
    assert [key.key_id for key in found.keys] == [unused.key_id]
    assert found.is_conclusive
    assert not parts.usage.unused(11).is_conclusive
    assert young.key_id not in {key.key_id for key in parts.usage.unused(1).keys}


def test_a_suggestion_keeps_to_the_entries_a_key_may_have(parts: Parts) -> None:
    key = parts.issue(TRADING)
    for address in ("203.0.113.1", "203.0.113.2", "203.0.113.3", "192.0.2.1"):
        note(parts, key, address)
    parts.usage.flush()

    found = parts.usage.suggest(key.key_id, 30)

    assert found.entries == ("192.0.2.1", "203.0.113.0/24")
    assert Caution.FEW_DAYS in found.cautions


def test_a_key_nobody_knows_has_no_use(parts: Parts) -> None:
    with pytest.raises(NotFound):
        parts.usage.of_key("key_nobody")
    with pytest.raises(NotFound):
        parts.usage.suggest("key_nobody", 30)


def test_a_second_worker_writes_beside_the_first(parts: Parts) -> None:
    """Each notes for itself; what is known is the sum."""
    key = parts.issue(TRADING)
    beside = Uses()
    other = Usage(parts.store, parts.clock, beside, addresses_per_key=3)
    beside.note(allowed(key, FUTURES), an_address(ELSEWHERE), parts.clock.now - 50)
    note(parts, key)

    parts.usage.flush()
    other.flush()

    known = parts.usage.of_key(key.key_id)
    assert known is not None
    assert (known.last_used_at_ms, known.last_permission) == (parts.clock.now, TRADING)
    assert known.first_used_at_ms == parts.clock.now - 50
    assert {item.address for item in known.addresses} == {HOME, ELSEWHERE}
