"""`tenure contacts` and `tenure notices`, against a server that really runs."""

import pytest

from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # A server starts, which takes some seconds.


def test_contacts_are_added_listed_and_removed(server: Server) -> None:
    account_id = server.account("contacts@example.com")

    added = server.tenure(
        *("contacts", "add", account_id, "webhook", "https://127.0.0.1:9/hook"),
        *("--language", "ja", "--time-zone", "Asia/Tokyo", "--mute", "key_edited"),
    )

    assert added.code == 0, added.err
    assert "whsec_" in added.out
    assert "shown now and never again" in added.words
    listed = server.tenure("contacts", "list", account_id, "--json").json()["contacts"]
    assert {contact["channel"] for contact in listed} == {"email", "webhook"}
    (hook,) = (contact for contact in listed if contact["channel"] == "webhook")
    assert (hook["language"], hook["muted"]) == ("ja", ["key_edited"])
    table = server.tenure("contacts", "list", account_id).out
    assert hook["contact_id"] in table
    assert "contacts@example.com" in table

    removed = server.tenure("contacts", "remove", account_id, hook["contact_id"])

    assert removed.code == 0
    assert "whsec_" not in removed.out
    assert hook["contact_id"] not in server.tenure("contacts", "list", account_id).out


def test_a_contact_that_makes_no_sense_is_named(server: Server) -> None:
    account_id = server.account("wrong@example.com")

    said = server.tenure("contacts", "add", account_id, "email", "nobody")

    assert said.code == 2
    assert said.err.startswith("tenure: address: ")


def test_notices_are_listed_and_marked_as_read(ruled: Server) -> None:
    """On a server where nobody else has been told anything yet."""
    account_id = ruled.account("notices@example.com")
    none = ruled.tenure("notices", "list", account_id)
    assert "There is no notice." in none.out
    ruled.tenure("keys", "create", account_id, "--label", "bot")

    listed = ruled.tenure("notices", "list", account_id)
    (notice,) = ruled.tenure("notices", "list", account_id, "--json").json()["notices"]

    assert "*" in listed.out
    assert "API key “bot” was issued" in listed.out
    assert notice["notice_id"] in listed.out
    read = ruled.tenure("notices", "read", account_id, notice["notice_id"])
    assert "read    2021-12-01 10:0" in read.out
    assert ruled.tenure("notices", "list", account_id, "--unread", "--json").json() == {
        "notices": []
    }
    again = ruled.tenure("notices", "read", account_id, notice["notice_id"], "--json").json()
    assert again["read_at_ms"]
