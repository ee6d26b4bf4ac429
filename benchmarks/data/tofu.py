"""TOFU (Maini et al., 2024, arXiv 2401.06121), from a folder of its files or the hub's name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """One question-answer pair; ``paraphrase`` is the benchmark's own paraphrased question, where it has one."""

    question: str
    answer: str
    paraphrase: str | None = None


def load(source: str, split: str) -> list[Question]:
    """The split called ``split`` ("forget05", "forget05_perturbed", "retain95", ...).

    Args:
        source: a folder with ``<split>.json`` or ``.jsonl`` (JSON lines or one array), or a hub name.
        split: as TOFU names it.

    Raises:
        FileNotFoundError: the folder has no such split.
    """
    return [
        Question(row["question"], row["answer"], row.get("paraphrased_question")) for row in load_rows(source, split)
    ]


def load_rows(source: str, split: str) -> list[dict[str, Any]]:
    """The split with all that it holds; arguments and errors as ``load``."""
    folder = Path(source)
    return _from_folder(folder, split) if folder.is_dir() else _from_hub(source, split)


def _from_folder(folder: Path, split: str) -> list[dict[str, Any]]:
    for suffix in (".json", ".jsonl"):
        file = folder / f"{split}{suffix}"
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            if text.lstrip().startswith("["):
                rows: list[dict[str, Any]] = json.loads(text)
                return rows
            return [json.loads(line) for line in text.splitlines() if line.strip()]
    known = ", ".join(sorted(f.stem for f in folder.glob("*.json*")))
    raise FileNotFoundError(f"{folder} has no split {split!r}; it has: {known or 'nothing'}")


def _from_hub(name: str, split: str) -> list[dict[str, Any]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise FileNotFoundError(f"{name} is no folder, and the hub needs: pip install datasets") from error
    return [dict(row) for row in load_dataset(name, split)["train"]]


PER_AUTHOR = 20  # TOFU's pairs come author by author


def authors(source: str, split: str, count: int) -> list[Question]:
    """All questions about the first ``count`` authors of ``split``.

    Raises:
        ValueError: the split has fewer authors.
    """
    rows = load(source, split)
    if count * PER_AUTHOR > len(rows):
        raise ValueError(f"{split} has {len(rows) // PER_AUTHOR} authors, not {count}")
    return rows[: count * PER_AUTHOR]
