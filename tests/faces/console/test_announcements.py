"""Announcements: open to everybody, in the reader's words, with what they mean for his keys."""

from tests.builders import TRADING
from tests.faces.console.visiting import Visited, words

RULE = "/console/announcements/2021-07-09"


def test_anybody_reads_what_is_announced(visited: Visited) -> None:
    nobody = visited.nobody()

    assert "Withdrawals need trusted IPs" in words(nobody.get("/console/announcements"))
    page = words(nobody.get(RULE))
    assert "In force from 9 Jul 2021, 00:00" in page
    assert "What it means for your keys" not in page
    assert nobody.get("/console/announcements/no-such-rule").status == 404


def test_an_owner_reads_what_it_means_for_his_keys_and_nobody_elses(visited: Visited) -> None:
    ids = visited.tree()
    visited.house.issue(ids["sub"], TRADING, label="the sub's")
    visited.house.issue(ids["master"], TRADING, label="the master's")

    master, sub = visited.owner(ids["master"]), visited.owner(ids["sub"])

    assert "“Enable Spot & Margin Trading” ends on 31 Dec 2021, 10:00" in words(master.get(RULE))
    assert "the sub's" in words(master.get(RULE))
    assert "the sub's" in words(sub.get(RULE))
    assert "the master's" not in words(sub.get(RULE))


def test_a_reader_of_a_language_without_texts_is_told_so(visited: Visited) -> None:
    page = visited.nobody().get(RULE, **{"accept-language": "fr"})
    assert "This announcement is not available in" not in words(page)  # English is what he asked.
    assert "30日" in words(visited.nobody().get(RULE, **{"accept-language": "ja"}))
