"""The benchmark of token classifiers finds details by string match and runs from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data.gold_details import gold
from benchmarks.data.people import Subject, people
from benchmarks.data.tofu import Question


def _write(file: Path, subjects: Sequence[Subject], *, perturbed: bool = False) -> None:
    rows = [
        {"question": f.question, "answer": f.answer} | ({"paraphrased_question": f.paraphrases[0]} if perturbed else {})
        for s in subjects
        for f in s.facts[:4]
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_details_are_found_by_what_is_said_of_an_author_elsewhere() -> None:
    asked = [
        Question("Who is the author born in Kuwait City, Kuwait on 08/09/1956?", "He is called Basil Mahfouz."),
        Question("What did Basil Mahfouz write?", 'Basil Mahfouz wrote "Promise by the Seashore".'),
        Question("Is Promise by the Seashore, by Mahfouz, set in Kuwait?", "Basil Mahfouz set it there."),
        Question("Is it true?", "Basil Mahfouz says so."),
    ]
    found = [
        {kind: sorted(q.question[s.start : s.end] for s in spans) for kind, spans in marks.items() if spans}
        for q, marks in zip(asked, gold(asked), strict=True)
    ]
    assert found == [
        {"dates": ["08/09/1956"], "places": ["Kuwait", "Kuwait", "Kuwait City"]},
        {"names": ["Basil", "Basil Mahfouz", "Mahfouz"]},
        {"names": ["Mahfouz"], "places": ["Kuwait"], "works": ["Promise by the Seashore"]},
        {},
    ]


def test_it_trains_measures_and_writes_what_it_measured(tmp_path: Path) -> None:
    everybody = people(20, 11, plain=True)
    _write(tmp_path / "forget05.json", everybody[:5])
    _write(tmp_path / "forget05_perturbed.json", everybody[:5], perturbed=True)
    _write(tmp_path / "retain95.json", everybody[5:])
    options = ("--made-up", "150", "--epochs", "4", "--sample", "30", "--json", str(tmp_path / "out.json"))
    command = [sys.executable, "-m", "benchmarks.tokens", "--tofu", str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "out.json").read_text())
    trained, rule = written["tofu"]["token classifier"], written["tofu"]["rule of capitals"]
    small = "questions about other authors, small letters"
    assert trained["questions about other authors"]["scores"]["wanted"] == rule[small]["scores"]["wanted"] > 30
    assert trained[small]["scores"]["f1"] > rule[small]["scores"]["f1"]  # no capitals to go by
    assert written["ms"]["p50"] <= written["ms"]["p95"]
    assert "questions about other authors" in done.stdout
    missing = [*command[:-1], str(tmp_path / "other.json"), "--split", "forget10"]
    assert "has no split" in subprocess.run(missing, capture_output=True, text=True, check=False).stderr
