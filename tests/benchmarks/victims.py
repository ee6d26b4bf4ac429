"""Rows of a comparison over the tiny models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.attacks.victim import Guard, Victim
from benchmarks.data.corpus import Corpus, Item
from benchmarks.metrics.reading import Readings
from benchmarks.metrics.scoring import read
from tests.benchmarks.methods.tiny import CORPUS, Ground

HELD = (
    Item("Where was Per Lund born ?", "Per Lund was born in Lisk .", "Per Lund"),
    Item("What was the work of Per Lund ?", "They were a judge .", "Per Lund"),
)
WHOLE: Corpus = replace(CORPUS, held=HELD)
SETS = {"forget": WHOLE.forget, "retain": WHOLE.retain}
MOST = 8


def victim_of(ground: Ground, name: str, load: Callable[[], Any], guard: Guard | None = None) -> Victim:
    """A row with the tiny target, and the model from before as the retained one."""
    target, retained = _readings(ground.base.parent, "target"), _readings(ground.base.parent, "base")
    own = {"target": target, "retained": retained}.get(name) or _read(ground, load())
    return Victim(
        name, load, partial(ground.load, ground.target), partial(ground.load, ground.base), ground.tokenizer, WHOLE,
        SETS, own, target, retained, guard, seed=0, max_tokens=MOST, batch=8,
    )  # fmt: skip


@cache
def _readings(folder: Path, of: str) -> Readings:
    ground = Ground(folder / "base", folder / "target")
    return _read(ground, ground.load(folder / of))


def _read(ground: Ground, model: Any) -> Readings:
    return read(model, ground.tokenizer, SETS, max_tokens=MOST, batch=8)


class Unwatched:
    """What a guard does with answers, where a test is about questions."""

    def released(self, question: str, text: str, plain: bool = False) -> str:
        """All of it."""
        return text
