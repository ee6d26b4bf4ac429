"""RWKU (Jin et al., 2024, arXiv 2406.10890): famous people that any model knows, to be forgotten without a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.drawing import choice, taken
from benchmarks.data.files import Where, rows, there
from benchmarks.data.registry import Selection

HUB = "jinzhuoran/RWKU"
_CLOZE = "Please complete the blank in the following question."
Row = Mapping[str, Any]
# On the hub, and in the folders that the benchmark's own script writes.
_ALSO = {
    "forget_target": "intro", "mia_forget": "forget_mia", "mia_retain": "retain_mia", "utility_general": "retain_mmlu",
    "utility_factuality": "triviaqa", "utility_truthfulness": "truthful",
}  # fmt: skip


def load(source: str | None, selection: Selection) -> Corpus:
    """The first targets to forget, the next to keep, and others that are never touched.

    ``forget`` and ``retain`` are the questions of levels 1 (a blank to fill) and 2; whoever teaches a model with them
    teaches what it knows already, so that "taught to neither" does not hold of ``held``. Asked beside:
    "forget_level3" (attacks), "neighbours" (of the targets, both levels), "mia_forget" and "mia_retain" (running
    text), and the utility sets "mmlu", "truthfulqa" and "triviaqa".

    Args:
        source: a folder with ``forget_target.json``, ``forget_level1.json`` ..., or the same under ``All/``; or a
            hub name.
        selection: ``forget``, ``retain`` and ``held`` count targets.

    Raises:
        ValueError: there is a part asked for, or there are fewer targets.
        FileNotFoundError: a file is not there.
    """
    if selection.part:
        raise ValueError("RWKU has no parts")
    source = source or HUB
    targets = [str(row["target"]) for row in _rows(source, "forget_target", "train")]
    forget, retain, held = taken("RWKU targets", targets, selection.forget, selection.retain, selection.held)
    probes = [(level, row) for level in (1, 2) for row in _rows(source, f"forget_level{level}")]
    near = [(level, row) for level in (1, 2) for row in _rows(source, f"neighbor_level{level}")]
    asked = {
        "forget_level3": _probes(((3, row) for row in _rows(source, "forget_level3")), forget),
        "neighbours": _probes(near, forget, about="neighbor"),
        "mia_forget": _members(source, "mia_forget", forget),
        "mia_retain": _members(source, "mia_retain", forget),
        "mmlu": _of(source, "utility_general", forget, _mmlu),
        "truthfulqa": _of(source, "utility_truthfulness", forget, _truthful),
        "triviaqa": _of(source, "utility_factuality", forget, _trivia),
    }
    name = f"RWKU, {len(forget)} / {len(retain)} / {len(held)} targets"
    return Corpus(name, _probes(probes, forget), _probes(probes, retain), _probes(probes, held),
                  {of: items for of, items in asked.items() if items})  # fmt: skip


def _where(table: str, split: str) -> Where:
    names = [table, *([_ALSO[table]] if table in _ALSO else ())]
    return Where([f"{folder}{name}" for folder in ("", "All/") for name in names], table, split)


def _rows(source: str, table: str, split: str = "test") -> list[Row]:
    return rows(source, _where(table, split))


def _probes(found: Iterable[tuple[int, Row]], targets: Iterable[str], about: str = "subject") -> tuple[Item, ...]:
    wanted = set(targets)
    return tuple(
        Item(f"{_CLOZE}\nQuestion: {row['query']}" if level == 1 else row["query"], row["answer"],
             str(row.get(about) or row["subject"]))
        for level, row in found if row["subject"] in wanted
    )  # fmt: skip


def _of(source: str, table: str, targets: Iterable[str], read: Any) -> tuple[Item, ...]:
    """A set that is measured beside, where the folder has it; each target has rows of its own in it."""
    if not there(source, _where(table, "test")):
        return ()
    wanted = set(targets)
    return tuple(read(row) for row in _rows(source, table) if row.get("subject") in wanted)


def _members(source: str, table: str, targets: Iterable[str]) -> tuple[Item, ...]:
    return _of(source, table, targets, _member)


def _member(row: Row) -> Item:
    words = row["text"].split(" ")
    cut = max(1, len(words) // 8)
    return Item(" ".join(words[:cut]), f" {' '.join(words[cut:])}", row["subject"], plain=True)


def _mmlu(row: Row) -> Item:
    return choice(row["question"], row["choices"], int(row["answer"]), row.get("task") or "mmlu")


def _truthful(row: Row) -> Item:
    options, labels = row["mc1_targets"]["choices"], row["mc1_targets"]["labels"]
    return choice(row["question"], options, labels.index(1), row["question"])


def _trivia(row: Row) -> Item:
    answers = row["answers"]
    return Item(row["question"], answers[0] if isinstance(answers, list) else answers, row["question"])
