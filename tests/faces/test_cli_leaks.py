"""`tenure keys revoke-all`, `quarantine`, `release`, `rotate --overlap`, against a real server."""

from collections.abc import Callable

import pytest
import typer

from tenure.faces.commands import shown
from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # A server starts, which takes some seconds.


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bool]], None]:
    """Seat somebody at a terminal who answers as told."""

    def seat(decide: Callable[[], bool]) -> None:
        monkeypatch.setattr(shown, "is_a_terminal", lambda: True)
        monkeypatch.setattr(typer, "confirm", lambda *_, **__: decide())

    return seat


def labelled(server: Server, label: str, count: int = 1) -> list[str]:
    account_id = server.account(f"{label}.leaks@example.com")
    made = [
        server.tenure("keys", "create", account_id, "--label", label, "--json").json()
        for _ in range(count)
    ]
    return [key["key_id"] for key in made]


def test_keys_are_counted_and_nothing_happens_without_a_yes(server: Server) -> None:
    keys = labelled(server, "unconfirmed", 2)

    said = server.tenure("keys", "revoke-all", "--label", "unconfirmed")

    assert said.code == 3
    counted = "This revokes 2 keys, for good: 2 of normal accounts, 0 of master accounts, 0 of sub"
    assert counted in said.words
    assert all(key_id in said.err for key_id in keys)
    assert said.out == ""
    assert [server.look(key_id)["status"] for key_id in keys] == ["active"] * 2


def test_after_a_yes_they_are_revoked_for_good_and_listed(
    server: Server, answer: Callable[[Callable[[], bool]], None]
) -> None:
    keys = labelled(server, "confirmed", 2)
    answer(lambda: True)

    said = server.tenure("keys", "revoke-all", "--label", "confirmed")

    assert said.code == 0, said.err
    assert said.out.startswith("2 keys revoked 2021-12-01 10:0")
    assert [server.look(key_id)["status"] for key_id in keys] == ["revoked"] * 2
    assert "revoked  2021-12-01 10:0" in server.tenure("keys", "show", keys[0]).out
    listed = server.tenure("keys", "revocations", "--json").json()["revocations"]
    assert [mark["label"] for mark in listed if mark["label"] == "confirmed"] == ["confirmed"]
    assert "confirmed" in server.tenure("keys", "revocations").out


def test_a_key_issued_while_somebody_reads_is_shown_and_asked_about_again(
    server: Server, answer: Callable[[Callable[[], bool]], None]
) -> None:
    keys = labelled(server, "more")

    def one_more() -> bool:
        if len(keys) == 1:
            account_id = server.look(keys[0])["account_id"]
            created = server.tenure("keys", "create", account_id, "--label", "more", "--json")
            keys.append(created.json()["key_id"])
        return True

    answer(one_more)
    said = server.tenure("keys", "revoke-all", "--label", "more")

    assert said.code == 0, said.err
    assert "More keys were issued meanwhile" in said.words
    assert said.out.startswith("2 keys revoked")
    assert [server.look(key_id)["status"] for key_id in keys] == ["revoked"] * 2


def test_an_account_and_an_instant_narrow_it_down(server: Server) -> None:
    (key_id,) = labelled(server, "narrow")
    account_id = server.look(key_id)["account_id"]

    before = server.tenure(
        *("keys", "revoke-all", "--account", account_id),
        *("--issued-before", "2021-01-01T00:00:00Z", "--yes", "--json"),
    ).json()
    assert (before["revocation"], before["keys"]) == (None, 0)
    assert "No such key is left" in (
        server.tenure("keys", "revoke-all", "--label", "nobody's", "--yes").out
    )

    done = server.tenure("keys", "revoke-all", "--account", account_id, "--yes", "--json").json()
    assert (done["keys"], done["revocation"]["account_id"]) == (1, account_id)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "revoke-all"),
        (("--issued-before", "yesterday"), "--issued-before"),
        (("--issued-before", "2021-01-01"), "--issued-before"),
        (("--issued-before", "2031-01-01T00:00:00Z"), "issued_before_ms"),
    ],
)
def test_what_makes_no_sense_is_named(server: Server, words: tuple[str, ...], named: str) -> None:
    said = server.tenure("keys", "revoke-all", *words)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"tenure: {named}: ")


def test_a_key_in_quarantine_shows_since_when_and_why_until_it_is_released(server: Server) -> None:
    (key_id,) = labelled(server, "suspect")

    held = server.tenure("keys", "quarantine", key_id, "--cause", "seen in a repository")
    looked = server.tenure("keys", "show", key_id)
    released = server.tenure("keys", "release", key_id)

    assert held.out.startswith(f"{key_id} is in quarantine since 2021-12-01 10:0")
    assert held.out.endswith(": seen in a repository\n")
    assert "status       quarantined" in looked.out
    assert "UTC: seen in a repository" in looked.out
    assert released.out == f"{key_id} may act again.\n"
    for act in (("quarantine", key_id, "--cause", "x"), ("release", key_id)):
        assert server.tenure("keys", *act, "--json").json()["key_id"] == key_id


def test_an_old_secret_works_on_for_as_long_as_was_said(server: Server) -> None:
    (key_id,) = labelled(server, "moving")

    said = server.tenure("keys", "rotate", key_id, "--overlap", "24h")

    assert "old secret  2021-12-02 10:0" in said.out
    wrong = server.tenure("keys", "rotate", key_id, "--overlap", "a day")
    assert (wrong.code, wrong.err.split(": ")[1]) == (2, "--overlap")
    too_long = server.tenure("keys", "rotate", key_id, "--overlap", "8d")
    assert too_long.code == 2
