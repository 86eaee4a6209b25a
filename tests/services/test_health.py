"""Looking over the house: each part of it as it is, and as it looks when it stands still."""

from functools import partial

import pytest

from tenure import settings
from tenure.domain.errors import Unavailable
from tenure.domain.health import Finding, Level, Topic
from tenure.services import logkey
from tenure.services.checkpoints import EVERY_MS, Checkpoints
from tenure.services.health import Checkup
from tenure.services.leaks import Found, Leaks
from tenure.services.outbound.outcome import Failed, Sent
from tenure.services.rereading import Rereading
from tenure.store import checkpoints, holds
from tenure.store.holds import Hold
from tests.builders import DAY_MS, TRADING
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

MINUTE_MS = 60_000


def checkup(parts: Parts, *, is_sealed: bool = False, **more: object) -> Checkup:
    chosen = settings.load(home=parts.home, **more)
    reading = Rereading(parts.store, parts.clock)
    return Checkup(chosen, parts.store, parts.clock, reading.state, is_sealed=is_sealed)


def found(parts: Parts, topic: Topic, **more: object) -> Finding:
    return checkup(parts, **more).look().of(topic)  # type: ignore[arg-type]  # by name


def judged(parts: Parts, topic: Topic, **more: object) -> tuple[str, str]:
    finding = found(parts, topic, **more)
    return str(finding.level), finding.cause


def test_a_house_that_just_began_is_well_but_for_a_place_elsewhere(parts: Parts) -> None:
    look = checkup(parts).look()

    assert [finding.topic for finding in look.findings] == list(Topic)
    assert {finding.topic for finding in look.findings if finding.level is not Level.WELL} == {
        Topic.SENDING,
        Topic.PUSHING,
    }
    assert (look.worst, look.hold, look.looked_at_ms) == (Level.WATCH, None, parts.clock.now)


def test_how_old_the_keyring_is_and_how_far_is_told(parts: Parts) -> None:
    parts.issue(TRADING)
    parts.clock.advance(40)
    facts = found(parts, Topic.DECIDING).facts
    assert facts == {"age_ms": 40, "bound_ms": 5_000, "seq": 4, "head": 4}

    parts.clock.advance(5_000)

    assert judged(parts, Topic.DECIDING) == ("wrong", "stale")
    parts.clock.boot_id += 1
    assert judged(parts, Topic.DECIDING) == ("wrong", "unknown")


def test_the_bound_is_the_one_that_is_set(parts: Parts) -> None:
    parts.clock.advance(4_000)

    assert judged(parts, Topic.DECIDING) == ("watch", "slow")
    assert judged(parts, Topic.DECIDING, staleness_ms=3_000) == ("wrong", "stale")


def test_a_clock_that_is_behind_is_said_to_be(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behind() -> int:
        raise Unavailable("clock")

    monkeypatch.setattr(parts.clock, "now_ms", behind)

    assert judged(parts, Topic.DECIDING) == ("wrong", "clock")


def test_a_store_that_is_held_is_said_to_be(parts: Parts) -> None:
    hold = Hold(restored_at_ms=1, seq=2)
    parts.store.write(partial(holds.place, hold=hold))

    look = checkup(parts).look()

    assert look.hold == hold
    assert (look.of(Topic.DECIDING).cause, look.worst) == ("held", Level.WRONG)


def test_a_sealed_house_is_said_to_be(parts: Parts) -> None:
    assert judged(parts, Topic.SECRETS, is_sealed=True) == ("wrong", "sealed")


def test_ends_that_nobody_records_are_counted_and_dated(parts: Parts) -> None:
    parts.issue(TRADING)
    parts.issue(TRADING)
    parts.clock.advance(30 * DAY_MS + 2 * MINUTE_MS)

    finding = found(parts, Topic.SWEEPING)
    assert (finding.level, finding.cause) == (Level.WRONG, "behind")
    assert finding.facts == {"lag_ms": 2 * MINUTE_MS, "waiting": 2}
    parts.sweep.tick()
    assert judged(parts, Topic.SWEEPING) == ("well", "level")


RELAY = {"smtp_url": "smtp://relay.example:587", "mail_from": "Tenure <tenure@example.com>"}


def test_that_no_relay_is_set_is_said_before_anything_is_late(parts: Parts) -> None:
    teller = Teller(parts)
    parts.keys.revoke(parts.issue(TRADING).key_id, ACTOR)
    teller.notify.tick()

    look = found(parts, Topic.SENDING)

    assert (look.level, look.cause) == (Level.WATCH, "no_relay")
    assert look.facts["waiting"]
    assert judged(parts, Topic.SENDING, **RELAY) == ("well", "under_way")


@pytest.mark.parametrize(
    ("reason", "judgement"),
    [
        ("the relay cannot be reached", ("watch", "trouble")),
        ("the address was refused: 450 4.2.1", ("well", "under_way")),
    ],
)
def test_a_relay_that_takes_nothing_is_told_with_the_first_failure(
    parts: Parts, reason: str, judgement: tuple[str, str]
) -> None:
    teller = Teller(parts)
    teller.mail.answer = lambda _: Failed(reason=reason)
    parts.keys.revoke(parts.issue(TRADING).key_id, ACTOR)
    teller.tick()

    assert judged(parts, Topic.SENDING, **RELAY) == judgement
    if judgement[0] == "watch":
        assert found(parts, Topic.SENDING, **RELAY).facts["trouble"] == reason

    teller.mail.answer = lambda _: Sent()
    parts.clock.advance(DAY_MS)
    teller.tick()
    assert judged(parts, Topic.SENDING, **RELAY) == ("well", "none")


def test_reports_that_nobody_works_off_are_dated(parts: Parts) -> None:
    key = parts.issue(TRADING)
    chosen = settings.load(home=parts.home)
    leaks = Leaks.of(chosen, parts.store, parts.clock, lambda _seq: None)
    leaks.receive([Found(api_key=key.api_key)], "github")

    assert judged(parts, Topic.LEAKS) == ("well", "under_way")
    parts.clock.advance(MINUTE_MS + 1)
    assert judged(parts, Topic.LEAKS) == ("wrong", "behind")
    leaks.tick()
    assert judged(parts, Topic.LEAKS) == ("well", "none")


def test_checkpoints_are_missed_when_they_do_not_come(parts: Parts) -> None:
    logkey.prepare(parts.store, parts.home, parts.clock)
    log = Checkpoints(parts.store, parts.home, parts.clock)
    assert judged(parts, Topic.SIGNING) == ("well", "first")
    log.step()
    assert judged(parts, Topic.SIGNING) == ("well", "signed")
    parts.clock.advance(EVERY_MS)
    parts.account()
    parts.clock.advance(10 * MINUTE_MS)
    assert judged(parts, Topic.SIGNING) == ("well", "signed")
    parts.clock.advance(1)

    assert judged(parts, Topic.SIGNING) == ("wrong", "behind")
    assert found(parts, Topic.SIGNING).facts["unsigned_ms"] == 10 * MINUTE_MS + 1
    log.step()
    assert judged(parts, Topic.SIGNING) == ("well", "signed")


def test_checkpoints_that_nobody_takes_are_missed_though_new_ones_are_signed(parts: Parts) -> None:
    logkey.prepare(parts.store, parts.home, parts.clock)
    log = Checkpoints(parts.store, parts.home, parts.clock)
    place = {"checkpoint_url": "https://elsewhere.example"}
    log.step()
    assert judged(parts, Topic.PUSHING, **place) == ("well", "first")
    parts.store.write(partial(checkpoints.mark_pushed, size=2, now_ms=parts.clock.now))
    assert judged(parts, Topic.PUSHING, **place) == ("well", "pushed")
    for _ in range(12):
        parts.clock.advance(EVERY_MS)
        parts.account()
        log.step()

    finding = found(parts, Topic.PUSHING, **place)

    assert (finding.level, finding.cause) == (Level.WRONG, "behind")
    assert finding.facts["unpushed_ms"] == 11 * EVERY_MS
    assert finding.facts["size"] == 2
    assert judged(parts, Topic.PUSHING) == ("watch", "nowhere")


def test_how_far_the_journal_was_read_again_is_told(parts: Parts) -> None:
    assert judged(parts, Topic.READING) == ("well", "first")
    Rereading(parts.store, parts.clock).step()
    assert judged(parts, Topic.READING) == ("well", "whole")
    assert found(parts, Topic.READING).facts["whole_seq"] == 2
    parts.clock.advance(3 * DAY_MS)
    assert judged(parts, Topic.READING) == ("watch", "behind")
