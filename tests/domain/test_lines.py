"""Events as lines: one spelling, read strictly, and the hash that the journal always had."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import events, lines
from tenure.domain.events import Change, Tag
from tenure.domain.lines import Record

texts = st.text(max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
records = st.builds(
    Record,
    seq=st.integers(0, 2**63),
    recorded_at_ms=st.integers(0, 2**63),
    tag=texts,
    actor=texts,
    happened_at_ms=st.integers(0, 2**63),
    account_id=st.none() | texts,
    key_id=st.none() | texts,
    body=st.dictionaries(texts, values, max_size=4).map(lines.canonical),
    previous_hash=texts,
    hash=texts,
)
RECORD = Record(
    seq=7,
    recorded_at_ms=2_000,
    tag="key:sold",
    actor="operator",
    happened_at_ms=1_000,
    account_id="acct_1",
    key_id=None,
    body='{"a":{"z":[1,null,true]}}',
    previous_hash="0" * 64,
    hash="f" * 64,
)
LINE = (
    '{"account_id":"acct_1","actor":"operator","body":{"a":{"z":[1,null,true]}},'
    '"happened_at_ms":1000,"hash":"' + "f" * 64 + '","key_id":null,"previous_hash":"'
    "" + "0" * 64 + '","recorded_at_ms":2000,"seq":7,"tag":"key:sold"}'
)


def test_a_line_is_known_to_the_byte() -> None:
    """It is what was signed for: it may never change."""
    assert RECORD.line == LINE
    assert lines.read(LINE.encode()) == RECORD
    assert RECORD.content == {"a": {"z": [1, None, True]}}


@given(records)
def test_a_line_is_the_canonical_json_of_the_event_and_is_read_back(record: Record) -> None:
    members = {name: getattr(record, name) for name in Record.__dataclass_fields__}
    assert record.line == lines.canonical({**members, "body": record.content})
    assert lines.read(record.line.encode()) == record


@given(records)
def test_the_hash_is_over_the_list_that_the_reference_names(record: Record) -> None:
    said = [
        *(record.previous_hash, record.seq, record.recorded_at_ms, record.tag, record.actor),
        *(record.happened_at_ms, record.account_id, record.key_id, record.content),
    ]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    assert lines.digest(record) == hashlib.sha256(text.encode()).hexdigest()


def test_an_event_and_its_record_have_one_hash() -> None:
    change = Change(tag=Tag.KEY_ISSUED, actor="x", happened_at_ms=1, body={"b": 1}, key_id="key_1")
    event = events.seal(change, seq=1, recorded_at_ms=2, previous_hash=events.GENESIS_HASH)
    record = Record(
        seq=1,
        recorded_at_ms=2,
        tag="key:issued",
        actor="x",
        happened_at_ms=1,
        account_id=None,
        key_id="key_1",
        body='{"b":1}',
        previous_hash=events.GENESIS_HASH,
        hash=event.hash,
    )
    assert lines.digest(record) == event.hash


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LINE, ""),
        (LINE, "[]"),
        (LINE, "[" * 100_000),
        (LINE, "{" + '"a":{' * 100_000),
        ('"seq":7', '"seq":7.0'),
        ('"seq":7', '"seq":true'),
        ('"seq":7', '"seq":"7"'),
        ('"seq":7', '"seq": 7'),
        ('"seq":7', '"seq":07'),
        ('"seq":7', '"seq":' + "7" * 5_000),
        ('"seq":7', '"seq":7,"seq":7'),
        ('"seq":7', '"seq":7,"more":1'),
        ('"seq":7,', ""),
        ('"key_id":null', '"key_id":1'),
        ('"actor":"operator"', '"actor":null'),
        ('"actor":"operator"', '"actor":"\\u006fperator"'),
        ('"actor":"operator"', '"actor":"öperator"'),
        ('{"a":{"z":[1,null,true]}}', "[]"),
        ('{"a":{"z":[1,null,true]}}', '{"b":1,"a":2}'),
        ('{"a":{"z":[1,null,true]}}', '{"a":NaN}'),
    ],
)
def test_any_other_spelling_is_refused(old: str, new: str) -> None:
    assert old in LINE
    with pytest.raises(ValueError, match=r"is no|is not"):
        lines.read(LINE.replace(old, new).encode())


@pytest.mark.parametrize("at", range(len(LINE)))
def test_no_byte_of_a_line_is_without_meaning(at: int) -> None:
    altered = LINE[:at] + chr(ord(LINE[at]) ^ 1) + LINE[at + 1 :]
    try:
        record = lines.read(altered.encode())
    except ValueError:
        return
    assert replace(record, hash=RECORD.hash) != RECORD or record.hash != RECORD.hash


@pytest.mark.parametrize(
    ("name", "spoiled"),
    [
        ("seq", "7"),
        ("recorded_at_ms", 1.5),
        ("happened_at_ms", None),
        ("tag", None),
        ("hash", b"bytes"),
        ("account_id", 7),
        ("body", None),
        ("body", "{"),
        ("body", "[]"),
        ("body", '{"a": 1}'),
        ("body", "[" * 100_000),
    ],
)
def test_a_column_that_was_spoiled_is_told(name: str, spoiled: object) -> None:
    members: dict[str, Any] = {
        column: getattr(RECORD, column) for column in Record.__dataclass_fields__
    }
    assert lines.of(dict(members)) == RECORD
    with pytest.raises(ValueError, match=r"is no|is not"):
        lines.of({**members, name: spoiled})
