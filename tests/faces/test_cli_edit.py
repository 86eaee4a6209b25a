"""`tenure keys edit`: the plan is shown, the question asked, and exactly that is committed."""

from collections.abc import Callable

import pytest
import typer

from tenure.faces.commands import edits, shown
from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # A server starts, which takes some seconds.


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bool]], list[str]]:
    """Seat somebody at a terminal who answers each question as told; gives back the questions."""

    def seat(decide: Callable[[], bool]) -> list[str]:
        questions: list[str] = []

        def confirm(question: str, **_: object) -> bool:
            questions.append(question)
            return decide()

        monkeypatch.setattr(shown, "is_a_terminal", lambda: True)
        monkeypatch.setattr(typer, "confirm", confirm)
        return questions

    return seat


def restricted(server: Server, name: str) -> str:
    return server.key(f"{name}@example.com", "--tick", "spot_margin_trading", "--ip", "203.0.113.7")


def end_of(server: Server, key_id: str) -> int | None:
    end: int | None = server.look(key_id)["permissions"]["spot_margin_trading"]["ends_at_ms"]
    return end


def test_a_new_label_is_saved_without_a_question(server: Server) -> None:
    key_id = restricted(server, "label")

    said = server.tenure("keys", "edit", key_id, "--label", "renamed")

    assert said.code == 0
    assert "No permission changes." in said.err
    assert said.out == f"{key_id} is at version 2.\n"
    assert server.look(key_id)["label"] == "renamed"


def test_without_a_terminal_a_consequence_waits_for_yes(server: Server) -> None:
    key_id = restricted(server, "unconfirmed")

    said = server.tenure("keys", "edit", key_id, "--no-ips")

    assert said.code == 3
    assert '! "Enable Spot & Margin Trading" will be on until 2021-12-31 10:0' in said.words
    assert "add --yes" in said.words
    assert said.out == ""
    assert server.look(key_id)["ip_allowlist"] == ["203.0.113.7"]


def test_each_end_is_shown_as_it_is_and_as_it_would_be(server: Server) -> None:
    key_id = restricted(server, "side-by-side")

    said = server.tenure("keys", "edit", key_id, "--no-ips")

    (line,) = (line for line in said.err.splitlines() if line.startswith("spot_margin_trading"))
    assert line.split()[1:5] == ["no", "end", "until", "2021-12-31"]
    assert max(len(line) for line in said.err.splitlines()[:-1]) <= 80


def test_yes_confirms_what_is_shown(server: Server) -> None:
    key_id = restricted(server, "yes")

    said = server.tenure("keys", "edit", key_id, "--no-ips", "--yes")

    assert said.code == 0
    assert "will be on until" in said.words
    assert end_of(server, key_id) is not None


def test_somebody_at_a_terminal_is_asked_and_may_say_no(
    server: Server, answer: Callable[[Callable[[], bool]], list[str]]
) -> None:
    key_id = restricted(server, "no")
    questions = answer(lambda: False)

    said = server.tenure("keys", "edit", key_id, "--no-ips")

    assert said.code == 3
    assert "nothing was changed" in said.err
    assert questions == ["Go on?"]
    assert end_of(server, key_id) is None


def test_the_question_is_put_on_standard_error_and_no_is_the_default(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "is_a_terminal", lambda: True)
    key_id = restricted(server, "asked")

    refused = server.tenure("keys", "edit", key_id, "--no-ips", typed="\n")
    confirmed = server.tenure("keys", "edit", key_id, "--no-ips", typed="y\n")

    assert refused.code == 3
    assert "Go on? [y/N]" in refused.err
    assert confirmed.code == 0
    assert server.look(key_id)["ip_allowlist"] == []


def test_a_plan_that_became_stale_is_shown_anew_and_asked_about_again(
    server: Server, answer: Callable[[Callable[[], bool]], list[str]]
) -> None:
    key_id = restricted(server, "stale")

    def somebody_else_is_quicker() -> bool:
        if len(questions) == 1:
            server.tenure("keys", "edit", key_id, "--tick", "futures", "--yes")
        return True

    questions = answer(somebody_else_is_quicker)

    said = server.tenure("keys", "edit", key_id, "--no-ips")

    assert said.code == 0
    assert "Something changed meanwhile; this is what it would do now:" in said.words
    assert questions == ["Go on?", "Go on?"]
    assert said.err.count("spot_margin_trading") == 2
    assert server.look(key_id)["version"] == 3


def test_a_key_that_keeps_moving_is_given_up(
    server: Server, answer: Callable[[Callable[[], bool]], list[str]]
) -> None:
    key_id = restricted(server, "moving")

    def somebody_else_is_quicker() -> bool:
        server.tenure("keys", "edit", key_id, "--label", f"edit {len(questions)}")
        return True

    questions = answer(somebody_else_is_quicker)

    said = server.tenure("keys", "edit", key_id, "--no-ips")

    assert said.code == 5
    assert len(questions) == edits.ATTEMPTS_MAX
    assert end_of(server, key_id) is None


def test_addresses_are_read_forgivingly_and_replace_the_old_ones(server: Server) -> None:
    key_id = restricted(server, "forgiving")

    server.tenure(
        "keys", "edit", key_id, "--ip", "198.51.100.0/24, 2001:db8::1", "--ip", " 192.0.2.1 "
    )

    assert sorted(server.look(key_id)["ip_allowlist"]) == [
        "192.0.2.1",
        "198.51.100.0/24",
        "2001:db8::1",
    ]


def test_renewing_starts_the_term_afresh(server: Server) -> None:
    key_id = server.key("renewed@example.com", "--tick", "spot_margin_trading")
    before = end_of(server, key_id)
    operator = server.client()
    operator.put("/sandbox/clock", {"advance_ms": 2_000})
    operator.close()

    server.tenure("keys", "edit", key_id, "--renew", "spot_margin_trading", "--yes")

    after = end_of(server, key_id)
    assert before is not None
    assert after is not None
    assert after - before >= 1_000


def test_a_permission_is_unticked_without_a_question(server: Server) -> None:
    key_id = server.key("unticked@example.com", "--tick", "futures")

    said = server.tenure("keys", "edit", key_id, "--untick", "futures")

    assert said.code == 0
    assert "futures" not in server.look(key_id)["permissions"]


def test_what_changes_nothing_is_not_recorded(server: Server) -> None:
    key_id = restricted(server, "same")

    said = server.tenure("keys", "edit", key_id, "--ip", "203.0.113.7", "--json")

    assert "Nothing changes." in said.err
    assert said.json()["version"] == 1


def test_ticking_what_carries_a_risk_warns_before_the_question(
    server: Server, answer: Callable[[Callable[[], bool]], list[str]]
) -> None:
    key_id = server.key("warned@example.com")
    answer(lambda: False)

    said = server.tenure("keys", "edit", key_id, "--tick", "spot_margin_trading")

    assert "Warning: Margin trading carries a high risk" in said.words


def test_every_field_that_will_not_do_has_its_line(server: Server) -> None:
    key_id = restricted(server, "fields")

    said = server.tenure("keys", "edit", key_id, "--ip", "0.0.0.0/0,nonsense")

    assert said.code == 2
    assert [line.split(":")[1].strip() for line in said.err.splitlines()] == [
        "ip_allowlist.0",
        "ip_allowlist.1",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "nothing to change"),
        (("--ip", " , "), "--ip: names no address"),
        (("--ip", "203.0.113.7", "--no-ips"), "--no-ips: give it or --ip, not both"),
        (("--tick", "futures", "--untick", "futures"), "--untick: futures is named twice"),
        (("--renew", "futures,futures", "--tick", "futures"), "--renew: futures is named twice"),
    ],
)
def test_an_edit_that_makes_no_sense_is_not_sent(
    server: Server, words: tuple[str, ...], told: str
) -> None:
    said = server.tenure("keys", "edit", "key_000000000000000000000000", *words)

    assert said.code == 2
    assert told in said.words
