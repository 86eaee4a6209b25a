"""Leak reports: queued at once, acted on once each; and proof of possession by whoever has it."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tenure import settings
from tenure.domain import apikeys, leaks, verifying
from tenure.domain.decide import Reason
from tenure.domain.errors import Conflict, Unavailable
from tenure.domain.leaks import Actions, LeakAction
from tenure.domain.model import ApiKey, KeyStatus, KeyType
from tenure.services import leaks as module
from tenure.services.leaks import ACTOR, HOLDER, Found, Leaks, Possession
from tenure.services.quarantine import Quarantine
from tenure.store import journal
from tests import signers
from tests.builders import DAY_MS, MONTH_MS, TRADING
from tests.fakes import FakeClock
from tests.services import parts as building
from tests.services.parts import Parts
from tests.together import together

URL = "https://code.example/a/b.py"
UNKNOWN = apikeys.compose(b"nobody was ever issued this one!")


class Cells:
    """A quarantine that remembers who was placed in it, and may refuse."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.placed = parts, list[tuple[str, str, str]]()
        self.refusal: Exception | None = None

    def place(self, key_id: str, actor: str, *, cause: str) -> ApiKey:
        """Remember, or refuse."""
        if self.refusal is not None:
            raise self.refusal
        self.placed.append((key_id, actor, cause))
        return self.parts.keys.get(key_id)


def leaks_of(parts: Parts, actions: Actions | None = None, cells: Cells | None = None) -> Leaks:
    return Leaks(
        *(parts.store, parts.clock, actions or Actions(), parts.follower.catch_up),
        cells or Quarantine(parts.store, parts.clock, parts.follower.catch_up),
    )


def found(key: ApiKey, url: str = URL, **more: Any) -> Found:  # noqa: ANN401 - a report's parts
    return Found(**{"api_key": key.api_key, "url": url, "source": "commit", **more})


def reported(parts: Parts) -> list[Any]:
    """Return the bodies of the events that record reports."""
    return [event.change.body for event in parts.events() if event.change.tag == "key:reported"]


def test_a_reported_key_is_revoked_shortly_and_for_good(parts: Parts) -> None:
    key = parts.issue(TRADING)
    taken = leaks_of(parts)
    begun = parts.journal.head()

    assert taken.receive([found(key, found_at_ms=5)], "github") == [True]
    assert parts.ask(key) is None, "queued, and answered at once"
    taken.tick()
    parts.follower.tick()

    assert parts.ask(key) is Reason.KEY_REVOKED
    assert parts.tags(begun) == ["key:revoked", "key:reported"]
    event = parts.events()[-1]
    assert event.change.actor == ACTOR
    assert event.change.happened_at_ms == parts.clock.now
    assert (event.change.key_id, event.change.account_id) == (key.key_id, key.account_id)
    assert event.change.body == {
        "action": "revoke",
        "reports": 1,
        "places": [{"reporter": "github", "url": URL, "source": "commit", "found_at_ms": 5}],
    }


def test_the_same_report_again_has_no_second_effect(parts: Parts) -> None:
    """BI-47, also where the first one did not end the key."""
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    taken = leaks_of(parts)
    for _ in range(3):
        assert taken.receive([found(key)], "github") == [True]
        taken.tick()

    assert len(reported(parts)) == 1
    assert parts.keys.get(key.key_id).status is KeyStatus.ACTIVE


def test_another_place_is_told_as_well(parts: Parts) -> None:
    key = parts.issue(TRADING, key_type=KeyType.RSA)
    taken = leaks_of(parts)
    for url in (URL, f"{URL}#other"):
        taken.receive([found(key, url)], "github")
        taken.tick()

    assert [body["places"][0]["url"] for body in reported(parts)] == [URL, f"{URL}#other"]


def test_all_that_came_about_one_key_is_one_event(parts: Parts) -> None:
    key = parts.issue(TRADING)
    taken = leaks_of(parts)
    taken.receive([found(key, f"{URL}#{number}") for number in range(30)], "github")
    taken.receive([found(key)], "operator")
    taken.tick()

    (body,) = reported(parts)
    assert (body["reports"], len(body["places"])) == (31, 20)


def test_a_report_about_a_revoked_key_changes_nothing(parts: Parts) -> None:
    key = parts.issue(TRADING)
    parts.keys.revoke(key.key_id, "operator")
    begun = parts.journal.head()
    taken = leaks_of(parts)

    assert taken.receive([found(key)], "github") == [True]
    taken.tick()

    assert parts.tags(begun) == []
    assert taken.step() is False


def test_what_is_no_key_of_ours_is_told_apart_and_never_kept(parts: Parts) -> None:
    key = parts.issue()
    canary = "canary-s3cr3t-of-somebody-else"
    asked = [canary, UNKNOWN, key.api_key, key.api_key[:-1] + "!", "", "\x00", "x" * 100_000]

    answer = leaks_of(parts).receive([Found(api_key=text, url=canary) for text in asked[:2]], "x")
    answer += leaks_of(parts).receive([Found(api_key=text) for text in asked[2:]], "x")

    assert answer == [False, False, True, False, False, False, False]
    parts.store.read(lambda tx: _assert_nowhere(tx, canary))


def _assert_nowhere(tx: Any, canary: str) -> None:  # noqa: ANN401 - a transaction
    rows = tx.exec_driver_sql("SELECT * FROM leak_reports").all()
    assert len(rows) == 1
    assert canary not in str(rows)


def test_nothing_received_is_nothing_done(parts: Parts) -> None:
    assert leaks_of(parts).receive([], "github") == []
    assert leaks_of(parts).step() is False


def test_more_keys_than_a_batch_are_all_acted_on(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    monkeypatch.setattr(module, "QUEUED_AT_ONCE", 2)
    keys = [parts.issue(TRADING) for _ in range(5)]
    taken = leaks_of(parts)
    taken.receive([found(key) for key in keys], "github")

    assert [taken.step() for _ in range(3)] == [True, True, False]
    assert {parts.keys.get(key.key_id).status for key in keys} == {KeyStatus.REVOKED}
    assert len(reported(parts)) == 5


def test_two_machines_that_tick_at_once_act_on_each_key_once(
    shared: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    keys = [shared.issue(TRADING) for _ in range(12)]
    leaks_of(shared).receive([found(key) for key in keys], "github")

    together([leaks_of(shared).tick for _ in range(3)])

    assert len(reported(shared)) == 12
    assert shared.tags().count("key:revoked") == 12


def test_a_term_that_ended_before_is_recorded_before(parts: Parts) -> None:
    key = parts.issue(TRADING)
    begun = parts.journal.head()
    taken = leaks_of(parts)
    parts.clock.advance(MONTH_MS)
    taken.receive([found(key)], "github")
    taken.tick()

    assert parts.tags(begun) == ["grant:swept", "key:revoked", "key:reported"]


@pytest.mark.parametrize(
    ("key_type", "action"),
    [(KeyType.HMAC, "revoke"), (KeyType.RSA, "tell"), (KeyType.ED25519, "tell")],
)
def test_by_default_a_public_name_alone_ends_only_keys_with_a_shared_secret(
    parts: Parts, key_type: KeyType, action: str
) -> None:
    key = parts.issue(TRADING, key_type=key_type)
    taken = leaks_of(parts)
    taken.receive([found(key)], "github")
    taken.tick()
    parts.follower.tick()

    assert [body["action"] for body in reported(parts)] == [action]
    assert parts.ask(key) is (Reason.KEY_REVOKED if action == "revoke" else None)


def test_quarantine_comes_before_it_is_told(parts: Parts) -> None:
    keys = [parts.issue(TRADING), parts.issue(TRADING, key_type=KeyType.RSA)]
    cells = Cells(parts)
    taken = leaks_of(parts, Actions(hmac=LeakAction.QUARANTINE), cells)
    taken.receive([found(key) for key in keys], "github")
    taken.tick()
    taken.tick()

    assert cells.placed == [(keys[0].key_id, ACTOR, "reported as leaked")]
    assert sorted(body["action"] for body in reported(parts)) == ["quarantine", "tell"]
    assert parts.keys.get(keys[0].key_id).status is KeyStatus.ACTIVE


def test_a_quarantine_that_fails_is_tried_again_and_nothing_is_told_before(parts: Parts) -> None:
    key = parts.issue(TRADING)
    cells = Cells(parts)
    cells.refusal = Unavailable("store")
    taken = leaks_of(parts, Actions(hmac=LeakAction.QUARANTINE), cells)
    taken.receive([found(key)], "github")
    with pytest.raises(Unavailable):
        taken.tick()
    assert reported(parts) == []

    cells.refusal = None
    taken.tick()
    assert len(reported(parts)) == len(cells.placed) == 1


def test_a_key_revoked_while_it_waited_for_quarantine_is_left(parts: Parts) -> None:
    key = parts.issue(TRADING)
    cells = Cells(parts)
    taken = leaks_of(parts, Actions(hmac=LeakAction.QUARANTINE), cells)
    taken.receive([found(key)], "github")
    parts.keys.revoke(key.key_id, "operator")
    cells.refusal = Conflict("revoked")
    taken.tick()

    assert reported(parts) == []
    assert taken.step() is False


def test_a_key_nobody_understands_keeps_no_other_waiting(parts: Parts) -> None:
    odd, good = parts.issue(TRADING), parts.issue(TRADING)
    taken = leaks_of(parts)
    taken.receive([found(odd), found(good)], "github")
    parts.spoil(odd.key_id, key_type="of the future")
    with capture_logs() as logged:
        taken.tick()

    assert [entry["key_id"] for entry in logged] == [odd.key_id]
    assert parts.keys.get(good.key_id).status is KeyStatus.REVOKED
    assert taken.step() is False


def test_what_cannot_be_recorded_does_not_happen(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = parts.issue(TRADING)
    taken = leaks_of(parts)
    taken.receive([found(key)], "github")

    def fail(*_: object) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "append_all", fail)
        with pytest.raises(RuntimeError):
            taken.tick()
    assert parts.keys.get(key.key_id).status is KeyStatus.ACTIVE

    taken.tick()
    assert parts.keys.get(key.key_id).status is KeyStatus.REVOKED
    assert len(reported(parts)) == 1


def test_reports_are_counted(parts: Parts) -> None:
    key = parts.issue()

    def counted(is_ours: str) -> float:
        labels = {"by": "github", "is_ours": is_ours}
        return REGISTRY.get_sample_value("tenure_leak_reports_total", labels) or 0

    before = counted("yes"), counted("no")
    leaks_of(parts).receive([found(key), Found(api_key="x"), Found(api_key=UNKNOWN)], "github")

    assert (counted("yes"), counted("no")) == (before[0] + 1, before[1] + 2)


def test_the_settings_say_what_a_report_does(parts: Parts, tmp_path: Path) -> None:
    key = parts.issue(TRADING)
    given = settings.load(home=tmp_path, leak_action="tell")
    taken = Leaks.of(given, parts.store, parts.clock, parts.follower.catch_up)
    taken.receive([found(key)], "github")
    taken.tick()

    assert parts.keys.get(key.key_id).status is KeyStatus.ACTIVE


def test_what_was_reported_is_listed_with_what_was_done(parts: Parts) -> None:
    leaks, key = leaks_of(parts), parts.issue(TRADING)
    leaks.receive([found(key)], "github")
    (waiting,) = leaks.latest(9)
    assert (waiting.report.reporter, waiting.worked_at_ms, waiting.action) == ("github", None, None)

    leaks.tick()

    (done,) = leaks.latest(9)
    assert (done.worked_at_ms, done.action) == (parts.clock.now, LeakAction.REVOKE)
    assert leaks.action_for(is_hmac=True) is LeakAction.REVOKE


def signature_of(parts: Parts, key: ApiKey, text: bytes | None = None) -> str:
    """Sign the challenge of *key*, or another text, as whoever holds the key can."""
    payload = leaks.challenge(key.api_key) if text is None else text
    if key.key_type is KeyType.HMAC:
        return signers.hmac_sign(parts.secrets[key.key_id].encode(), payload)
    return signers.sign(key.key_type, payload)


@pytest.mark.parametrize("key_type", KeyType)
def test_a_signature_over_the_challenge_proves_possession(parts: Parts, key_type: KeyType) -> None:
    key = parts.issue(key_type=key_type)
    possession = Possession(parts.keyring, parts.clock)

    proof = signature_of(parts, key)
    assert possession.proved(key.api_key, signature=proof) == key.key_id
    other = signature_of(parts, key, b"timestamp=1")
    assert possession.proved(key.api_key, signature=other) is None
    for wrong in ("", "x", proof[:-1], proof + "\n", base64.b64encode(b"x" * 64).decode()):
        assert possession.proved(key.api_key, signature=wrong) is None


def test_the_secret_itself_proves_possession_of_an_hmac_key_alone(parts: Parts) -> None:
    key, other = parts.issue(), parts.issue(key_type=KeyType.ED25519)
    possession = Possession(parts.keyring, parts.clock)

    assert possession.proved(key.api_key, secret_key=parts.secrets[key.key_id]) == key.key_id
    for wrong in ("", "wrong", parts.secrets[key.key_id][:-1], "\u00e4" * 64):
        assert possession.proved(key.api_key, secret_key=wrong) is None
    assert other.public_key is not None
    assert possession.proved(other.api_key, secret_key=other.public_key) is None


def test_the_secret_before_a_rotation_proves_nothing(parts: Parts) -> None:
    key = parts.issue()
    before = parts.secrets[key.key_id]
    parts.rotate(key)

    assert Possession(parts.keyring, parts.clock).proved(key.api_key, secret_key=before) is None


def test_while_an_overlap_runs_the_secret_before_it_proves_the_key_too(parts: Parts) -> None:
    """It is the one that is most likely to be found, and it still works."""
    key = parts.issue()
    before = parts.secrets[key.key_id]
    parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=DAY_MS)
    possession = Possession(parts.keyring, parts.clock)

    assert possession.proved(key.api_key, secret_key=before) == key.key_id
    parts.clock.advance(DAY_MS)
    parts.follower.tick()
    assert possession.proved(key.api_key, secret_key=before) is None


def test_a_key_that_cannot_exist_costs_no_look_up() -> None:
    class Untouched:
        def __getattr__(self, name: str) -> Callable[..., object]:
            raise AssertionError(name)

    possession = Possession(Untouched(), FakeClock())  # type: ignore[arg-type]  # not to be asked
    for text in ("", "x", UNKNOWN[:-1] + "!", UNKNOWN + "\n", "x" * 10_000):
        assert possession.proved(text, secret_key="x") is None


def test_an_unknown_key_is_checked_against_a_stand_in(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the time spent does not tell which keys there are (T6)."""
    seen: list[str] = []
    stand_in = verifying.stand_in

    def watched(signature: str) -> Any:  # noqa: ANN401 - a verifier
        seen.append(signature)
        return stand_in(signature)

    monkeypatch.setattr(verifying, "stand_in", watched)
    possession = Possession(parts.keyring, parts.clock)

    assert possession.proved(UNKNOWN, signature="s" * 88) is None
    assert possession.proved(UNKNOWN, secret_key="s") is None
    assert [len(signature) for signature in seen] == [88, 88, 64, 64], "twice: it may have two"


def test_while_secrets_are_sealed_nobody_is_told_yes_or_no(tmp_path: Path) -> None:
    for parts in building.until_closed(building.opened(tmp_path, is_sealed=True)):
        with pytest.raises(Unavailable):
            Possession(parts.keyring, parts.clock).proved(UNKNOWN, secret_key="x")


def test_whoever_holds_a_key_ends_it_at_once_whatever_the_settings_say(parts: Parts) -> None:
    key = parts.issue(TRADING, key_type=KeyType.ED25519)
    tell = Actions(hmac=LeakAction.TELL, asymmetric=LeakAction.TELL)
    begun = parts.journal.head()

    for _ in range(2):
        leaks_of(parts, tell).revoke_held(key.key_id)

    assert parts.ask(key) is Reason.KEY_REVOKED, "in force on return"
    assert parts.tags(begun) == ["key:revoked", "key:reported"]
    assert {event.change.actor for event in parts.events(begun)} == {HOLDER}
    (body,) = reported(parts)
    assert body["action"] == "revoke"
    assert (body["places"][0]["reporter"], body["places"][0]["source"]) == (HOLDER, "possession")


def test_a_term_that_ended_is_recorded_before_its_holder_ends_the_key(parts: Parts) -> None:
    key = parts.issue(TRADING)
    begun = parts.journal.head()
    parts.clock.advance(MONTH_MS)
    leaks_of(parts).revoke_held(key.key_id)
    leaks_of(parts).revoke_held(key.key_id)

    assert parts.tags(begun) == ["grant:swept", "key:revoked", "key:reported"]


def test_a_key_in_the_real_quarantine_only_reads_and_its_owner_may_release_it(parts: Parts) -> None:
    key = parts.issue(TRADING)
    taken = leaks_of(parts, Actions(hmac=LeakAction.QUARANTINE))
    taken.receive([found(key)], "github")
    taken.tick()

    held = parts.keys.get(key.key_id).quarantine
    assert held is not None
    assert held.cause == "reported as leaked"
    assert [event.change.tag for event in parts.events()][-2:] == [
        *("key:quarantined", "key:reported"),
    ]
