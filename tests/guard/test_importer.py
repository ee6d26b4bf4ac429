"""Lines into entries, and back."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from guard.importer import read_entries, to_line


def _read(*items: object) -> tuple[list[object], list[object]]:
    entries, problems = read_entries([json.dumps(i) for i in items], "a")
    return list(entries), list(problems)


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


@given(
    st.fixed_dictionaries(
        {"subject": texts, "question": texts}, optional={"answer": texts, "aliases": st.lists(texts, max_size=3)}
    )
)
def test_an_exported_line_reads_back_the_same(item: dict[str, object]) -> None:
    first, problems = read_entries([json.dumps(item)], "a")
    assert not problems
    again, _ = read_entries([to_line(e) for e in first], "a")
    assert again == first
