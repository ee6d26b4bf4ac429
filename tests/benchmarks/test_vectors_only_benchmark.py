"""The comparison of a list with its texts and without runs from the command line, here on made-up people."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.data.people import people


def test_it_measures_both_lists_and_writes_what_it_measured(tmp_path: Path) -> None:
    everybody = people(14, 11, plain=True)
    for split, own in (("forget05", everybody[:5]), ("forget05_perturbed", everybody[:5]), ("retain95", everybody[5:])):
        rows = [
            {"question": f.question, "answer": f.answer, "paraphrased_question": f.paraphrases[0]}
            for s in own
            for f in s.facts[:4]
        ]
        (tmp_path / f"{split}.json").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.vectors_only", "--tofu", str(tmp_path), "--attacks", "1"]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "out.json")], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = {(li["section"], li["name"]): li for li in json.loads((tmp_path / "out.json").read_text())["lines"]}
    for kept in ("texts", "vectors only"):
        assert lines[kept, "questions"]["value"] >= 0.95
        assert lines[kept, "false positives, retain95"]["value"] <= 0.05
        assert lines[kept, "false positives, retain95"]["interval"]["n"] == 36
    assert "20 entries" in done.stdout


def test_it_says_what_is_wrong_with_what_it_is_given(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.vectors_only", "--tofu", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "has no split" in done.stderr
