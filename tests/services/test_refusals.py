"""Refusals are noted without a store, apart before proof, and written down in batches."""

import threading
from dataclasses import replace

import pytest

from tenure.domain import apikeys, signing
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import NotFound, Unavailable
from tenure.domain.model import ApiKey, KeyType
from tenure.domain.refusals import ELSEWHERE, KEPT_MS, PROVED_KEPT, UNPROVED_KEPT, Refusal
from tenure.domain.signing import SignedRequest
from tenure.services import refusals
from tenure.services.deciding import Decider
from tenure.services.keys import Wanted
from tenure.services.refusals import TurnedAway
from tenure.services.replay import Replays
from tests import signers
from tests.builders import (
    FUTURES,
    HOME,
    MONTH_MS,
    TRADING,
    a_key,
    an_address,
    load,
    the_catalog,
)
from tests.services.parts import Parts

ELSE = "198.51.100.20"
MISSING = Refused(Reason.PERMISSION_MISSING, FUTURES)
WRONG = Refused(Reason.SIGNATURE_INVALID)
UNKNOWN = Refused(Reason.KEY_UNKNOWN)


def note(parts: Parts, key: ApiKey, refused: Refused = MISSING, address: str = HOME) -> None:
    """Note a refusal now."""
    at = an_address(address)
    parts.turned_away.note(refused, load(key), refused.permission, at, parts.clock.now)


def known(parts: Parts, key: ApiKey) -> list[Refusal]:
    """Write down, and read what is known of *key*."""
    parts.refusals.flush()
    return parts.refusals.of_key(key.key_id)


def reasons(parts: Parts, key: ApiKey) -> list[tuple[Reason, str]]:
    return [(row.reason, row.permission) for row in known(parts, key)]


def test_what_the_decider_refuses_is_noted_and_what_it_allows_is_not(parts: Parts) -> None:
    allowed, refused = parts.issue(TRADING), parts.issue()
    assert parts.ask(allowed) is None
    assert parts.ask(refused) is Reason.PERMISSION_MISSING

    (row,) = known(parts, refused)

    assert row.is_proved
    assert (row.reason, row.permission, row.address) == (Reason.PERMISSION_MISSING, TRADING, HOME)
    assert (row.times, row.first_at_ms, row.last_at_ms) == (1, parts.clock.now, parts.clock.now)
    assert known(parts, allowed) == []


def test_the_end_that_refused_and_its_rule_are_noted(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)
    parts.follower.tick()
    ended_ms = parts.clock.now
    parts.clock.advance(5)
    parts.ask(key)

    (row,) = known(parts, key)

    assert (row.reason, row.since_ms, row.rule_id) == (
        Reason.PERMISSION_EXPIRED,
        ended_ms,
        "2021-07-09",
    )


def test_every_reason_after_proof_is_noted_with_the_permission_that_was_asked_for(
    parts: Parts,
) -> None:
    key = parts.issue(TRADING, ip_allowlist=(ELSE,))
    account = key.account_id
    parts.ask(key)
    parts.accounts.set_frozen(account, frozen=True, actor="operator")
    parts.clock.advance(1)
    parts.ask(key)
    parts.accounts.set_frozen(account, frozen=False, actor="operator")
    parts.quarantine.place(key.key_id, "operator", cause="was seen")
    parts.clock.advance(1)
    parts.ask(key)
    parts.keys.revoke(key.key_id, "operator")
    parts.clock.advance(1)
    parts.ask(key)

    assert reasons(parts, key) == [
        (Reason.KEY_REVOKED, TRADING),
        (Reason.KEY_QUARANTINED, TRADING),
        (Reason.ACCOUNT_FROZEN, TRADING),
        (Reason.IP_NOT_ALLOWED, TRADING),
    ]


def test_reading_in_quarantine_is_refused_for_what_stands_against_it_alone(parts: Parts) -> None:
    """What is let through as harmless and then refused for another reason is noted once."""
    key = parts.issue(ip_allowlist=(ELSE,))
    parts.quarantine.place(key.key_id, "operator", cause="was seen")
    parts.ask(key, "reading")

    assert reasons(parts, key) == [(Reason.IP_NOT_ALLOWED, "reading")]


def test_before_proof_what_was_asked_for_is_not_noted(parts: Parts) -> None:
    """Whoever sent it may have asked for anything."""
    key = parts.issue(TRADING)
    parts.ask(key, secret="not its secret at all")

    (row,) = known(parts, key)

    assert not row.is_proved
    assert (row.reason, row.permission, row.address) == (Reason.SIGNATURE_INVALID, "", HOME)


def test_a_late_request_is_noted_as_such(parts: Parts) -> None:
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    sent = f"timestamp={parts.clock.now - 60_001}&signature=00".encode()
    parts.decider.decide_raw(key.api_key, sent, b"", an_address(), TRADING)

    assert reasons(parts, key) == [(Reason.OUTSIDE_RECEIVE_WINDOW, "")]


def test_a_repeat_of_what_may_act_once_is_noted(parts: Parts) -> None:
    key, replays = parts.issue(TRADING), Replays(parts.home, parts.clock)
    decider = Decider(
        parts.keyring,
        parts.clock,
        the_catalog(),
        decoded_retry=True,
        sandbox=False,
        replays=replays,
        turned_away=parts.turned_away,
    )
    query = f"timestamp={parts.clock.now}".encode()
    signature = signers.hmac_sign(parts.secrets[key.key_id].encode(), query).encode()
    sent = query + b"&signature=" + signature
    request = signing.parse(key.api_key, sent, b"", an_address())
    assert isinstance(request, SignedRequest)
    allowed = decider.decide(request, TRADING)
    assert isinstance(allowed, Allowed)

    assert decider.once(request, allowed) is allowed
    assert decider.once(request, allowed) == Refused(Reason.REPLAYED)

    assert reasons(parts, key) == [(Reason.REPLAYED, TRADING)]
    replays.close()


def test_of_a_key_that_does_not_exist_nothing_is_written(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.secrets[key.key_id] = "0" * 64
    unknown = replace(key, api_key=apikeys.compose(b"nobody was ever issued this one!"))
    assert parts.ask(unknown) is Reason.KEY_UNKNOWN

    assert parts.refusals.flush() == 0
    assert known(parts, key) == []


def test_an_unknown_key_takes_the_same_steps_as_a_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the time taken would tell which keys exist (SECURITY T6)."""
    steps: list[object] = []
    look = refusals.Room.cell

    def cell(room: refusals.Room, *given: object) -> object:
        steps.append(room)
        return look(room, *given)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(refusals.Room, "cell", cell)
    turned_away, key = TurnedAway(), a_key(TRADING)
    turned_away.note(WRONG, load(key), TRADING, an_address(), 1)
    turned_away.note(UNKNOWN, None, TRADING, an_address(), 1)

    assert len(steps) == 2
    assert steps[0] is steps[1]
    assert [row.key_id for row in turned_away.take()] == [key.key_id]


def test_a_stranger_fills_a_few_places_of_one_key_and_is_counted_on(parts: Parts) -> None:
    key, other = parts.issue(), parts.issue()
    for number in range(500):
        note(parts, key, WRONG, f"198.51.100.{number % 256}")
    note(parts, key)
    note(parts, other, WRONG)

    rows = known(parts, key)

    assert len(rows) == UNPROVED_KEPT + 2
    assert sum(row.times for row in rows if row.reason is Reason.SIGNATURE_INVALID) == 500
    assert [row.times for row in rows if row.reason is Reason.PERMISSION_MISSING] == [1]
    assert [row.times for row in known(parts, other)] == [1]


def test_a_holder_with_very_many_addresses_is_bounded_too(parts: Parts) -> None:
    key = parts.issue()
    for number in range(200):
        note(parts, key, Refused(Reason.IP_NOT_ALLOWED), f"198.51.100.{number}")

    taken = parts.turned_away.take()

    assert len(taken) == PROVED_KEPT + 1
    (summed,) = (row for row in taken if row.address == ELSEWHERE)
    assert summed.times == 200 - PROVED_KEPT


def test_one_room_that_is_full_leaves_the_other_alone(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "NOTED_MAX", 2)
    made = [parts.issue() for _ in range(3)]
    for key in made:
        note(parts, key, WRONG)
    for key in made[1:]:
        note(parts, key)

    assert [[row.reason for row in known(parts, key)] for key in made] == [
        [Reason.SIGNATURE_INVALID],
        [Reason.PERMISSION_MISSING, Reason.SIGNATURE_INVALID],
        [Reason.PERMISSION_MISSING],
    ]


def test_very_many_are_written_in_batches(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "_BATCH", 2)
    made = [parts.issue() for _ in range(3)]
    for key in made:
        note(parts, key)
        note(parts, key, WRONG)
    began = parts.clock.now

    assert parts.refusals.flush() == 6

    assert all(len(parts.refusals.of_key(key.key_id)) == 2 for key in made)
    assert parts.clock.now - began == 2 * 20, "with a pause between them"


def test_a_key_this_store_does_not_have_is_passed_over(parts: Parts) -> None:
    """A keyring may be ahead of a store that was restored."""
    key = parts.issue()
    note(parts, replace(key, key_id="key_of_another_store"))  # type: ignore[arg-type]  # an id
    note(parts, key)

    assert len(known(parts, key)) == 1


def test_what_cannot_be_written_is_tried_again_and_added_to_what_came_meanwhile(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = parts.issue()
    early = parts.clock.now
    note(parts, key)
    note(parts, key, WRONG)

    def fail(_act: object) -> None:
        parts.clock.advance(7)
        note(parts, key, Refused(Reason.PERMISSION_MISSING, FUTURES, at_ms=3))
        raise Unavailable("store")

    with monkeypatch.context() as broken:
        broken.setattr(parts.store, "write", fail)
        with pytest.raises(Unavailable):
            parts.refusals.flush()

    missing, wrong = known(parts, key)
    assert (missing.times, missing.first_at_ms, missing.last_at_ms) == (2, early, early + 7)
    assert missing.since_ms == 3
    assert (wrong.times, wrong.last_at_ms) == (1, early)


def test_what_is_given_back_finds_no_more_room_than_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refusals, "NOTED_MAX", 1)
    turned_away, first, second = TurnedAway(), a_key(number=1), a_key(number=2)
    for key in (first, second):
        turned_away.note(MISSING, load(key), FUTURES, an_address(), 5)
    taken = turned_away.take()
    turned_away.note(MISSING, load(second), FUTURES, an_address(), 9)

    turned_away.give_back(taken)

    assert [row.key_id for row in taken] == [first.key_id]
    assert [row.key_id for row in turned_away.take()] == [second.key_id]


def test_a_quarter_later_nobody_is_shown_it(parts: Parts) -> None:
    key = parts.issue()
    note(parts, key)
    parts.refusals.flush()
    parts.clock.advance(KEPT_MS - 1)
    assert len(parts.refusals.of_key(key.key_id)) == 1

    parts.clock.advance(1)
    assert parts.refusals.of_key(key.key_id) == []


def test_an_account_sees_what_its_keys_were_refused_the_last_refused_first(parts: Parts) -> None:
    account = parts.account()
    old, first, _, last = (parts.issue(account=account) for _ in range(4))
    note(parts, old)
    parts.refusals.flush()
    parts.clock.advance(KEPT_MS)
    for key in (first, parts.issue(), last, first, last):
        parts.clock.advance(1)
        note(parts, key, address=HOME if key is first else ELSE)
    parts.refusals.flush()

    found = parts.refusals.of_account(account.account_id)

    assert list(found) == [last.key_id, first.key_id]
    assert found[last.key_id] == parts.refusals.of_key(last.key_id)
    assert [row.times for row in found[first.key_id]] == [2]
    with pytest.raises(NotFound):
        parts.refusals.of_account("acct_nobody")


def test_a_key_nobody_knows_was_refused_nothing(parts: Parts) -> None:
    with pytest.raises(NotFound):
        parts.refusals.of_key("key_nobody")


def test_a_mistake_at_an_address_the_key_is_used_from_counts_as_the_holders(parts: Parts) -> None:
    key = parts.issue(TRADING)
    assert parts.ask(key) is None
    parts.usage.flush()
    note(parts, key, WRONG)
    parts.refusals.flush()
    parts.edit(key, Wanted(label="renamed"))
    for number in range(3):
        for each in range(UNPROVED_KEPT):
            parts.clock.advance(1)
            note(parts, key, WRONG, f"198.51.{number}.{each}")
        parts.refusals.flush()

    assert HOME in {row.address for row in parts.refusals.of_key(key.key_id)}


def test_notes_and_flushes_at_once_break_nothing() -> None:
    """A note may be lost to a flush at that very moment; nothing else may happen."""
    turned_away, stop, taken = TurnedAway(), threading.Event(), 0
    loaded = load(a_key())

    def note_on() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            at = an_address(f"203.0.{number % 40}.7")
            turned_away.note(MISSING, loaded, FUTURES, at, number)

    noting = threading.Thread(target=note_on)
    noting.start()
    while taken < 5_000:
        taken += sum(row.times for row in turned_away.take())
    stop.set()
    noting.join()
    assert len(turned_away.take()) <= 40
