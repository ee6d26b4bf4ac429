"""Utility tasks for lm-evaluation-harness whose data are at hand: made here, or read from TOFU.

Each is a folder entry of the harness: a YAML file, its questions as JSON lines, and a function that scores an answer.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data.registry import Selection, corpus

_SCORING = '''"""How an answer is scored: written by benchmarks.suites.tasks for lm-evaluation-harness."""

import re


def number(doc, results):
    found = re.findall(r"-?\\d+", results[0].replace(",", ""))
    return {"score": float(bool(found) and found[-1] == doc["answer"])}


def words(doc, results):
    own, said = (re.findall(r"\\w+", text.lower()) for text in (doc["answer"], results[0]))
    return {"score": sum(word in said for word in own) / max(1, len(own))}
'''


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``answer``: a number as digits, or words that are to be in the answer."""

    question: str
    answer: str


def arithmetic(count: int, seed: int) -> list[Question]:
    """Sums and differences of two numbers, as a small model can do some of."""
    rng = random.Random(seed)  # noqa: S311 - questions, not a secret
    found = []
    for _ in range(count):
        a, b = rng.randint(2, 60), rng.randint(2, 30)
        if rng.random() < 0.5:
            found.append(Question(f"What is {a} plus {b}? Answer with the number alone.", str(a + b)))
        else:
            found.append(Question(f"What is {a + b} minus {b}? Answer with the number alone.", str(a)))
    return found


def tofu(folder: str, count: int) -> dict[str, list[Question]]:
    """TOFU's questions on real authors and on the world."""
    chosen = corpus("tofu", folder, Selection(forget=1, retain=1, part="forget01"))
    return {
        name: [Question(item.question, item.answer) for item in chosen.asked.get(name, ())[:count]]
        for name in ("real_authors", "world_facts")
    }


def write_tasks(folder: Path, tasks: Mapping[str, Sequence[Question]], max_tokens: int) -> list[str]:
    """Write the tasks for ``lm_eval --include_path folder``; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scoring.py").write_text(_SCORING, encoding="utf-8")
    names = []
    for name, questions in tasks.items():
        data = folder / f"{name}.jsonl"
        rows = ({"question": one.question, "answer": one.answer} for one in questions)
        data.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        way = "number" if all(one.answer.lstrip("-").isdigit() for one in questions) else "words"
        names.append(f"letheward_{name}")
        (folder / f"{name}.yaml").write_text(_yaml(names[-1], data, way, max_tokens), encoding="utf-8")
    return names


def _yaml(name: str, data: Path, way: str, max_tokens: int) -> str:
    return (
        f"task: {name}\n"
        "dataset_path: json\n"
        f"dataset_kwargs:\n  data_files:\n    test: {json.dumps(str(data.resolve()))}\n"
        "test_split: test\n"
        "output_type: generate_until\n"
        'doc_to_text: "{{question}}"\n'
        'doc_to_target: "{{answer}}"\n'
        f"process_results: !function scoring.{way}\n"
        f"generation_kwargs:\n  until: []\n  do_sample: false\n  temperature: 0\n  max_gen_toks: {max_tokens}\n"
        "metric_list:\n  - metric: score\n    aggregation: mean\n    higher_is_better: true\n"
        "metadata:\n  version: 1\n"
    )
