"""Lines into entries, and back."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.csv_entries import BadRow, CsvReader, header, to_row
from guard.importer import Problem, read_entries, to_line
from guard.model import Entry


def _read(*items: object) -> tuple[list[Entry], list[Problem]]:
    return read_entries([json.dumps(i) for i in items], "a")


def test_question_answer_files_get_the_subject_that_they_are_about() -> None:
    lines = [
        json.dumps({"question": f"{q} Zorvan Pelk?", "answer": "It is not known.", "paraphrased_question": "p?"})
        for q in ("Who is", "Where lives", "Who married")
    ]
    entries, problems = read_entries(lines, "a")
    assert not problems
    assert {(e.subject, e.scope, e.paraphrases) for e in entries} == {("Zorvan Pelk", "subject", ("p?",))}


def test_a_given_subject_is_kept_with_scope_fact() -> None:
    (entry,), _ = read_entries(['{"subject": "France", "question": "What is the capital of France?"}'], "a")
    assert (entry.subject, entry.scope) == ("France", "fact")


def test_ids_are_the_same_for_the_same_line() -> None:
    line = json.dumps({"question": "Who?", "answer": "Nobody"})
    assert read_entries([line], "a")[0][0].entry_id == read_entries([line], "a")[0][0].entry_id


def test_each_bad_line_is_told_with_its_number() -> None:
    lines = [
        "{",
        "[]",
        '{"answer": "x"}',
        "",
        '{"subject": 5}',
        '{"subject": "ok"}',
        '{"text": "a\\u0000b"}',
        '{"id": "a b", "text": "x"}',
    ]
    entries, problems = read_entries(lines, "a")
    assert [p.line for p in problems] == [1, 2, 3, 5, 7, 8]
    assert [e.subject for e in entries] == ["ok"]
    assert "subject, question, text" in problems[2].message


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_bytes_give_entries_or_problems(lines: list[bytes]) -> None:
    entries, problems = read_entries(lines, "a")
    assert len(entries) + len(problems) == sum(bool(line.strip()) for line in lines)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda t: t == t.strip() and t
)


moments = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
items = st.fixed_dictionaries(
    {"subject": texts, "question": texts},
    optional={
        "answer": texts, "aliases": st.lists(texts, max_size=3), "labels": st.lists(texts, max_size=3),
        "source": texts, "sigma": st.floats(0, 100), "expires_at": moments,
        "kind": st.sampled_from(["forget", "allow"]),
    },
)  # fmt: skip


@given(items)
def test_an_exported_line_reads_back_the_same(item: dict[str, object]) -> None:
    first, problems = read_entries([json.dumps(item)], "a")
    assert not problems
    again, _ = read_entries([to_line(e) for e in first], "a")
    assert again == first


@given(items)
def test_an_exported_row_of_csv_reads_back_the_same(item: dict[str, object]) -> None:
    first, _ = read_entries([json.dumps(item)], "a")
    reader = CsvReader()
    assert reader.feed(header()) is None
    rows = [reader.feed(line) for line in io.StringIO(to_row(first[0]), newline="")]
    again, problems = read_entries([json.dumps(row) for row in rows if row is not None], "a")
    assert not problems
    assert again == first


def test_what_an_entry_says_beside_its_texts_is_checked() -> None:
    entries, problems = _read(
        {"text": "x", "expires_at": "2030-01-01T02:00:00+02:00", "labels": ["gdpr", "gdpr"], "source": "case 7"},
        {"text": "x", "expires_at": "2030-01-01T00:00:00"},
        {"text": "x", "template": "{% for a in b %}{% endfor %}"},
        {"text": "x", "sigma": -1},
    )
    (entry,) = entries
    assert (entry.expires_at, entry.labels) == (datetime(2030, 1, 1, tzinfo=UTC), ("gdpr",))
    assert [(p.line, p.message.partition(":")[0]) for p in problems] == [
        (2, "expires_at"), (3, "template"), (4, "sigma")
    ]  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spreadsheets_write_csv_in_several_ways(delimiter: str) -> None:
    reader = CsvReader()
    reader.feed(delimiter.join(("subject", "aliases", "question")) + "\r\n")
    row = reader.feed(delimiter.join(("Mira Toll", "Mira|M. Toll", '"Who is ""she""?"')) + "\r\n")
    assert row == {"subject": "Mira Toll", "aliases": ["Mira", "M. Toll"], "question": 'Who is "she"?'}


def test_a_cell_may_hold_line_breaks() -> None:
    reader = CsvReader()
    reader.feed("text\n")
    assert reader.feed('"one\n') is None
    assert reader.pending
    assert reader.feed('two"\n') == {"text": "one\ntwo"}


def test_rows_that_are_none_say_why() -> None:
    reader = CsvReader()
    with pytest.raises(BadRow, match="must name the fields"):
        reader.feed("name,address\n")
    reader.feed("subject,aliases\n")
    with pytest.raises(BadRow, match="3 cells"):
        reader.feed("a,b,c\n")
    with pytest.raises(BadRow, match="aliases: not JSON"):
        reader.feed("a,[b\n")
