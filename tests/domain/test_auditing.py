"""An audit names the first event that is not as it was recorded, and what is wrong with it."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tenure.domain import events, lines, merkle
from tenure.domain.auditing import Audit, Flaw
from tenure.domain.checkpoints import Checkpoint
from tenure.domain.lines import Record


def chained(bodies: Sequence[str], *, begin: Sequence[Record] = ()) -> list[Record]:
    """Return a journal of events with *bodies*, after the events of *begin*."""
    found = list(begin)
    for body in bodies:
        unsealed = Record(
            seq=len(found) + 1,
            recorded_at_ms=1_000 + len(found),
            tag="key:edited",
            actor="operator",
            happened_at_ms=1_000,
            account_id="acct_1",
            key_id="key_1",
            body=body,
            previous_hash=found[-1].hash if found else events.GENESIS_HASH,
            hash="",
        )
        found.append(replace(unsealed, hash=lines.digest(unsealed)))
    return found


JOURNAL = chained([f'{{"n":{number}}}' for number in range(20)])


def checkpoint(size: int, journal: Sequence[Record] = JOURNAL) -> Checkpoint:
    frontier = merkle.Frontier()
    for record in journal[:size]:
        frontier.append(merkle.leaf_hash(record.line.encode()))
    return Checkpoint("tenure/test", size, frontier.root())


def flaw_of(journal: Sequence[Record], *signed: Checkpoint) -> Flaw | None:
    audit = Audit(signed)
    for record in journal:
        if flaw := audit.take(record):
            return flaw
    return audit.end()


def test_a_whole_journal_has_no_flaw() -> None:
    audit = Audit([checkpoint(0), checkpoint(7), checkpoint(20)])
    assert [audit.take(record) for record in JOURNAL] == [None] * 20
    assert audit.end() is None
    assert (audit.seq, audit.vouched, audit.head) == (20, 20, JOURNAL[-1].hash)
    assert audit.root == checkpoint(20).root
    assert flaw_of([]) is None


def test_a_checkpoint_vouches_as_far_as_it_goes() -> None:
    audit = Audit([checkpoint(7)])
    for record in JOURNAL:
        audit.take(record)
    assert audit.vouched == 7


@pytest.mark.parametrize("seq", [1, 2, 13, 20])
def test_an_edited_event_is_named(seq: int) -> None:
    edited = replace(JOURNAL[seq - 1], body='{"n":666}')
    flaw = flaw_of([*JOURNAL[: seq - 1], edited, *JOURNAL[seq:]])
    assert flaw == Flaw(seq, "was edited: its hash is not that of what it says")


@pytest.mark.parametrize("seq", [1, 2, 13, 19])
def test_an_event_whose_own_hash_was_redone_is_named_too(seq: int) -> None:
    edited = replace(JOURNAL[seq - 1], body='{"n":666}')
    edited = replace(edited, hash=lines.digest(edited))
    flaw = flaw_of([*JOURNAL[: seq - 1], edited, *JOURNAL[seq:]])
    assert flaw is not None
    assert flaw.seq == seq
    assert f"event {seq + 1} follows on another hash" in flaw.what


@pytest.mark.parametrize("seq", [1, 2, 13, 19])
def test_a_dropped_event_is_named(seq: int) -> None:
    flaw = flaw_of([*JOURNAL[: seq - 1], *JOURNAL[seq:]])
    assert flaw == Flaw(seq, f"is missing: event {seq + 1} stands in its place")


def test_of_two_swapped_events_the_first_is_named() -> None:
    swapped = [*JOURNAL[:4], JOURNAL[9], *JOURNAL[5:9], JOURNAL[4], *JOURNAL[10:]]
    assert flaw_of(swapped) == Flaw(5, "is missing: event 10 stands in its place")


def test_two_events_that_swapped_what_they_say_are_named() -> None:
    first, second = JOURNAL[4], JOURNAL[9]
    swapped = list(JOURNAL)
    swapped[4], swapped[9] = replace(first, body=second.body), replace(second, body=first.body)
    assert flaw_of(swapped) == Flaw(5, "was edited: its hash is not that of what it says")


def test_a_journal_that_begins_in_the_middle_is_none() -> None:
    beginning = replace(JOURNAL[10], seq=1)
    beginning = replace(beginning, hash=lines.digest(beginning))
    assert flaw_of([beginning]) == Flaw(1, "does not begin a journal: it follows on another event")


def test_time_does_not_run_backwards() -> None:
    earlier = replace(chained(['{"n":20}'], begin=JOURNAL)[-1], recorded_at_ms=1)
    earlier = replace(earlier, hash=lines.digest(earlier))
    flaw = flaw_of([*JOURNAL, earlier])
    assert flaw == Flaw(21, "was recorded before the event ahead of it")


def test_a_tail_that_was_cut_off_shows_by_a_checkpoint_alone() -> None:
    assert flaw_of(JOURNAL[:15]) is None
    assert flaw_of(JOURNAL[:15], checkpoint(12)) is None
    assert flaw_of(JOURNAL[:15], checkpoint(12), checkpoint(20)) == Flaw(
        16, "is missing: the journal ends at 15, and 20 events were signed for"
    )


@pytest.mark.parametrize("seq", [1, 8, 12])
def test_a_chain_that_was_redone_shows_by_a_checkpoint_alone(seq: int) -> None:
    bodies = [record.body for record in JOURNAL]
    bodies[seq - 1] = '{"n":666}'
    redone = chained(bodies)

    assert flaw_of(redone) is None
    flaw = flaw_of(redone, checkpoint(7), checkpoint(12), checkpoint(20))

    assert flaw is not None
    assert flaw.seq == (1 if seq <= 7 else 8)
    assert f"up to {7 if seq <= 7 else 12}, or one of them" in flaw.what


def test_between_two_neighbouring_checkpoints_the_very_event_is_named() -> None:
    redone = chained(['{"n":666}'], begin=JOURNAL[:12])
    flaw = flaw_of(redone, checkpoint(12), checkpoint(13))
    assert flaw == Flaw(13, "is not what was signed for: the chain was redone after an edit")


def test_a_wholly_rewritten_log_shows() -> None:
    rewritten = chained(['{"other":"log"}'] * 20)
    flaw = flaw_of(rewritten, checkpoint(20))
    assert flaw is not None
    assert flaw.seq == 1


def test_a_checkpoint_of_an_empty_journal_must_be_of_one() -> None:
    assert flaw_of([], checkpoint(0)) is None
    for journal in ([], JOURNAL):
        assert flaw_of(journal, Checkpoint("tenure/test", 0, b"\0" * 32)) is not None


def test_each_of_a_thousand_flipped_bytes_is_found_in_its_event() -> None:
    chance = random.Random(7)  # noqa: S311 - the same places for everybody
    text = [record.line.encode() for record in JOURNAL]
    for _ in range(1_000):
        at = chance.randrange(len(text))
        position = chance.randrange(len(text[at]))
        flipped = bytearray(text[at])
        flipped[position] ^= 1 << chance.randrange(8)
        found: Flaw | None = None
        audit = Audit()
        for seq, line in enumerate([*text[:at], bytes(flipped), *text[at + 1 :]], start=1):
            try:
                found = audit.take(lines.read(line))
            except ValueError as error:
                found = Flaw(seq, str(error))
            if found is not None:
                break
        assert found is not None, (at, position)
        assert found.seq == at + 1
