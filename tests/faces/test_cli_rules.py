"""`tenure rules`: new rules are previewed, asked about, scheduled, and withdrawn in time."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import typer

from tenure.domain.errors import Invalid
from tenure.faces.commands import rule_previews, shown
from tenure.faces.commands.client import Client
from tests.faces.terminal import Server

RULE = """
[[rule]]
id = "{name}"
title = "Options need trusted IPs"
source = "a notice"
effective_from = {since}T00:00:00Z
permissions = ["european_options"]
unrestricted = "not_allowed"
"""

slow = pytest.mark.slow  # A server starts, which takes some seconds.


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a rulebook with one rule, of that name and date; return where it is."""

    def write(name: str, since: str) -> str:
        path = tmp_path / f"{name}.toml"
        path.write_text(RULE.format(name=name, since=since), encoding="utf-8")
        return str(path)

    return write


def a_slice(key_ids: list[str], next_after: str | None, total: int | None) -> dict[str, object]:
    """Return what the server answers of one slice, all of whose keys lose a permission."""
    count: dict[str, object] = dict.fromkeys(("keeps", "term_starts", "ended", "anyway"), 0)
    count |= {"permission": "futures", "account_kind": "normal", "held": len(key_ids)}
    count |= {"lost": len(key_ids), "examples": {"lost": key_ids}}
    return {
        "added": [{"id": "new"}],
        "keys": len(key_ids),
        "revoked": 0,
        "untouched": 0,
        "counts": [count],
        "keys_total": total,
        "next_after": next_after,
    }


def test_slices_are_put_together_as_if_they_had_come_in_one() -> None:
    slices = {
        None: a_slice(["key_1", "key_2"], "key_2", 5),
        "key_2": a_slice(["key_3", "key_4"], "key_4", None),
        "key_4": a_slice(["key_5"], None, None),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        body = httpx.Response(200, content=request.content).json()
        return httpx.Response(200, json=slices[body.get("after")])

    server = Client(
        httpx.Client(base_url="http://tenure.test", transport=httpx.MockTransport(answer)), ""
    )

    whole = rule_previews.ask(server, "")

    assert (whole["keys"], whole["keys_total"], whole["next_after"]) == (5, 5, None)
    (count,) = whole["counts"]
    assert (count["held"], count["lost"]) == (5, 5)
    assert count["examples"] == {"lost": ["key_1", "key_2", "key_3"]}


def test_a_rulebook_is_read_from_a_file_or_by_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("x" * 200_001)
    with pytest.raises(Invalid, match="too long"):
        rule_previews.read(str(path))
    path.write_bytes(b"\xff")
    with pytest.raises(Invalid, match="decode"):
        rule_previews.read(str(path))
    with pytest.raises(Invalid, match="nor the name of a shipped rulebook: 2021-07-09, binance"):
        rule_previews.read("nowhere")

    assert "gate-90-days" in rule_previews.read("gate")


@slow
def test_a_preview_tells_what_happens_and_that_nothing_does_by_itself(
    ruled: Server, write: Callable[[str, str], str]
) -> None:
    key_id = ruled.key("preview@example.com", "--tick", "european_options")
    file = write("preview", "2030-01-01")

    said = ruled.tenure("rules", "preview", file)

    assert said.code == 0
    assert "Nothing happens to any when the rules take effect" in said.out
    (line,) = (line for line in said.out.splitlines() if line.startswith("european_options  "))
    held, kept, term, lost, ended = line.split()[2:]
    assert (int(held), kept, term, ended) == (int(lost), "·", "·", "·")
    assert int(lost) >= 1
    assert max(len(line) for line in said.out.splitlines()) <= 80
    assert "Stamp, good for 10 minutes: " in said.out
    assert said.err == ""
    answer = ruled.tenure("rules", "preview", file, "--json").json()
    assert answer["keys"] == answer["keys_total"]
    assert key_id in str(answer["counts"]) or answer["counts"][0]["lost"] > 3
    assert ruled.look(key_id)["permissions"]["european_options"]["enabled"]


@slow
def test_without_a_terminal_a_rule_waits_for_its_stamp_or_for_yes(
    ruled: Server, write: Callable[[str, str], str]
) -> None:
    file = write("confirmed", "2030-02-01")

    said = ruled.tenure("rules", "schedule", file)
    assert said.code == 3
    assert "add --yes" in said.words

    stamp = ruled.tenure("rules", "preview", file, "--json").json()["stamp"]
    said = ruled.tenure("rules", "schedule", file, "--stamp", stamp)
    assert (said.code, said.out) == (0, "confirmed takes effect 2030-02-01 00:00:00 UTC.\n")
    said = ruled.tenure("rules", "schedule", file, "--yes")
    assert (said.code, said.out) == (0, "There is no new rule in it: nothing was changed.\n")


@slow
def test_at_a_terminal_it_asks_and_takes_no_for_an_answer(
    ruled: Server, write: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("asked", "2030-03-01")
    monkeypatch.setattr(shown, "is_a_terminal", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)

    said = ruled.tenure("rules", "schedule", file)

    assert said.code == 3
    assert "Options need trusted IPs" in said.err
    assert "asked" not in ruled.tenure("rules", "show").out
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: True)
    assert ruled.tenure("rules", "schedule", file).code == 0


@slow
def test_a_rule_is_withdrawn_and_says_so(ruled: Server, write: Callable[[str, str], str]) -> None:
    file = write("withdrawn", "2030-04-01")
    ruled.tenure("rules", "schedule", file, "--yes")

    said = ruled.tenure("rules", "withdraw", "withdrawn")

    assert said.code == 0
    assert said.out.startswith("withdrawn was withdrawn 2021-12-")
    assert "  withdrawn" in ruled.tenure("rules", "show").out
    again = ruled.tenure("rules", "schedule", file, "--yes")
    assert again.code == 5
    assert "its id is not used again" in again.words
    assert ruled.tenure("rules", "withdraw", "2021-07-09").code == 5
    assert ruled.tenure("rules", "withdraw", "nobody", "--json").code == 5


@slow
def test_a_rule_of_the_past_is_refused_by_its_name(
    ruled: Server, write: Callable[[str, str], str]
) -> None:
    said = ruled.tenure("rules", "preview", write("past", "2020-01-01"))

    assert said.code == 2
    assert said.err.startswith("tenure: rule past: would be back-dated")
