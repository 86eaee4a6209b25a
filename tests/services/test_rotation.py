"""Rotation with overlap: two secrets for a while, never three, and neither for more than before."""

import pytest
from prometheus_client import REGISTRY

from tenure.domain import allowlist
from tenure.domain.decide import Allowed, Reason
from tenure.domain.errors import Invalid
from tenure.domain.events import Tag
from tenure.domain.model import READING, ApiKey, KeyType, Overlap
from tenure.domain.notices import Kind
from tenure.services.keys import Issued
from tenure.services.rotation import OVERLAP_MS_MAX
from tests import signers
from tests.builders import DAY_MS, HOME, MONTH_MS, TRADING
from tests.services.parts import ACTOR, Parts
from tests.services.telling import Teller

ANOTHER = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n"
)  # RFC 8032 7.1, test 1.


def rotated(parts: Parts, key: ApiKey, overlap_ms: int) -> str:
    """Rotate, and return the secret."""
    issued = parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=overlap_ms)
    assert issued.secret_key is not None
    return issued.secret_key.reveal()


def test_the_old_secret_works_beside_the_new_one_until_the_overlap_ends(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]

    new = rotated(parts, key, DAY_MS)

    assert parts.keys.get(key.key_id).overlap == Overlap(until_ms=parts.clock.now + DAY_MS)
    for offset_ms, expected in ((0, None), (DAY_MS - 1, None), (1, Reason.SIGNATURE_INVALID)):
        parts.clock.advance(offset_ms)
        parts.follower.tick()
        assert parts.ask(key, secret=new) is None
        assert parts.ask(key, secret=old) is expected


def test_without_an_overlap_the_old_secret_stops_at_once(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]

    rotated(parts, key, 0)

    assert parts.keys.get(key.key_id).overlap is None
    assert parts.ask(key, secret=old) is Reason.SIGNATURE_INVALID


def test_the_old_public_key_works_beside_the_new_one(parts: Parts) -> None:
    key = parts.issue(TRADING, key_type=KeyType.ED25519)

    parts.keys.rotate(key.key_id, ANOTHER, ACTOR, overlap_ms=DAY_MS)

    after = parts.keys.get(key.key_id)
    assert (after.public_key, after.overlap and after.overlap.public_key) == (
        ANOTHER,
        key.public_key,
    )
    assert parts.ask(key) is None
    parts.clock.advance(DAY_MS)
    parts.follower.tick()
    assert parts.ask(key) is Reason.SIGNATURE_INVALID


def test_another_rotation_ends_the_overlap_that_runs(parts: Parts) -> None:
    """Two secrets at most: whoever rotates twice in a hurry means the first one to be gone."""
    key = parts.issue(TRADING)
    first = parts.secrets[key.key_id]
    second = rotated(parts, key, DAY_MS)
    third = rotated(parts, key, DAY_MS)

    assert parts.ask(key, secret=first) is Reason.SIGNATURE_INVALID
    assert [parts.ask(key, secret=secret) for secret in (second, third)] == [None, None]

    fourth = rotated(parts, key, 0)
    gone = [parts.ask(key, secret=secret) for secret in (first, second, third)]
    assert gone == [Reason.SIGNATURE_INVALID] * 3
    assert parts.ask(key, secret=fourth) is None


def test_the_end_of_a_permission_holds_for_both_secrets(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]
    parts.clock.advance(MONTH_MS - 1)
    new = rotated(parts, key, OVERLAP_MS_MAX)
    assert [parts.ask(key, secret=secret) for secret in (old, new)] == [None, None]

    parts.clock.advance(1)
    parts.follower.tick()

    ended = [parts.ask(key, secret=secret) for secret in (old, new)]
    assert ended == [Reason.PERMISSION_EXPIRED] * 2
    assert [parts.ask(key, READING, secret=secret) for secret in (old, new)] == [None, None]


def test_a_revocation_ends_both_and_the_old_secret_is_not_kept(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]
    new = rotated(parts, key, DAY_MS)

    parts.keys.revoke(key.key_id, ACTOR)

    assert parts.ask(key, secret=new) is Reason.KEY_REVOKED
    assert parts.ask(key, secret=old) is Reason.SIGNATURE_INVALID
    assert parts.keys.get(key.key_id).overlap is None


def test_a_use_of_the_old_secret_is_noted_and_counted(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]
    new = rotated(parts, key, DAY_MS)
    counted = _count()

    assert [_used_old(parts, key, secret) for secret in (new, old)] == [False, True]
    assert _count() == counted + 1


def test_a_use_of_the_old_secret_is_on_record_and_told_once_a_day(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]
    new = rotated(parts, key, 2 * DAY_MS)
    known = parts.journal.head()
    for secret in (old, new, old):
        assert parts.ask(key, secret=secret) is None
        parts.usage.flush()

    (event,) = parts.events(known)
    assert (event.change.tag, event.change.key_id) == (Tag.KEY_OLD_SECRET_USED, key.key_id)
    assert event.change.body == {"address": HOME, "permission": TRADING}
    told = Teller(parts).told(key.account_id)[-1].notice
    assert (told.kind, told.facts["address"]) == (Kind.KEY_OLD_SECRET_USED, HOME)

    parts.clock.advance(DAY_MS)
    parts.follower.tick()
    assert parts.ask(key, secret=old) is None
    parts.usage.flush()
    assert parts.tags(known) == [Tag.KEY_OLD_SECRET_USED] * 2


@pytest.mark.parametrize("overlap_ms", [-1, OVERLAP_MS_MAX + 1])
def test_an_overlap_is_at_most_seven_days(parts: Parts, overlap_ms: int) -> None:
    key = parts.issue(TRADING)

    with pytest.raises(Invalid) as refused:
        parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=overlap_ms)

    assert refused.value.field == "overlap_ms"
    assert parts.keys.get(key.key_id) == key
    assert isinstance(parts.keys.rotate(key.key_id, None, ACTOR, overlap_ms=OVERLAP_MS_MAX), Issued)


def test_an_overlap_outlives_a_restart(parts: Parts) -> None:
    key = parts.issue(TRADING)
    old = parts.secrets[key.key_id]
    new = rotated(parts, key, DAY_MS)

    parts.restart()

    assert [parts.ask(key, secret=secret) for secret in (old, new)] == [None, None]


def test_while_an_overlap_runs_workers_know_until_when(parts: Parts) -> None:
    """By it a wrong signature costs the same on every key, in an overlap or not."""
    key, other = parts.issue(TRADING), parts.issue(TRADING)
    rotated(parts, key, DAY_MS)
    parts.keyring.find(other.api_key)

    assert parts.keyring.overlaps_until_ms == parts.clock.now + DAY_MS

    parts.keys.revoke(key.key_id, ACTOR)
    parts.keyring.find(other.api_key)
    assert parts.keyring.overlaps_until_ms == 0


def test_the_event_says_until_when_and_shows_no_secret(parts: Parts) -> None:
    key = parts.issue(TRADING)
    before = parts.journal.head()

    new = rotated(parts, key, DAY_MS)

    (event,) = parts.events(before)
    state = event.change.body["key"]
    assert isinstance(state, dict)
    assert state["overlap"] == {"until_ms": parts.clock.now + DAY_MS, "public_key": None}
    assert new not in str(event)
    assert parts.secrets[key.key_id] not in str(event)


def _used_old(parts: Parts, key: ApiKey, secret: str) -> bool:
    query = f"timestamp={parts.clock.now}"
    signature = signers.hmac_sign(secret.encode(), query.encode())
    address = allowlist.parse_address(HOME)
    assert address is not None
    sent = f"{query}&signature={signature}".encode()
    allowed = parts.decider.decide_raw(key.api_key, sent, b"", address, TRADING)
    assert isinstance(allowed, Allowed)
    return allowed.used_old_secret


def _count() -> float:
    return REGISTRY.get_sample_value("tenure_old_secret_uses_total") or 0.0
