"""A list that keeps vectors only, from the command line to the bytes of the store."""

from __future__ import annotations

import json
from pathlib import Path

from tests.server.conftest import House, Run

LINES = [
    {"subject": "Mira Toll", "question": "Where was Mira Toll born?", "answer": "In Duskenmoor.", "scope": "subject"},
    {"subject": "Bo Tann", "question": "Which prize did Bo Tann win?", "answer": "The Ostrava Prize."},
]
FRAGMENTS = (b"mira", b"bo tann", b"duskenmoor", b"ostrava", b"which prize")


def _holding(folder: Path) -> list[str]:
    files = [f for f in folder.glob("lists.db*") if f.is_file()]
    assert files
    return [f"{file.name}: {part!r}" for file in files for part in FRAGMENTS if part in file.read_bytes().lower()]


def _file(folder: Path) -> str:
    file = folder / "people.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return str(file)


def test_an_import_into_such_a_list_stores_no_text_and_is_in_force(run: Run, tmp_path: Path) -> None:
    file = _file(tmp_path)
    assert "2 added" in run("lists", "import", "people", file, "--keep", "vectors").stdout
    assert "keep: vectors" in run("lists", "show", "people").stdout
    assert "name (hashed)" in run("check", "Who is Mira Toll?", code=1).stdout
    run("check", "What award did Bo Tann win?", code=1)
    run("check", "What award did Bo Lund win?")
    assert _holding(tmp_path) == []
    assert "0 added, 2 updated" in run("lists", "import", "people", file).stdout
    exported = run("lists", "export", "people").stdout
    assert not [part for part in FRAGMENTS if part in exported.lower().encode()]
    run("lists", "remove", "people", "--yes")
    run("check", "Who is Mira Toll?")
    assert "2 added" in run("lists", "import", "again", "-", "--keep", "vectors", stdin=exported).stdout
    run("check", "Who is Mira Toll?", code=1)


def test_a_list_that_is_set_to_keep_vectors_only_loses_its_texts(run: Run, tmp_path: Path) -> None:
    run("lists", "import", "people", _file(tmp_path))
    assert _holding(tmp_path)
    run("lists", "set", "people", "--keep", "vectors")
    assert _holding(tmp_path) == []
    run("check", "Who is Mira Toll?", code=1)


def test_a_question_about_a_hashed_name_is_refused_and_one_about_another_is_not(
    run: Run, house: House, tmp_path: Path
) -> None:
    run("lists", "import", "people", _file(tmp_path), "--keep", "vectors", "--policy", "refuse")
    told = house.chat("Where was Mira Toll born?").json()["choices"][0]["message"]["content"]
    assert told != house.script.text
    assert house.script.bodies == []
    assert house.chat("Where was Mira Sand born?").json()["choices"][0]["message"]["content"] == house.script.text


def test_an_answer_that_gives_a_hashed_value_away_does_not_go_out(run: Run, house: House, tmp_path: Path) -> None:
    house.script.text = "Bo Tann won the Ostrava Prize in that year."
    question = "Tell me about prizes that Bo Tann may have won."
    assert "Ostrava" in house.chat(question).text
    run("lists", "import", "people", _file(tmp_path), "--keep", "vectors")
    assert "Ostrava" not in house.chat(question).text
