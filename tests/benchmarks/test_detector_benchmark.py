"""The detector's benchmark runs from the command line on a folder in TOFU's format, here of made-up people."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.data.people import Subject, people
from benchmarks.data.traffic import available, unrelated
from classifiers.registry import create_encoder
from classifiers.static import StaticEmbedding


def _write(file: Path, subjects: Sequence[Subject], *, perturbed: bool = False) -> None:
    rows = [
        {"question": f.question, "answer": f.answer}
        | ({"paraphrased_question": f.paraphrases[0], "perturbed_answer": []} if perturbed else {})
        for s in subjects
        for f in s.facts[:4]
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tofu")
    everybody = people(40, 11, plain=True)
    _write(made / "forget05.json", everybody[:8])
    _write(made / "forget05_perturbed.json", everybody[:8], perturbed=True)
    _write(made / "retain95.json", everybody[8:30])
    _write(made / "real_authors_perturbed.json", everybody[30:35])
    _write(made / "world_facts_perturbed.json", everybody[35:])
    StaticEmbedding.distil(create_encoder("minilm-int8"), sentences=400).save(made / "cache/static-minilm-int8.bin")
    return made


def _run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.detector", "--tofu", str(folder), "--cache-dir", str(folder / "cache")]
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=600, check=False)


def test_it_measures_a_list_and_writes_what_it_measured(folder: Path) -> None:
    parts = ("--part", "quality", "--part", "scale", "--entries", "300", "--sample", "4")
    done = _run(folder, *parts, "--json", str(folder / "out.json"))
    assert done.returncode == 0, done.stderr
    written = json.loads((folder / "out.json").read_text())
    assert written["spec"]["scorer"] == "head"
    assert written["spec"]["entries"] == 32
    lines = {f"{line['section']}: {line['name']}": line for line in written["lines"]}
    asked = lines["recall: questions"]
    assert asked["value"] >= 0.95
    assert asked["interval"]["low"] < asked["value"] <= asked["interval"]["high"]
    assert asked["interval"]["n"] == 32
    assert lines["false positives: retain95 questions"]["value"] <= 0.02
    assert lines["traffic: flagged"]["interval"]["n"] == 2000
    assert f"{sum(line['met'] is True for line in written['lines'])} of" in done.stdout


def test_it_says_what_is_wrong_with_what_it_is_given(folder: Path, tmp_path: Path) -> None:
    assert "has no split" in _run(tmp_path, "--split", "forget05").stderr
    assert "forget01" in _run(folder, "--split", "retain95").stderr


def test_ordinary_traffic_is_plenty_and_the_same_for_a_seed() -> None:
    assert available() >= 2000
    assert unrelated(2000, 3) == unrelated(2000, 3)
    assert len(set(unrelated(2000, 3))) == 2000
    with pytest.raises(ValueError, match=r"there are \d+ prompts"):
        unrelated(10**6, 0)
