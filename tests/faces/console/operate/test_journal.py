"""The journal's page: filters, where to go on, what is not as it was recorded, files."""

import json
from urllib.parse import urlencode

import pytest

from tenure.store import schema
from tests.faces.console.operate.house import OPERATE, Office
from tests.faces.console.visiting import words

JOURNAL = f"{OPERATE}/journal"


def test_the_newest_event_stands_first_and_says_everything_but_the_api_key(office: Office) -> None:
    page = office.vic.get(JOURNAL)
    text = page.body.decode()

    events = text[text.index('<ol class="events">') :]
    assert events.index("person:factor_added") < events.index("key:issued")
    assert office.keys[0].api_key not in text
    assert "&#34;label&#34;: &#34;my bot&#34;" in text
    assert "Is it as it was recorded?" in words(page)


@pytest.mark.parametrize(
    ("filters", "there", "not_there"),
    [
        ({"tag": "rule:added"}, "rule:added", "key:issued</span>"),
        ({"house": "yes"}, "rule:added", "key:issued</span>"),
        ({"actor": "tenure:"}, "tenure:rulebook", "key:issued</span>"),
        ({"from": "2021-12-01T10:01"}, "No event fits", "key:issued</span>"),
        ({"until": "2021-12-01T10:00"}, "No event fits", "key:issued</span>"),
        ({"tag": "moon:risen"}, "key:issued</span>", "No event fits"),
    ],
)
def test_the_filters_let_through_what_they_say(
    office: Office, filters: dict[str, str], there: str, not_there: str
) -> None:
    text = office.vic.get(f"{JOURNAL}?{urlencode(filters)}").body.decode()

    assert there in text
    assert not_there not in text


def test_one_key_and_one_account_are_found(office: Office) -> None:
    key_id = office.keys[1].key_id
    said = words(office.vic.get(f"{JOURNAL}?key_id={key_id}"))
    assert said.count("key:issued") == 2, "one event, and the list to choose from"
    by_account = words(office.vic.get(f"{JOURNAL}?account_id={office.account_id}"))
    assert by_account.count("key:issued") == 4


def test_a_filter_that_makes_no_sense_is_said_beside_its_field(office: Office) -> None:
    page = office.vic.get(f"{JOURNAL}?key_id=x&account_id=y&from=soon&before=z")

    assert page.status == 422
    for field in ("key_id", "account_id", "from"):
        assert f'id="{field}-error"' in page.body.decode()
    assert office.vic.get(f"{JOURNAL}/export?from=soon").status == 422


def test_older_events_are_on_the_next_page(office: Office) -> None:
    for number in range(40):
        office.visited.house.issue(office.visited.house.account(f"a{number}@example.com"))
    page = office.vic.get(JOURNAL).body.decode()
    older = page.partition('class="button" href="')[2]
    target = page.rpartition(f'href="{JOURNAL}?before=')[2].partition('"')[0]

    assert older
    following = office.vic.get(f"{JOURNAL}?before={target}")
    assert following.status == 200
    assert "Newest" in words(following)
    assert "Is it as it was recorded?" not in words(following)


def test_an_event_that_was_edited_shows(office: Office) -> None:
    assert "not as it was recorded" not in words(office.vic.get(JOURNAL))
    edit = schema.events.update().where(schema.events.c.seq == 2).values(actor="nobody")
    office.visited.house.worker.store.write(lambda tx: tx.execute(edit))
    spoil = schema.events.update().where(schema.events.c.seq == 1).values(body="no json")
    office.visited.house.worker.store.write(lambda tx: tx.execute(spoil))

    said = words(office.vic.get(JOURNAL))

    assert said.count("not as it was recorded") == 2
    assert "nobody can read this event" in said


def test_what_is_shown_is_exported_as_lines(office: Office) -> None:
    reply = office.vic.get(f"{JOURNAL}/export?tag=key:issued")

    assert reply.headers["content-disposition"].startswith("attachment")
    lines = [json.loads(line) for line in reply.body.splitlines()]
    assert [line["tag"] for line in lines] == ["key:issued"] * 3


def test_an_event_is_proved_once_a_checkpoint_is_over_it(office: Office) -> None:
    assert office.vic.get(f"{JOURNAL}/1/proof").status == 409
    office.visited.house.worker.checkpoints.step()

    proof = office.vic.get(f"{JOURNAL}/1/proof")

    assert proof.body.startswith(b"c2sp.org/tlog-proof")
    assert office.vic.get(f"{JOURNAL}/99999/proof").status == 404
