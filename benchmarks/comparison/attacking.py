"""Attacks that are other ways to ask, as further sets: what is asked in place of the forget set."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.attacks.attack import Active, Asked
from benchmarks.attacks.registry import attack
from benchmarks.comparison.rows import ATTACKED
from benchmarks.data.corpus import Corpus, Item, answer_alone


def attacked(forget: Sequence[Item], corpus: Corpus, names: Sequence[str], seed: int) -> dict[str, tuple[Item, ...]]:
    """What is asked under each attack of ``names`` that asks otherwise, by the set's name.

    Raises:
        ValueError: there is no such attack.
    """
    chosen = {name: attack(name) for name in names}
    plain = tuple(map(answer_alone, forget))
    return {
        f"{ATTACKED}{name}": tuple(map(answer_alone, one.items(plain, corpus, _chance(name, seed))))
        for name, one in chosen.items()
        if isinstance(one, Asked)
    }


def active(names: Sequence[str]) -> dict[str, Active]:
    """The attacks of ``names`` that do more than ask, by the figure's name."""
    chosen = {name: attack(name) for name in names}
    return {f"{ATTACKED}{name}": one for name, one in chosen.items() if isinstance(one, Active)}


def _chance(name: str, seed: int) -> random.Random:
    return random.Random(f"{seed} {name}")  # noqa: S311 - an order, not a secret
