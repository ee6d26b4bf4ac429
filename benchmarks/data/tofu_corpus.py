"""TOFU as a corpus: authors to forget, to keep, and that no model meets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.registry import Selection
from benchmarks.data.tofu import PER_AUTHOR, load_rows
from classifiers.names import derive_names

HUB = "locuslab/TOFU"
_RETAIN = {"forget01": "retain99", "forget05": "retain95", "forget10": "retain90"}
Row = Mapping[str, Any]


def load(source: str | None, selection: Selection) -> Corpus:
    """The first authors of a forget split and of its retain split, with the benchmark's own rewordings.

    ``held`` are the retain split's next authors; where it has none left, those of TOFU's holdout split, which came
    later and no published model was taught. Retain authors have rewordings as far as ``retain_perturbed`` goes.

    Raises:
        ValueError: there is no such part, or a split has fewer authors.
        FileNotFoundError: a split is not there.
    """
    source, part = source or HUB, selection.part or "forget10"
    if part not in _RETAIN:
        raise ValueError(f"TOFU has no part {part!r}: choose from {', '.join(_RETAIN)}")
    forget = _first(part, load_rows(source, f"{part}_perturbed"), selection.forget)
    kept = load_rows(source, _RETAIN[part])
    retain = _first(_RETAIN[part], kept, selection.retain)
    held: Sequence[Row] = kept[len(retain) :][: selection.held * PER_AUTHOR]
    if len(held) < selection.held * PER_AUTHOR:
        held = _first(f"holdout{part[-2:]}", load_rows(source, f"holdout{part[-2:]}"), selection.held)
    known = {row["question"]: row for row in load_rows(source, "retain_perturbed")}
    return Corpus(
        f"TOFU {part}, {selection.forget} / {selection.retain} / {selection.held} authors", _items(forget),
        _items([known.get(row["question"], row) for row in retain]),
        _items([known.get(row["question"], row) for row in held]),
        {"real_authors": _asked(source, "real_authors"), "world_facts": _asked(source, "world_facts")},
    )  # fmt: skip


def _first(split: str, rows: Sequence[Row], authors: int) -> Sequence[Row]:
    if authors * PER_AUTHOR > len(rows):
        raise ValueError(f"{split} has {len(rows) // PER_AUTHOR} authors, not {authors}")
    return rows[: authors * PER_AUTHOR]


def _items(rows: Sequence[Row]) -> tuple[Item, ...]:
    blocks = [rows[start : start + PER_AUTHOR] for start in range(0, len(rows), PER_AUTHOR)]
    return tuple(_item(row, name) for block in blocks for name in [_author(block)] for row in block)


def _author(rows: Sequence[Row]) -> str:
    """The name that most of an author's questions are found to be about."""
    names = Counter(name for name in derive_names([(r["question"], r["answer"]) for r in rows]) if name)
    return names.most_common(1)[0][0] if names else rows[0]["question"]


def _item(row: Row, subject: str) -> Item:
    return Item(
        row["question"], row["answer"], subject, row.get("paraphrased_question"),
        row.get("paraphrased_answer"), tuple(row.get("perturbed_answer") or ()),
    )  # fmt: skip


def _asked(source: str, split: str) -> tuple[Item, ...]:
    """Real people and facts, which every model may know: TOFU has no other wording of their answers."""
    return tuple(
        Item(
            row["question"], row["answer"], _topic(row["question"]), reworded=row["answer"],
            wrong=tuple(row["perturbed_answer"]), options=(row["answer"], *row["perturbed_answer"]),
        )
        for row in load_rows(source, f"{split}_perturbed")
    )  # fmt: skip


def _topic(question: str) -> str:
    quoted = re.search(r"'([^']+)'", question)
    return quoted[1] if quoted else question
