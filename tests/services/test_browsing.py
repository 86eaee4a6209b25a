"""Browsing the journal: newest first, by what is asked for, each event checked as it is shown."""

from functools import partial

import pytest

from tenure.domain import lines
from tenure.domain.events import Change, Tag
from tenure.domain.marks import Selection
from tenure.domain.model import AccountKind
from tenure.services.browsing import Browsed, Browsing, Filters, Sought
from tenure.store import journal, schema
from tests.builders import TRADING
from tests.services.parts import Parts


@pytest.fixture
def browsing(parts: Parts) -> Browsing:
    return Browsing(parts.store)


def seqs(found: Browsed) -> list[int]:
    return [entry.seq for entry in found.entries]


def tags(found: Browsed) -> list[str]:
    return [entry.record.tag for entry in found.entries if entry.record]


def write(parts: Parts, *tags: Tag, actor: str = "operator") -> None:
    for tag in tags:
        change = Change(tag=tag, actor=actor, happened_at_ms=1, body={}, key_id="key_9")
        parts.store.write(partial(journal.append, change=change, now_ms=parts.clock.now))


def test_the_newest_event_comes_first_and_a_page_says_where_to_go_on(
    parts: Parts, browsing: Browsing
) -> None:
    write(parts, *[Tag.KEY_EDITED] * 5)

    first = browsing.browse(Filters(), most=4)
    second = browsing.browse(Filters(), first.before, most=4)

    assert (seqs(first), first.before, first.head) == ([7, 6, 5, 4], 4, 7)
    assert (seqs(second), second.before) == ([3, 2, 1], None)
    assert all(entry.is_as_recorded for entry in (*first.entries, *second.entries))


def test_events_are_found_by_tag_key_account_and_actor(parts: Parts, browsing: Browsing) -> None:
    key = parts.issue(TRADING)
    master = parts.account(AccountKind.MASTER)
    parts.keys.revoke(key.key_id, "operator:ann@example.com")

    def found(**sought: object) -> list[str]:
        return tags(browsing.browse(Filters(sought=Sought(**sought))))  # type: ignore[arg-type]  # by name

    assert found(tags=["key:issued", "rule:added"]) == ["key:issued", "rule:added", "rule:added"]
    assert found(key_id=key.key_id) == ["key:revoked", "key:issued"]
    assert found(account_id=key.account_id) == ["key:revoked", "key:issued", "account:created"]
    assert found(account_id=master.account_id, tags=["key:issued"]) == []
    assert found(actor="operator:") == ["key:revoked"]
    assert found(actor="tenure:rulebook") == ["rule:added"] * 2
    assert found(actor="%") == []
    assert found(is_house=True) == ["rule:added"] * 2


def test_what_concerns_the_house_is_about_nobody_in_particular(
    parts: Parts, browsing: Browsing
) -> None:
    parts.issue(TRADING)
    selection = Selection(label="my bot")
    stamp = parts.revocations.preview(selection).stamp
    parts.revocations.commit(selection, stamp, "operator")

    found = browsing.browse(Filters(sought=Sought(is_house=True)))

    assert tags(found) == ["keys:revoked", "rule:added", "rule:added"]


def test_instants_limit_what_is_shown(parts: Parts, browsing: Browsing) -> None:
    begun = parts.clock.now
    for _ in range(4):
        parts.clock.advance(1_000)
        write(parts, Tag.KEY_EDITED)

    def found(from_ms: int | None, until_ms: int | None) -> list[int]:
        return seqs(browsing.browse(Filters(from_ms=from_ms, until_ms=until_ms)))

    assert found(begun + 2_000, None) == [6, 5, 4]
    assert found(begun + 1_001, begun + 3_000) == [4]
    assert found(None, begun + 1_000) == [2, 1]
    assert found(begun + 4_001, None) == []
    assert found(begun + 3_000, begun + 2_000) == []


def test_a_long_look_goes_window_by_window(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.services.browsing._WINDOW", 3)
    write(parts, *[Tag.KEY_EDITED] * 8)
    browsing = Browsing(parts.store, looked_at_max=6)
    rare = Filters(sought=Sought(tags=["rule:added"]))

    first = browsing.browse(rare)
    second = browsing.browse(rare, first.before)

    assert (first.entries, first.before, first.looked_at) == ((), 5, 6)
    assert (seqs(second), second.before) == ([2, 1], None)


def test_what_an_index_finds_is_found_however_old_it_is(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenure.services.browsing._WINDOW", 1)
    key = parts.issue(TRADING)
    write(parts, *[Tag.KEY_EDITED] * 8)

    found = Browsing(parts.store, looked_at_max=1).browse(Filters(sought=Sought(key_id=key.key_id)))

    assert (tags(found), found.before) == (["key:issued"], None)


@pytest.mark.parametrize(
    ("column", "value"), [("actor", "nobody"), ("body", "{}"), ("hash", "0" * 64)]
)
def test_an_event_that_was_edited_is_shown_as_such(
    parts: Parts, browsing: Browsing, column: str, value: str
) -> None:
    parts.issue(TRADING)
    edit = schema.events.update().where(schema.events.c.seq == 2).values({column: value})
    parts.store.write(lambda tx: tx.execute(edit))

    found = {entry.seq: entry.is_as_recorded for entry in browsing.browse(Filters()).entries}

    assert found == {4: True, 3: True, 2: False, 1: True}


def test_one_whose_hash_was_redone_does_not_lead_to_the_next(
    parts: Parts, browsing: Browsing
) -> None:
    parts.issue(TRADING)
    (entry,) = browsing.browse(Filters(), 3, most=1).entries
    assert entry.record is not None
    members = {**{name: getattr(entry.record, name) for name in lines.Record.__dataclass_fields__}}
    forged = lines.of({**members, "actor": "nobody"})
    values = {"actor": "nobody", "hash": lines.digest(forged)}
    edit = schema.events.update().where(schema.events.c.seq == 2).values(values)
    parts.store.write(lambda tx: tx.execute(edit))

    found = {entry.seq: entry.is_as_recorded for entry in browsing.browse(Filters()).entries}

    assert found == {4: True, 3: True, 2: False, 1: True}


def test_an_event_of_a_kind_nobody_knows_yet_is_shown_all_the_same(
    parts: Parts, browsing: Browsing
) -> None:
    edit = schema.events.update().where(schema.events.c.seq == 2).values(tag="moon:risen")
    parts.store.write(lambda tx: tx.execute(edit))

    assert tags(browsing.browse(Filters())) == ["moon:risen", "rule:added"]


def test_an_event_that_nobody_can_read_is_named(parts: Parts, browsing: Browsing) -> None:
    edit = schema.events.update().where(schema.events.c.seq == 2).values(body="no json")
    parts.store.write(lambda tx: tx.execute(edit))

    newest, _ = browsing.browse(Filters()).entries

    assert (newest.seq, newest.record, newest.is_as_recorded) == (2, None, False)


def test_an_export_is_the_lines_of_what_is_asked_for(parts: Parts, browsing: Browsing) -> None:
    key = parts.issue(TRADING)

    found = list(browsing.export(Filters(sought=Sought(key_id=key.key_id))))

    (record,) = [lines.read(line.encode()) for line in found]
    assert (record.tag, record.key_id) == ("key:issued", key.key_id)
    assert len(list(browsing.export(Filters()))) == 4


def test_an_export_ends_somewhere(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    write(parts, *[Tag.KEY_EDITED] * 8)
    monkeypatch.setattr("tenure.services.browsing.EXPORTED_MAX", 3)
    assert len(list(Browsing(parts.store).export(Filters()))) == 3

    monkeypatch.setattr("tenure.services.browsing._WINDOW", 1)
    monkeypatch.setattr("tenure.services.browsing._LOOKS_MAX", 2)
    rare = Filters(sought=Sought(tags=["rule:added"]))
    assert list(Browsing(parts.store, looked_at_max=2).export(rare)) == []
