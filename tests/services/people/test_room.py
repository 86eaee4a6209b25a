"""Room: so many at a time and not one more, a part of a room no more than the whole has."""

from contextlib import ExitStack

import pytest

from tenure.domain.errors import Unavailable
from tenure.services.people import passwords, provider
from tenure.services.people.room import TOGETHER_MAX, Room


def is_full(stack: ExitStack, room: Room) -> bool:
    """Hold a place; whether there was none."""
    try:
        stack.enter_context(room.turn())
    except Unavailable as error:
        return error.code == "busy"
    return False


def fill(stack: ExitStack, room: Room) -> int:
    """Hold every place there is; return how many there were."""
    held = 0
    while not is_full(stack, room):
        held += 1
    return held


def test_so_many_come_in_and_again_once_they_are_gone() -> None:
    room = Room(3)

    for _ in range(2):
        with ExitStack() as stack:
            assert fill(stack, room) == 3


def test_parts_of_a_room_hold_together_no_more_than_it_has() -> None:
    whole = Room()
    hashing = Room(passwords.AT_ONCE + passwords.WAITING_MAX, within=whole)
    asking = Room(provider.AT_ONCE_MAX, within=whole)

    with ExitStack() as stack:
        assert fill(stack, asking) == provider.AT_ONCE_MAX
        assert fill(stack, hashing) == TOGETHER_MAX - provider.AT_ONCE_MAX
    with ExitStack() as stack:
        assert fill(stack, hashing) == TOGETHER_MAX - 1
        assert fill(stack, asking) == 1, "whatever is hashed, the provider can be asked"


def test_a_place_is_free_again_whatever_went_wrong_in_it() -> None:
    whole = Room(1)
    part = Room(1, within=whole)

    with pytest.raises(LookupError), part.turn():
        raise LookupError

    with ExitStack() as stack:
        assert fill(stack, part) == 1
        assert fill(stack, whole) == 0


def test_whoever_finds_the_whole_room_full_leaves_his_place_in_the_part() -> None:
    whole = Room(1)
    part = Room(1, within=whole)
    with whole.turn(), ExitStack() as stack:
        assert fill(stack, part) == 0

    with ExitStack() as stack:
        assert fill(stack, part) == 1
