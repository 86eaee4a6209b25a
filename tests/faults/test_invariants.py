"""SECURITY section 3's invariants, each met head-on where the mirror tests only brush it."""

import hmac
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import pytest
from typing_extensions import override

from tenure.clock import SystemClock
from tenure.domain import decide, rules, verifying
from tenure.domain.decide import Reason, Refused
from tenure.domain.errors import Conflict, Unavailable
from tenure.domain.model import READING, ApiKey, KeyType
from tenure.services.keys import Draft, Wanted
from tenure.services.sweep import Sweep
from tenure.store import keys
from tenure.store.db import Store, Transaction
from tests import signers
from tests.builders import (
    DAY_MS,
    HOME,
    MONTH_MS,
    TRADING,
    a_key,
    a_rule,
    decided,
    load,
    ms,
    signed,
)
from tests.services import parts as building
from tests.services.parts import ACTOR, Parts
from tests.simulation.machine import Machine

_Answer = TypeVar("_Answer")

YEAR_MS = 365 * DAY_MS
TICKED = Wanted(permissions={TRADING: True})
ADDRESSED = Wanted(ip_allowlist=(HOME,))


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return the services over a new SQLite in memory; it is 2021-12-01 10:00."""
    yield from building.until_closed(building.opened(tmp_path))


@pytest.fixture
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be on a machine whose days have 23 hours once a year, and 25 once."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        assert time.daylight
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_berlin")
def test_thirty_days_are_thirty_times_24_hours_wherever_the_machine_stands() -> None:
    """No calendar, no time zone (P2)."""
    rule, start_ms = a_rule(), ms("2021-07-09 00:00")
    for now_ms in range(start_ms, start_ms + YEAR_MS, DAY_MS // 2):
        commit = rules.Commit(now_ms=now_ms, was_restricted=False, is_restricted=False)
        term = rules.begin(TRADING, rule, commit).term
        assert term is not None
        assert term.ends_at_ms == now_ms + 2_592_000_000


def test_a_term_is_exact_at_every_millisecond_of_a_second() -> None:
    """Nothing on the way is a float, which would be off by one now and then (P3)."""
    rule, start_ms = a_rule(unrestricted=MONTH_MS + 1), ms("2021-07-09 00:00")
    for now_ms in range(start_ms, start_ms + 1_000):
        commit = rules.Commit(now_ms=now_ms, was_restricted=False, is_restricted=False)
        term = rules.begin(TRADING, rule, commit).term
        assert term is not None
        assert term.ends_at_ms - now_ms == MONTH_MS + 1


def _issue(parts: Parts, key: ApiKey) -> None:
    draft = Draft(label="another", key_type=KeyType.HMAC)
    parts.keys.issue(key.account_id, draft, ACTOR)


def _edit(parts: Parts, key: ApiKey) -> None:
    parts.edit(key, Wanted(permissions={TRADING: "renew"}, ip_allowlist=(HOME,)))


def _rotate(parts: Parts, key: ApiKey) -> None:
    parts.keys.rotate(key.key_id, None, ACTOR)


def _revoke(parts: Parts, key: ApiKey) -> None:
    parts.keys.revoke(key.key_id, ACTOR)


def _freeze(parts: Parts, key: ApiKey) -> None:
    parts.accounts.set_frozen(key.account_id, frozen=True, actor=ACTOR)


def _adopt(parts: Parts, _: ApiKey) -> None:
    rulebook = parts.rules.rulebook()
    parts.rules.adopt(type(rulebook)((a_rule("later", since="2030-01-01 00:00"),)))


def _sweep(parts: Parts, key: ApiKey) -> None:
    parts.clock.advance(MONTH_MS)
    assert not key.holds(TRADING, parts.clock.now)
    parts.sweep.tick()


@pytest.mark.parametrize("act", [_issue, _edit, _rotate, _revoke, _freeze, _adopt, _sweep])
def test_what_cannot_be_recorded_does_not_happen(
    parts: Parts, act: Callable[[Parts, ApiKey], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change and its event are one transaction: neither is there without the other (I5, P8)."""
    key = parts.issue(TRADING)
    before = _everything(parts, key)

    def fail(*_: object) -> None:
        raise Unavailable("store")

    with monkeypatch.context() as patch:
        patch.setattr("tenure.store.journal.append_all", fail)
        with pytest.raises(Unavailable):
            act(parts, key)
    assert _everything(parts, key) == before

    act(parts, key)
    assert _everything(parts, key) != before


def _everything(parts: Parts, key: ApiKey) -> object:
    one_day_ms = key.issued_at_ms + 10 * YEAR_MS
    unswept = partial(keys.due_of_key, key_id=key.key_id, now_ms=one_day_ms)
    return (
        parts.keys.of_account(key.account_id),
        parts.accounts.every(),
        parts.rules.rulebook(),
        parts.store.read(unswept),
        parts.journal.head(),
    )


@pytest.mark.parametrize("wanted", [ADDRESSED, Wanted(permissions={"futures": True})])
def test_a_commit_never_keeps_what_lapsed_since_its_preview(parts: Parts, wanted: Wanted) -> None:
    """What ended between preview and commit stays off, whatever the stamp says (I8, P10)."""
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS - 1)
    stamp = parts.keys.preview(key.key_id, wanted).stamp
    parts.clock.advance(1)

    with pytest.raises(Conflict) as raised:
        parts.keys.edit(key.key_id, wanted, stamp, ACTOR)
    assert raised.value.code == "stale"

    parts.edit(key, wanted)
    assert not parts.keys.get(key.key_id).holds(TRADING, parts.clock.now)
    assert parts.ask(key) is Reason.PERMISSION_EXPIRED


class _Interrupted(Store):
    """A store at which somebody else gets a turn after every transaction."""

    def __init__(self, store: Store, others: Callable[[], None]) -> None:
        super().__init__(store.engine)
        self._others = others

    @override
    def read(self, fn: Callable[[Transaction], _Answer]) -> _Answer:
        answer = super().read(fn)
        self._others()
        return answer

    @override
    def write(self, fn: Callable[[Transaction], _Answer]) -> _Answer:
        answer = super().write(fn)
        self._others()
        return answer


def test_a_sweeper_that_is_overtaken_writes_nothing_back(parts: Parts) -> None:
    """An owner who acts between any two of its transactions keeps what he got (P11)."""
    key = parts.issue(TRADING)
    parts.clock.advance(MONTH_MS)
    turns = iter([True])

    def others() -> None:
        if next(turns, False):
            parts.edit(key, TICKED)

    Sweep(_Interrupted(parts.store, others), parts.clock).tick()

    after = parts.keys.get(key.key_id)
    assert after.holds(TRADING, parts.clock.now + MONTH_MS - 1)
    assert not after.holds(TRADING, parts.clock.now + MONTH_MS)
    assert parts.tags().count("grant:swept") == 1
    assert parts.ask(key) is None


def test_hmac_codes_are_compared_as_bytes_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A comparison of texts stops at the first difference, and tells where that was (T6, P14)."""
    compared: list[tuple[object, object]] = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    payload = b"symbol=A"
    right = signers.sign(KeyType.HMAC, payload)
    wrong = ("0" if right[0] != "0" else "1") + right[1:]
    verifier = signers.verifier(KeyType.HMAC)
    watched = SimpleNamespace(digest=hmac.digest, compare_digest=spy)
    monkeypatch.setattr(verifying, "hmac", watched)

    assert [verifier.verify(payload, text) for text in (right, right.upper(), wrong)] == [
        *(True, True, False)
    ]
    code = bytes.fromhex(right)
    assert compared == [(code, code), (code, code), (bytes.fromhex(wrong), code)]


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_no_signature_makes_a_public_key_a_shared_secret(key_type: KeyType) -> None:
    """A request that looks like HMAC is checked with the key's own algorithm (I18, P16)."""
    key = a_key(key_type=key_type)
    assert key.public_key is not None
    at_ms = ms("2021-12-01 10:00")
    for secret in (key.public_key, key.public_key.strip(), key.api_key, key.key_id):
        forged = signers.hmac_sign(secret.encode(), f"timestamp={at_ms}".encode())
        request = signed(key, at=at_ms, signature=forged)
        assert request.payload == f"timestamp={at_ms}".encode()
        outcome = decide.decide(request, READING, load(key), at_ms)
        assert outcome == Refused(Reason.SIGNATURE_INVALID)
    assert decided(key, READING, at=at_ms) is None


def test_a_sealed_secret_opens_for_its_own_key_alone(parts: Parts) -> None:
    """Whoever writes to the tables cannot give his secret to another's key (SECURITY 7, P21)."""
    mine, theirs = parts.issue(TRADING), parts.issue(TRADING)
    assert parts.ask(theirs) is None

    def paste(tx: Transaction) -> None:
        (stored,) = keys.load(tx, [mine.key_id])
        keys.set_secret(tx, theirs, stored.sealed_secret)

    parts.store.write(paste)
    parts.keys.edit(theirs.key_id, Wanted(label="touched"), None, ACTOR)  # So that it is followed.

    for secret in (parts.secrets[mine.key_id], parts.secrets[theirs.key_id]):
        with pytest.raises(Unavailable) as raised:
            parts.ask(theirs, secret=secret)
        assert raised.value.code == "sealed"
    assert parts.ask(mine) is None


def test_nobody_decides_by_a_keyring_past_its_bound(parts: Parts) -> None:
    """Neither a revoked key nor a good one, to the very millisecond (I2, P6)."""
    key = parts.issue(TRADING)
    parts.follower.tick()
    parts.clock.advance(5_000)
    assert parts.ask(key) is None

    parts.clock.advance(1)
    with pytest.raises(Unavailable) as raised:
        parts.ask(key)
    assert raised.value.code == "stale"

    parts.follower.tick()
    assert parts.ask(key) is None


def test_a_restart_on_a_machine_set_back_decides_nothing(tmp_path: Path) -> None:
    """The mark is in a file, so no restart forgets how far time had come (I16, R15, P23)."""
    machine = Machine(random.Random(0), ms("2021-12-01 10:00"))  # noqa: S311 - nothing is drawn
    with machine.running():
        first = SystemClock(tmp_path)
        seen_ms = first.now_ms()
        first.close()

        machine.step_wall(-1_000)
        again = SystemClock(tmp_path)
        assert again.now_ms() == seen_ms == machine.wall_ms + 1_000
        machine.step_wall(-1)
        with pytest.raises(Unavailable) as raised:
            again.now_ms()
        assert raised.value.code == "clock"
        again.close()
