"""How people are let in, put together: by the machine's own time, and by the provider as set."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tenure import settings, wiring, wiring_people
from tenure.domain.errors import NotFound
from tenure.domain.people import Role
from tenure.services.people.invitations import Joining

PASSWORD = "correct horse battery staple"


def test_in_a_sandbox_people_live_by_the_machines_time(tmp_path: Path) -> None:
    """Its own clock stands in 2021; a session and a code must not."""
    given = settings.load(
        home=tmp_path / "home", sandbox=True, sandbox_start="2021-12-01T10:00:00Z"
    )
    with closing(wiring.open_alone(given)) as worker:
        before_ms = worker.clock.wall_ms()
        assert before_ms <= worker.people.now_ms() <= worker.clock.wall_ms() + 60_000
        assert worker.clock.now_ms() < before_ms
        assert (given.home / "people" / "time-mark").exists()
        invited = worker.people.invitations.of_operator("a@example.com", Role.VIEWER, "test")
        secret = invited.link.reveal().rpartition("/")[2]
        session = worker.people.invitations.accept(secret, Joining(password=PASSWORD)).session
        assert session.started_at_ms >= before_ms
        (*_, last) = worker.journal.after(0)
        assert last.recorded_at_ms == worker.clock.now_ms()


def test_otherwise_there_is_one_clock(tmp_path: Path) -> None:
    given = settings.load(home=tmp_path / "home", console_origin="https://keys.example.com")
    with closing(wiring.open_alone(given)) as worker:
        worker.people.now_ms()
        assert not (given.home / "people").exists()
        invited = worker.people.invitations.first_administrator()
        assert invited is not None
        assert invited.link.reveal().startswith("https://keys.example.com/console/join/")
        assert worker.people.oidc is None
        assert wiring_people.tidying(given, worker.store, worker.clock)() is False


def test_a_provider_is_known_by_its_settings(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    given = settings.load(
        home=tmp_path / "home",
        oidc_issuer="https://id.example.com",
        oidc_client_id="tenure",
        oidc_client_secret_file=secret,
    )
    with closing(wiring.open_alone(given)) as worker:
        assert worker.people.oidc is not None


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_start_without_an_administrator_makes_a_link_and_the_one_before_void(
    tmp_path: Path, *, sandbox: bool
) -> None:
    given = settings.load(home=tmp_path / "home", sandbox=sandbox)
    wiring.prepare(given)
    links = [wiring_people.first_link(given) for _ in range(2)]

    with closing(wiring.open_alone(given)) as worker:
        old, new = (link.reveal().rpartition("/")[2] for link in links if link is not None)
        with pytest.raises(NotFound):
            worker.people.invitations.look(old)
        joining = Joining(password=PASSWORD, email="ada@example.com")
        worker.people.invitations.accept(new, joining)
    assert wiring_people.first_link(given) is None


BARE = """
import os, pathlib, sys
from tenure import settings, wiring, wiring_people
home = pathlib.Path(sys.argv[1])
given = settings.load(home=home, staleness_ms=60_000, sandbox=sys.argv[2] == "True")
prepared = wiring.prepare(given)
assert wiring_people.first_link(given) is not None
assert not wiring.has_ticked(given, prepared.ready_ns)
found = [os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")
         if os.path.exists(f"/proc/self/fd/{name}")]
found += pathlib.Path("/proc/self/maps").read_text().splitlines()
for each in found:
    if str(home) in each:
        print(each)
print(len(os.listdir("/proc/self/task")), "thread")
"""


@pytest.mark.parametrize("sandbox", [True, False])
def test_whoever_starts_a_server_has_nothing_open_when_it_forks(
    tmp_path: Path, *, sandbox: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BARE, str(tmp_path / "home"), str(sandbox)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines() == ["1 thread"]
