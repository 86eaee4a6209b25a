"""Passwords: Argon2id with the parameters that are named, a few at a time, as long for nobody."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import argon2
import pytest
from typing_extensions import override

from tenure.domain.errors import Invalid, Unavailable
from tenure.domain.passwords import COMMON, OWN, PASSWORD_CHARACTERS_MIN
from tenure.services.people import passwords
from tenure.services.people.passwords import AT_ONCE, WAITING_MAX, Passwords
from tenure.services.people.room import Room
from tests import quickly
from tests.fakes import FakeClock
from tests.services.people.doors import ORIGIN

PASSWORD = "correct horse battery staple"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Passwords:
    quickly.hashes(monkeypatch)
    return Passwords(FakeClock(), Room(), ORIGIN)


@pytest.mark.parametrize(
    "password", ["password1234", "1q2w3e4r5t6y", "Administrator!", "sunshine2024"]
)
def test_a_password_that_many_have_is_refused(quick: Passwords, password: str) -> None:
    with pytest.raises(Invalid) as raised:
        quick.require(password, "owner@example.com")
    assert raised.value.problems[0].why == COMMON


def test_the_list_is_of_what_could_be_a_password() -> None:
    listed = passwords._common()  # noqa: SLF001 - what is read

    assert len(listed) > 10_000
    assert all(len(each) >= 5 and each == each.strip().lower() for each in listed)
    assert sum(len(each) >= PASSWORD_CHARACTERS_MIN for each in listed) > 100


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("https://keys.venue.example", "venue-keys-2024"),
        ("http://localhost:8080", "localhost8080"),
        ("https://keys.venue.example", "tenure-owner-1"),
    ],
)
def test_a_password_is_not_what_the_house_is_called(
    quick: Passwords, origin: str, refused: str
) -> None:
    with pytest.raises(Invalid) as raised:
        Passwords(FakeClock(), Room(), origin).require(refused, "owner@example.com")

    assert raised.value.problems[0].why == OWN
    assert quick.require(PASSWORD, "owner@example.com") == PASSWORD


def test_a_hash_names_its_parameters_and_has_a_salt_of_its_own() -> None:
    hasher = Passwords(FakeClock(), Room(), ORIGIN)
    first, second = hasher.hash(PASSWORD), hasher.hash(PASSWORD)

    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert hasher.verify(first, PASSWORD)
    assert not hasher.verify(first, PASSWORD + ".")
    assert not hasher.is_dated(first)


def test_the_stand_in_for_nobody_asks_for_the_same_work() -> None:
    """Same form, same parameters, same lengths: the library does to it what it does to a hash."""
    hasher = Passwords(FakeClock(), Room(), ORIGIN)
    stand_in = hasher._stand_in  # noqa: SLF001 - what is done for nobody is the point

    assert argon2.extract_parameters(stand_in) == argon2.extract_parameters(hasher.hash(PASSWORD))
    assert not hasher.verify(None, PASSWORD)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(stand_in, PASSWORD)  # It was worked out, and differs.


def test_what_is_no_hash_lets_nobody_in(quick: Passwords) -> None:
    assert not quick.verify("no hash", PASSWORD)


def test_an_endless_password_is_cut_before_it_is_hashed(quick: Passwords) -> None:
    hashed = quick.hash("x" * 256)

    assert quick.verify(hashed, "x" * 256)
    assert not quick.verify(hashed, "x" * 10_000_000)


def test_a_hash_of_older_parameters_is_dated(quick: Passwords) -> None:
    assert quick.is_dated(argon2.PasswordHasher(1, 16, 1).hash(PASSWORD))


class _Held:
    """Stands in for the library: holds everybody until it is told to go on."""

    def __init__(self) -> None:
        self.go_on, self.inside, self.most = threading.Event(), 0, 0
        self._lock = threading.Lock()

    def hash(self, _password: str, *, salt: bytes) -> str:
        """Note how many are here at once."""
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.go_on.wait(10)
        with self._lock:
            self.inside -= 1
        return salt.hex()


class _Counted(Room):
    """Notes who came in."""

    def __init__(self) -> None:
        super().__init__(2 * (AT_ONCE + WAITING_MAX))
        self.came = threading.Semaphore(0)

    @contextmanager
    @override
    def turn(self) -> Iterator[None]:
        """Note that somebody came, once there was a place."""
        with super().turn():
            self.came.release()
            yield


@pytest.fixture
def crowd(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Passwords, _Held, list[threading.Thread]]]:
    quickly.hashes(monkeypatch)
    held, room = _Held(), _Counted()
    quick = Passwords(FakeClock(), room, ORIGIN)
    quick._hasher = held  # type: ignore[assignment]  # noqa: SLF001 - a library that waits
    threads = [
        threading.Thread(target=partial(quick.hash, PASSWORD)) for _ in range(AT_ONCE + WAITING_MAX)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert room.came.acquire(timeout=10)
    yield quick, held, threads
    held.go_on.set()
    for thread in threads:
        thread.join()


def test_a_few_hash_at_once_some_wait_and_the_rest_are_sent_away(
    crowd: tuple[Passwords, _Held, list[threading.Thread]],
) -> None:
    hasher, held, threads = crowd

    # All but those inside wait: nobody else gets in, and that takes no time to find out.
    with pytest.raises(Unavailable) as raised:
        hasher.hash(PASSWORD)

    assert raised.value.code == "busy"
    held.go_on.set()
    for thread in threads:
        thread.join()
    assert held.most == AT_ONCE
    assert hasher.hash(PASSWORD), "once they are gone there is room again"
