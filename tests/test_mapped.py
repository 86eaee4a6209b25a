"""Numbers shared through a mapped file: a record is whole or not there, a mark never falls."""

import struct
from pathlib import Path

import pytest

from tenure.domain.errors import Unavailable
from tenure.mapped import HighWaterMark, MappedRecord
from tests.processes import Process
from tests.together import together

NUMBERS = (0, -1, 2**63 - 1, -(2**63), 1_638_352_800_000)

REPORT = """
import pathlib, sys
from tenure.mapped import HighWaterMark
path, number, step = sys.argv[1:]
mark = HighWaterMark(pathlib.Path(path))
print("ready", flush=True)
input()
seen = 0
for reported in range(int(number), 30_000, int(step)):
    highest = mark.raise_to(reported)
    if highest < max(seen, reported):
        sys.exit(f"fell from {seen} to {highest} at {reported}")
    seen = highest
print("never fell")
"""


def test_a_record_reads_back_as_it_was_written_by_whoever_maps_it(tmp_path: Path) -> None:
    record = MappedRecord(tmp_path / "record", len(NUMBERS))
    record.write(*NUMBERS)

    assert record.read() == NUMBERS
    assert MappedRecord(tmp_path / "record", len(NUMBERS)).read() == NUMBERS


def test_a_record_that_nobody_wrote_is_not_there(tmp_path: Path) -> None:
    assert MappedRecord(tmp_path / "home" / "record", 3).read() is None


def test_a_record_is_for_its_owner_alone(tmp_path: Path) -> None:
    MappedRecord(tmp_path / "record", 3)

    assert (tmp_path / "record").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\0" * 28, b"\xff" * 28, bytes(range(28)), b"another program's file" * 100],
)
def test_a_foreign_file_is_no_record(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "record").write_bytes(content)

    assert MappedRecord(tmp_path / "record", 3).read() is None


def test_a_record_of_another_shape_is_no_record(tmp_path: Path) -> None:
    MappedRecord(tmp_path / "record", 3).write(1, 2, 3)

    assert MappedRecord(tmp_path / "record", 2).read() is None
    assert MappedRecord(tmp_path / "record", 4).read() is None


def test_a_record_with_any_bit_flipped_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "record"
    record = MappedRecord(path, 2)
    record.write(1_638_352_800_000, 7)
    whole = path.read_bytes()

    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        _overwrite(path, bytes(flipped))
        assert record.read() is None, bit
    _overwrite(path, whole)
    assert record.read() == (1_638_352_800_000, 7)


def test_a_record_written_in_part_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "record"
    record = MappedRecord(path, 2)
    record.write(1, 2)
    first = path.read_bytes()
    record.write(3, 4)
    second = path.read_bytes()

    for written in range(1, len(first)):
        _overwrite(path, second[:written] + first[written:])
        assert record.read() in {None, (1, 2), (3, 4)}
    _overwrite(path, second[:8] + first[8:])
    assert record.read() is None


def test_the_raw_bytes_differ_where_the_record_does(tmp_path: Path) -> None:
    record = MappedRecord(tmp_path / "record", 2)
    before = record.raw()
    record.write(1, 2)

    assert record.raw() != before
    assert record.raw() == record.raw() == (tmp_path / "record").read_bytes()


def test_readers_never_see_a_mixture(tmp_path: Path) -> None:
    path = tmp_path / "record"
    writer, reader = MappedRecord(path, 4), MappedRecord(path, 4)
    writer.write(0, 0, 0, 0)

    def write() -> None:
        for number in range(2_000):
            writer.write(number, number, number, number)

    def read() -> None:
        for _ in range(2_000):
            found = reader.read()
            assert found is not None
            assert len(set(found)) == 1

    together([write, read])


def test_a_mark_rises_and_never_falls(tmp_path: Path) -> None:
    mark = HighWaterMark(tmp_path / "mark")

    assert [mark.raise_to(number) for number in (5, 3, 5, 8, 0)] == [5, 5, 5, 8, 8]
    mark.close()


def test_a_mark_outlives_the_process_that_set_it(tmp_path: Path) -> None:
    """P23: what was seen before a restart has been seen."""
    first = HighWaterMark(tmp_path / "mark")
    first.raise_to(5)
    first.flush()
    first.close()

    again = HighWaterMark(tmp_path / "mark")
    assert again.raise_to(1) == 5
    again.close()


def test_marks_in_one_process_are_two_and_know_of_each_other(tmp_path: Path) -> None:
    """Each keeps its slot when the other is closed, or a third could overwrite what it said."""
    marks = [HighWaterMark(tmp_path / "mark") for _ in range(3)]
    assert [mark.raise_to(number) for mark, number in zip(marks, (5, 7, 6), strict=True)] == [
        5,
        7,
        7,
    ]

    marks[0].close()
    newcomer = HighWaterMark(tmp_path / "mark")
    assert [newcomer.raise_to(8), marks[1].raise_to(9), newcomer.raise_to(0)] == [8, 9, 9]
    assert _slots(tmp_path / "mark")[:3] == (8, 9, 0)
    for mark in (newcomer, *marks[1:]):
        mark.close()


def test_there_is_a_limit_to_who_may_report(tmp_path: Path) -> None:
    marks = [HighWaterMark(tmp_path / "mark") for _ in range(HighWaterMark.SLOTS)]
    for number, mark in enumerate(marks, start=1):
        assert mark.raise_to(number) == number

    with pytest.raises(Unavailable, match="end commands or services that use it") as raised:
        HighWaterMark(tmp_path / "mark")
    assert raised.value.code == "clock"

    marks.pop().close()
    marks.append(HighWaterMark(tmp_path / "mark"))
    assert marks[0].raise_to(0) == HighWaterMark.SLOTS
    for mark in marks:
        mark.close()


def test_the_processes_of_a_machine_share_a_mark(tmp_path: Path) -> None:
    """They report at once, each a rising row of its own; nobody ever sees it fall."""
    path, count = tmp_path / "mark", 3
    processes = [Process(REPORT, path, number, count) for number in range(count)]
    for process in processes:
        assert process.hear() == "ready"
    for process in processes:
        process.tell("go")

    assert [process.hear() for process in processes] == ["never fell"] * count
    assert [process.end() for process in processes] == [0] * count
    mark = HighWaterMark(path)
    assert mark.raise_to(0) == 29_999
    mark.close()


def _slots(path: Path) -> tuple[int, ...]:
    _, *slots = struct.unpack(f"<{1 + HighWaterMark.SLOTS}q", path.read_bytes())
    return tuple(slots)


def _overwrite(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)
