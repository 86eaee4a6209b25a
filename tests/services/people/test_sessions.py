"""Sessions: what a cookie opens, until when, and that no id outlives what was proved (T24)."""

import re
from functools import partial

import pytest

from tenure.domain.errors import NotFound, Unauthenticated, Unavailable
from tenure.domain.people import (
    PASSWORD_STAGE_MS,
    SESSION_IDLE_MS,
    SESSION_MS,
    Session,
    Stage,
    TotpCode,
)
from tenure.services.people.sessions import SEEN_EVERY_MS, id_of
from tenure.store import holds, schema_people, sessions
from tenure.store.holds import Hold
from tests.services.people.doors import Door

pytestmark = pytest.mark.slow  # Many of them, or many examples each.


def is_over(door: Door, cookie: str) -> bool:
    try:
        door.people.sessions.find(cookie)
    except Unauthenticated as error:
        return error.code == "expired"
    return False


def test_the_store_keeps_a_digest_and_the_cookie_has_256_bits(door: Door) -> None:
    one = door.owner()

    stored = door.parts.store.read(lambda tx: tx.execute(schema_people.sessions.select()).all())

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", one.cookie)
    assert one.cookie not in str(stored)
    assert door.session(one).session_id == id_of(one.cookie)


@pytest.mark.parametrize("cookie", ["", "x", "x" * 43, "é" * 43, "x" * 44, "x" * 42 + "\n"])
def test_what_was_never_a_session_is_over(door: Door, cookie: str) -> None:
    assert is_over(door, cookie)


def test_an_id_planted_before_the_sign_in_is_dead_after_it(door: Door) -> None:
    """T24: each stage has an id of its own, which nobody could choose or know before."""
    one = door.owner()
    planted = "planted" + "x" * 36
    begun = door.people.sign_in.password(one.person.email, one.password)
    half = begun.secret.reveal()
    full = door.people.sign_in.prove(begun.session, door.next_code(one)).secret.reveal()

    assert len({planted, half, full}) == 3
    assert is_over(door, planted)
    assert is_over(door, half)
    assert not is_over(door, full)


def test_half_of_a_sign_in_becomes_a_whole_one_once(door: Door) -> None:
    one = door.owner()
    session = door.say_password(one)
    door.people.sign_in.prove(session, door.next_code(one))

    with pytest.raises(Unauthenticated) as raised:
        door.people.sign_in.prove(session, door.next_code(one))
    assert raised.value.code == "expired"


def test_a_step_up_gives_the_cookie_a_new_value_and_keeps_the_visit(door: Door) -> None:
    one = door.owner()
    before, cookie = door.session(one), one.cookie
    door.real.advance(60_000)

    after = door.approve(one, "an act")

    assert is_over(door, cookie)
    assert not is_over(door, one.cookie)
    assert after.session_id != before.session_id
    kept = ("visit_id", "started_at_ms", "ends_at_ms", "stage", "agent")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]


def test_unused_for_half_an_hour_it_is_over(door: Door) -> None:
    one = door.owner()
    for _ in range(3):
        door.real.advance(SESSION_IDLE_MS - 1)
        assert not is_over(door, one.cookie), "it was used, and so goes on"

    door.real.advance(SESSION_IDLE_MS)
    assert is_over(door, one.cookie)


def test_after_twelve_hours_it_is_over_however_it_is_used(door: Door) -> None:
    one = door.owner()
    ends_at_ms = door.session(one).ends_at_ms
    while door.real.now + SESSION_IDLE_MS // 2 < ends_at_ms:
        door.real.advance(SESSION_IDLE_MS // 2)
        door.approve(one, "an act")
    assert ends_at_ms - door.session(one).started_at_ms == SESSION_MS

    door.real.advance(ends_at_ms - door.real.now - 1)
    assert not is_over(door, one.cookie)
    door.real.advance(1)
    assert is_over(door, one.cookie)


def test_a_password_waits_ten_minutes_for_its_second_factor(door: Door) -> None:
    one = door.owner()
    door.say_password(one)

    door.real.advance(PASSWORD_STAGE_MS - 1)
    assert not is_over(door, one.cookie)
    door.real.advance(1)
    assert is_over(door, one.cookie)


def test_reading_a_page_is_noted_once_a_minute(door: Door) -> None:
    one = door.owner()
    seen = door.session(one).seen_at_ms
    door.real.advance(SEEN_EVERY_MS - 1)
    door.session(one)
    assert stored(door, one.cookie).seen_at_ms == seen

    door.real.advance(1)
    door.session(one)
    assert stored(door, one.cookie).seen_at_ms == door.real.now


def stored(door: Door, cookie: str) -> Session:
    found = door.parts.store.read(partial(sessions.get, session_id=id_of(cookie)))
    assert found is not None
    return found


def test_signing_out_ends_one_and_signing_out_everywhere_all_others(door: Door) -> None:
    one = door.owner()
    cookies = []
    for _ in range(3):
        door.sign_in(one)
        cookies.append(one.cookie)
    first, second, third = (door.people.sessions.find(cookie) for cookie in cookies)

    door.people.sessions.end(first)
    assert [is_over(door, cookie) for cookie in cookies] == [True, False, False]
    listed = door.people.sessions.of_person(one.person.person_id)
    assert {session.session_id for session in listed} >= {second.session_id, third.session_id}
    door.people.sessions.end_all(one.person.person_id, but=third.session_id)
    assert [is_over(door, cookie) for cookie in cookies] == [True, True, False]


def test_one_ends_ones_own_sessions_and_nobody_elses(door: Door) -> None:
    one, other = door.owner(), door.owner()
    theirs = door.session(other).session_id

    with pytest.raises(NotFound):
        door.people.sessions.end_one(one.person.person_id, theirs)
    assert not is_over(door, other.cookie)
    door.people.sessions.end_one(other.person.person_id, theirs)
    assert is_over(door, other.cookie)


def test_what_is_over_is_not_listed_and_forgotten_in_time(door: Door) -> None:
    one = door.owner()
    door.say_password(one)
    door.real.advance(SESSION_MS)

    assert door.people.sessions.of_person(one.person.person_id) == []
    assert door.people.sessions.step() is False
    rows = door.parts.store.read(lambda tx: tx.execute(schema_people.sessions.select()).all())
    assert rows == []


def test_the_browser_is_named_in_one_short_line(door: Door) -> None:
    one = door.owner()
    agent = "Mozilla/5.0\r\nSet-Cookie: x" + "y" * 1_000

    begun = door.people.sign_in.password(one.person.email, one.password, agent=agent)

    assert begun.session.agent == ("Mozilla/5.0Set-Cookie: x" + "y" * 1_000)[:200]


def test_nobody_is_let_in_while_a_restored_store_is_held(door: Door) -> None:
    """Who was removed since the backup must not come in by it."""
    one = door.owner()
    hold = Hold(restored_at_ms=door.real.now, seq=1)
    door.parts.store.write(partial(holds.place, hold=hold))

    with pytest.raises(Unavailable) as raised:
        door.people.sign_in.password(one.person.email, one.password)
    assert raised.value.code == "restored"


def test_a_cookie_does_not_show_in_a_representation(door: Door) -> None:
    one = door.owner()
    begun = door.people.sign_in.password(one.person.email, one.password)

    assert begun.secret.reveal() not in repr(begun)
    assert "123456" not in repr(TotpCode("123456"))
    assert begun.session.stage is Stage.PASSWORD
