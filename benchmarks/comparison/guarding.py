"""Rows that leave the target as it is: guards, through the real proxy for texts and in process for predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison.outcome import Cost
from benchmarks.comparison.spec import RunSpec
from benchmarks.comparison.stages import Stages
from benchmarks.data.corpus import Corpus, Item
from benchmarks.metrics.reading import Readings


@dataclass(frozen=True, slots=True)
class GuardRow:
    """What came of a guard. ``bare``: the texts of the same server without it."""

    readings: Readings
    bare: Readings
    cost: Cost
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Guards:
    """The guards of a run, asked of one vLLM one after the other."""

    spec: RunSpec
    corpus: Corpus
    names: Sequence[str]
    target: Path
    sets: Mapping[str, Sequence[Item]]
    stages: Stages
    cache_dir: Path
    shown: bool

    def row(self, name: str) -> GuardRow:
        """What came of the guard called ``name``."""
        raise NotImplementedError(name)
