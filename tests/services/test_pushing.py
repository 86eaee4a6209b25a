"""Pushing checkpoints: to files and the web, until they have it, and over nothing that has more."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from tenure import settings
from tenure.services import logkey, pushing
from tenure.services.checkpoints import EVERY_MS, Checkpoints
from tenure.services.pushing import Files, Place, Pusher, PushError, Web
from tenure.store import checkpoints, holds
from tenure.store.checkpoints import Signed
from tenure.store.holds import Hold
from tests.services import parts as building
from tests.services.parts import Parts


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """Return the services over a store with a checkpoint that is not out yet."""
    made = building.opened(tmp_path / "home")
    logkey.prepare(made.store, made.home, made.clock)
    Checkpoints(made.store, made.home, made.clock).step()
    yield from building.until_closed(made)


POST = pushing.poster(settings.load())


class Elsewhere:
    """A place that takes what it is given, once it has failed so often."""

    def __init__(self, name: str = "elsewhere", failures: int = 0) -> None:
        self.name, self.failures = name, failures
        self.taken: list[Signed] = []

    def push(self, signed: Signed) -> None:
        """Take it, or fail."""
        if self.failures:
            self.failures -= 1
            raise PushError("not now")
        self.taken.append(signed)


def latest(parts: Parts) -> Signed:
    found = parts.store.read(checkpoints.latest)
    assert found is not None
    return found


def sign_another(parts: Parts) -> Signed:
    parts.account()
    parts.clock.advance(EVERY_MS)
    Checkpoints(parts.store, parts.home, parts.clock).step()
    return latest(parts)


def test_the_latest_checkpoint_goes_to_every_place_once(parts: Parts) -> None:
    places = [Elsewhere("one"), Elsewhere("two")]
    pusher = Pusher(parts.store, parts.clock, places)
    for _ in range(3):
        pusher.step()
    assert [[item.size for item in place.taken] for place in places] == [[2], [2]]
    assert latest(parts).pushed_at_ms == parts.clock.now

    sign_another(parts)
    pusher.step()
    assert [[item.size for item in place.taken] for place in places] == [[2, 3], [2, 3]]


def test_a_place_that_fails_is_tried_again_ever_more_rarely(parts: Parts) -> None:
    fine, failing = Elsewhere("fine"), Elsewhere("failing", failures=3)
    pusher = Pusher(parts.store, parts.clock, [failing, fine])
    tried_at_ms: list[int] = []
    begun, left = parts.clock.now, failing.failures
    while not failing.taken:
        pusher.step()
        if failing.failures != left or failing.taken:
            tried_at_ms.append(parts.clock.now - begun)
            left = failing.failures
        assert latest(parts).pushed_at_ms is None or failing.taken
        parts.clock.advance(500)
    assert tried_at_ms == [0, 1_000, 3_000, 7_000]
    assert len(fine.taken) == 1
    assert latest(parts).pushed_at_ms is not None


def test_a_newer_checkpoint_takes_the_place_of_one_that_never_got_out(parts: Parts) -> None:
    place = Elsewhere(failures=1)
    pusher = Pusher(parts.store, parts.clock, [place])
    pusher.step()
    sign_another(parts)
    pusher.step()
    assert [item.size for item in place.taken] == [3]
    every = parts.store.read(lambda tx: checkpoints.every(tx, 0, 10))
    assert all(item.pushed_at_ms is not None for item in every)


def test_with_nowhere_to_go_a_checkpoint_is_never_called_pushed(parts: Parts) -> None:
    Pusher(parts.store, parts.clock, []).step()
    assert latest(parts).pushed_at_ms is None


def test_a_store_that_is_held_pushes_nothing(parts: Parts) -> None:
    parts.store.write(lambda tx: holds.place(tx, Hold(restored_at_ms=1, seq=2)))
    place = Elsewhere()
    Pusher(parts.store, parts.clock, [place]).step()
    assert place.taken == []


def test_a_directory_collects_checkpoints_and_a_file_holds_the_latest(
    parts: Parts, tmp_path: Path
) -> None:
    directory, file = tmp_path / "directory", tmp_path / "latest.txt"
    directory.mkdir()
    for place in (Files(directory), Files(file)):
        place.push(latest(parts))
        place.push(latest(parts))
    second = sign_another(parts)
    for place in (Files(directory), Files(file)):
        place.push(second)

    names = sorted(path.name for path in directory.iterdir())
    assert [name[-16:] for name in names] == ["000000000002.txt", "000000000003.txt"]
    assert file.read_text() == second.note
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    key = parts.store.read(logkey.public)
    assert key is not None
    for path in (directory, file):
        found = pushing.furthest(path, key)
        assert found is not None
        assert found.size == 3


def test_a_place_that_knows_more_is_not_written_over(parts: Parts, tmp_path: Path) -> None:
    directory, file = tmp_path / "directory", tmp_path / "latest.txt"
    directory.mkdir()
    first, second = latest(parts), sign_another(parts)
    Files(file).push(second)
    with pytest.raises(PushError, match="holds a checkpoint of 3 events"):
        Files(file).push(first)
    assert file.read_text() == second.note

    Files(directory).push(first)
    another = first._replace(note=second.note.replace("\n3\n", "\n2\n"))
    with pytest.raises(PushError, match="holds another checkpoint"):
        Files(directory).push(another)


def test_what_is_no_checkpoint_is_written_over_and_passed_over(
    parts: Parts, tmp_path: Path
) -> None:
    file = tmp_path / "latest.txt"
    file.write_text("nothing\n")
    key = parts.store.read(logkey.public)
    assert key is not None
    assert pushing.furthest(file, key) is None
    assert pushing.furthest(tmp_path / "not there", key) is None
    assert pushing.furthest(None, key) is None
    Files(file).push(latest(parts))
    assert file.read_text() == latest(parts).note


def test_a_place_that_cannot_be_written_to_fails(parts: Parts, tmp_path: Path) -> None:
    with pytest.raises(PushError):
        Files(tmp_path / "nowhere" / "latest.txt").push(latest(parts))


@contextmanager
def receiving(status: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Run a web server that answers so; yield its address and what it was sent."""
    taken: list[tuple[str, bytes]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append((self.headers["content-type"], body))
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/log", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_web_address_is_sent_the_note_as_it_is(parts: Parts) -> None:
    with receiving(204) as (url, taken):
        Web(url, POST).push(latest(parts))
    assert taken == [("text/plain; charset=utf-8", latest(parts).note.encode())]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_web_address_that_answers_otherwise_has_not_taken_it(parts: Parts, status: int) -> None:
    with receiving(status) as (url, taken), pytest.raises(PushError, match=str(status)):
        Web(url, POST).push(latest(parts))
    assert len(taken) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/secret", "http://[::1/secret"])
def test_an_address_that_does_not_answer_is_not_told_in_logs(parts: Parts, url: str) -> None:
    with pytest.raises(PushError) as raised:
        Web(url, POST).push(latest(parts))
    assert "secret" not in str(raised.value)


def test_settings_say_where_checkpoints_go(tmp_path: Path) -> None:
    def places(**given: object) -> list[Place]:
        return pushing.places(settings.load(home=tmp_path, **given), lambda _: True)

    assert places() == []
    both = places(checkpoint_file=tmp_path / "out", checkpoint_url="https://log.example/")
    assert [place.name for place in both] == ["checkpoint_file", "checkpoint_url"]
