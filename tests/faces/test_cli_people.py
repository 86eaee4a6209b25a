"""`tenure people` and `tenure accounts invite`, against a server that really runs."""

import re

import pytest

from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # A server starts, which takes some seconds.

LINK = re.compile(r"http://localhost:\d+/console/join/[A-Za-z0-9_-]{43}")


def test_people_of_the_house_are_invited_listed_and_removed(server: Server) -> None:
    assert "Nobody was invited yet." in server.tenure("people", "list").out

    invited = server.tenure("people", "invite", "ada@example.com", "--role", "operator")

    assert invited.code == 0, invited.err
    assert LINK.search(invited.out)
    assert "shown now and never again" in invited.words
    (person,) = server.tenure("people", "list", "--json").json()["people"]
    table = server.tenure("people", "list").out
    for said in (person["person_id"], "ada@example.com", "operator", "has not joined yet"):
        assert said in table

    removed = server.tenure("people", "remove", person["person_id"])
    assert removed.code == 0
    assert "removed" in removed.out
    again = server.tenure("people", "remove", person["person_id"], "--json")
    assert again.code == 5
    assert server.tenure("people", "list", "--json").json() == {"people": []}


def test_an_owner_is_invited_by_a_link(server: Server) -> None:
    account_id = server.account("invited@example.com")

    said = server.tenure("accounts", "invite", account_id, "--json").json()

    assert LINK.fullmatch(said["link"])
    assert said["email"] == "invited@example.com"
    shown = server.tenure("accounts", "invite", account_id)
    assert LINK.search(shown.out)
    assert said["link"] not in shown.out, "each is another one"


def test_a_person_as_json_is_told_whole(server: Server) -> None:
    server.tenure("people", "invite", "grace@example.com", "--json")
    (person,) = server.tenure("people", "list", "--json").json()["people"]

    removed = server.tenure("people", "remove", person["person_id"], "--json").json()
    assert removed["removed_at_ms"]
