"""TOML that names its lines: what is read, what is complained of, and where it stands."""

import datetime

import pytest

from tenure.domain import documents
from tenure.domain.documents import Document, Section
from tenure.domain.errors import Invalid, Problem


def only(text: str) -> tuple[Document, Section]:
    """Return the document of *text* and its one table called `row`."""
    document = documents.read(text)
    (section,) = document.take("row")
    return document, section


def complaints(document: Document, *known: str) -> list[tuple[str, str]]:
    """Return what `finish` complains of."""
    with pytest.raises(Invalid) as refused:
        document.finish(*(known or ("row",)))
    return [(problem.field, problem.message) for problem in refused.value.problems]


def test_tables_are_taken_by_name_in_file_order() -> None:
    document = documents.read('[[row]]\nid = "a"\n\n[head]\n\n[[row]]\nid = "b"\n')

    assert [section.take_text("id") for section in document.take("row")] == ["a", "b"]
    assert len(document.take("head")) == 1
    assert document.take("tail") == []
    document.finish("row", "head")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[[row]]\nid = "a', "line 2"),
        ("[[row]]\n\nid = = 1\n", "line 3"),
        ("[[row]]\nid = 1\nid = 2\n", "line 3"),
        ("[[row]]\nid = [1,", "line 2"),
        ("[[row]]\nid = " + "9" * 5_000, "line 2"),
        ("id = " + "[" * 5_000, "line 1"),
    ],
)
def test_what_is_no_toml_is_refused_with_its_line(text: str, line: str) -> None:
    with pytest.raises(Invalid) as refused:
        documents.read(text)

    assert refused.value.field == line
    assert refused.value.message.startswith("this is not TOML: ")


@pytest.mark.parametrize("value", ['"x"', "1", "[1, 2]", '["x"]', "[]"])
def test_a_value_outside_any_table_is_complained_of(value: str) -> None:
    document = documents.read(f"# a comment\n\nrow = {value}\n")

    assert document.take("row") == []
    assert complaints(document) == [("line 3", "`row` stands outside any table")]


def test_unknown_tables_and_keys_are_complained_of_in_file_order() -> None:
    document = documents.read(
        '[[row]]\nid = "a"\nzip = 1\ncolour = "red"\n\n[[raw]]\nid = "b"\n\n[[raw]]\nid = "c"\n'
    )
    document.take("row")[0].take_text("id")

    assert complaints(document) == [
        ("line 3", "row: `zip` is not known here"),
        ("line 4", "row: `colour` is not known here"),
        ("line 6", "table `raw` is not known here"),
    ]


def test_problems_are_told_in_file_order_whatever_was_asked_first() -> None:
    document = documents.read('[[row]]\nid = 1\n[[row]]\nid = ""\n')
    first, second = document.take("row")
    second.take_text("id")
    first.take_text("id")

    assert [line for line, _ in complaints(document)] == ["line 2", "line 4"]


def test_an_absent_key_is_complained_of_where_its_table_starts() -> None:
    document, section = only('\n[[row]]\ntitle = "x"\n')
    section.take_text("title")

    assert section.take_text("id") == "?"
    assert complaints(document) == [("line 2", "row: `id` must be a text that is not empty")]


@pytest.mark.parametrize("value", ['""', '" \\t"', "1", "true", '["a"]'])
def test_a_text_must_be_one_and_not_empty(value: str) -> None:
    document, section = only(f"[row]\nid = {value}\n")

    assert section.take_text("id", default="fallback") == "fallback"
    assert complaints(document) == [("line 2", "row: `id` must be a text that is not empty")]


def test_a_text_may_have_a_default() -> None:
    document, section = only("[row]\n")

    assert section.take_text("id", default="") == ""
    document.finish("row")


@pytest.mark.parametrize("value", ['"a"', "1", '["a", 1]', '[["a"]]', "{a = 1}"])
def test_texts_must_be_a_list_of_them(value: str) -> None:
    document, section = only(f"[row]\nids = {value}\n")

    assert section.take_texts("ids") == ()
    assert section.take_texts("ids", default=("d",)) == ("d",)
    assert complaints(document)[0] == ("line 2", "row: `ids` must be a list of texts")


def test_texts_are_taken_in_order() -> None:
    document, section = only('[row]\nids = ["b", "a"]\n')

    assert section.take_texts("ids") == ("b", "a")
    document.finish("row")


def test_texts_may_be_absent_where_there_is_a_default() -> None:
    document, section = only("[row]\n")

    assert section.take_texts("ids", default=("a",)) == ("a",)
    document.finish("row")
    section.take_texts("ids")
    assert complaints(document) == [("line 1", "row: `ids` must be a list of texts")]


def test_an_empty_list_is_a_slip_unless_nothing_is_the_default() -> None:
    """`key_types = []` would be a rule for nobody, which nobody means."""
    document, section = only("[row]\nids = []\n")

    assert section.take_texts("ids", default=()) == ()
    document.finish("row")
    section.take_texts("ids")
    section.take_texts("ids", default=("a",))
    assert complaints(document) == [("line 2", "row: `ids` must name at least one")] * 2


def test_a_list_that_names_something_twice_is_complained_of() -> None:
    document, section = only('[row]\nids = ["a", "b", "a"]\n')

    section.take_texts("ids")
    assert complaints(document) == [("line 2", "row: `ids` names something twice")]


@pytest.mark.parametrize(
    ("line", "flag"), [("", False), ("on = true", True), ("on = false", False)]
)
def test_a_flag_is_off_unless_it_is_set(*, line: str, flag: bool) -> None:
    document, section = only(f"[row]\n{line}\n")

    assert section.take_flag("on") is flag
    document.finish("row")


@pytest.mark.parametrize("value", ["1", '"true"', "[]"])
def test_a_flag_is_nothing_but_true_or_false(value: str) -> None:
    document, section = only(f"[row]\non = {value}\n")

    assert section.take_flag("on") is False
    assert complaints(document) == [("line 2", "row: `on` must be true or false")]


@pytest.mark.parametrize(
    ("written", "instant_ms"),
    [
        ("2021-07-09T00:00:00Z", 1_625_788_800_000),
        ("2021-07-09T02:00:00+02:00", 1_625_788_800_000),
        ("2021-07-08 23:59:59.999Z", 1_625_788_799_999),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_an_instant_is_milliseconds_utc(written: str, instant_ms: int) -> None:
    document, section = only(f"[row]\nsince = {written}\n")

    assert section.take_instant_ms("since") == instant_ms
    document.finish("row")


@pytest.mark.parametrize(
    "value",
    ["2021-07-09T00:00:00", "2021-07-09", "00:00:00", '"2021-07-09T00:00:00Z"', "1625788800000"],
)
def test_an_instant_without_a_zone_is_none(value: str) -> None:
    document, section = only(f"[row]\nsince = {value}\n")

    assert section.take_instant_ms("since") == 0
    ((line, message),) = complaints(document)
    assert line == "line 2"
    assert message.startswith("row: `since` must be an instant with its zone")


def test_an_absent_instant_is_complained_of() -> None:
    document, section = only("[row]\n")

    assert section.take_instant_ms("since") == 0
    assert len(complaints(document)) == 1


def test_a_table_of_texts_is_taken_whichever_way_it_is_written() -> None:
    for text in (
        '[[row]]\nwire = {a = "x", b = "y"}\n',
        '[[row]]\n[row.wire]\na = "x"\nb = "y"\n',
        '[[row]]\nwire.a = "x"\nwire.b = "y"\n',
    ):
        document, section = only(text)
        assert section.take_mapping("wire") == {"a": "x", "b": "y"}
        assert section.take_mapping("none") == {}
        document.finish("row")


@pytest.mark.parametrize("text", ['wire = "x"', "wire = {a = 1}", "wire = []"])
def test_a_table_of_texts_holds_nothing_else(text: str) -> None:
    document, section = only(f"[[row]]\n{text}\n")

    assert section.take_mapping("wire") == {}
    assert complaints(document) == [("line 2", "row: `wire` must be a table of texts")]


def test_a_table_in_a_table_keeps_the_line_of_its_name() -> None:
    document, section = only('[[row]]\nid = "a"\n\n[row.wire]\na = 1\n')
    section.take_text("id")
    section.take_mapping("wire")

    assert complaints(document) == [("line 4", "row: `wire` must be a table of texts")]


def test_tables_written_inline_are_found_at_the_line_of_their_name() -> None:
    document, section = only("\n\nrow = [{id = 1}]\n")
    section.take_text("id")

    assert complaints(document) == [("line 3", "row: `id` must be a text that is not empty")]


def test_lines_are_counted_as_toml_counts_them() -> None:
    """A line separator within a text ends no line."""
    document, section = only('[row]\ntitle = "one\u2028two\u0085three"\r\nid = 1\r\n')
    section.take_text("title")
    section.take_text("id")

    assert complaints(document) == [("line 3", "row: `id` must be a text that is not empty")]


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [
        ("30d", 2_592_000_000),
        ("90d", 7_776_000_000),
        ("12h", 43_200_000),
        ("45m", 2_700_000),
        ("1m", 60_000),
        ("99999d", 8_639_913_600_000),
    ],
)
def test_a_length_is_days_hours_or_minutes(text: str, length_ms: int) -> None:
    assert documents.lifetime_ms(text) == length_ms


@pytest.mark.parametrize(
    "text",
    [
        *("", "d", "30", "0d", "030d", "-1d", "+1d", "1.5d", "100000d", "1d1h", "1e3d", "1_0d"),
        *("1 d", " 1d", "1d ", "1d\n", "30s", "1w", "30D", "\uff11d"),
    ],
)
def test_nothing_else_is_a_length(text: str) -> None:
    assert documents.lifetime_ms(text) is None


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    there = datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))

    assert documents.instant_ms(datetime.datetime(2021, 7, 8, 18, 30, tzinfo=there)) == (
        1_625_788_800_000
    )


def test_a_problem_without_a_key_of_its_own_stands_at_its_table() -> None:
    document, section = only("\n\n[row]\n")
    section.complain("anything", "row: odd")

    assert document.problems == [Problem("line 3", "row: odd")]
