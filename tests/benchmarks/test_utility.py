"""What is handed to lm-evaluation-harness and read back; the harness itself is run by ``make bench-utility``."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
import yaml

from benchmarks.suites.harness import Answered, answers_in
from benchmarks.suites.tasks import Question, arithmetic, write_tasks
from benchmarks.utility import compared


def test_sums_are_right_and_the_seed_s() -> None:
    made = arithmetic(50, 1)
    assert made == arithmetic(50, 1) != arithmetic(50, 2)
    for one in made:
        a, sign, b = one.question.removeprefix("What is ").partition("?")[0].split()
        assert int(one.answer) == (int(a) + int(b) if sign == "plus" else int(a) - int(b))


def test_a_task_is_what_the_harness_reads(tmp_path: Path) -> None:
    tasks = {"sums": arithmetic(3, 0), "capitals": [Question("Capital of France?", "Paris it is")]}
    assert write_tasks(tmp_path, tasks, 16) == ["letheward_sums", "letheward_capitals"]
    text = (tmp_path / "capitals.yaml").read_text()
    assert "process_results: !function scoring.words" in text
    found = yaml.safe_load(text.replace("!function ", ""))
    assert found["task"] == "letheward_capitals"
    assert found["generation_kwargs"]["max_gen_toks"] == 16
    rows = Path(found["dataset_kwargs"]["data_files"]["test"]).read_text().splitlines()
    assert [json.loads(row) for row in rows] == [{"question": "Capital of France?", "answer": "Paris it is"}]
    scoring = runpy.run_path(str(tmp_path / "scoring.py"))
    assert scoring["words"]({"answer": "Paris it is"}, ["I think it is Rome."]) == {"score": pytest.approx(2 / 3)}
    assert scoring["number"]({"answer": "42"}, ["12 + 30 = 42."]) == {"score": 1.0}
    assert scoring["number"]({"answer": "42"}, ["forty"]) == {"score": 0.0}


def test_two_runs_are_compared_question_by_question() -> None:
    bare = [Answered(0, "a", 1.0), Answered(1, "b", 0.0), Answered(2, "c", 1.0), Answered(3, "d", 1.0)]
    proxied = [Answered(0, "a", 1.0), Answered(1, "b", 0.0), Answered(2, "x", 0.0), Answered(3, "d", 1.0)]
    found = compared("t", bare, proxied)
    assert (found.n, found.bare, found.proxied, found.difference, found.same) == (4, 0.75, 0.5, -0.25, 3)
    assert found.stderr == pytest.approx(0.25)
    with pytest.raises(ValueError, match="other questions"):
        compared("t", bare, proxied[1:])


def test_the_harness_s_own_files_are_read(tmp_path: Path) -> None:
    rows = [{"doc_id": 1, "resps": [["two"]], "score": 0.0}, {"doc_id": 0, "resps": [["one"]], "score": 1.0}]
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "samples_t_2026.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert answers_in(tmp_path, "t") == [Answered(0, "one", 1.0), Answered(1, "two", 0.0)]
    with pytest.raises(RuntimeError, match="left no answers of u"):
        answers_in(tmp_path, "u")
