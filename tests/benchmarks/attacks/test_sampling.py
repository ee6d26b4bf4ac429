"""The worst and the mean of several drawn answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.attacks.attack import Active
from benchmarks.attacks.registry import attack
from benchmarks.attacks.sampling import best, usual
from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.models.generating import Sampling


class Drawing(Victim):
    """A row that says what it is to say."""

    def draw(self, model: Any, items: Sequence[Item], sampling: Sampling) -> list[list[str]]:
        return [["Hm .", item.answer] for item in items[:1]] + [["Hm .", "Hm ."] for _ in items[1:]]


def _measured(found: Measured | Undefined) -> Measured:
    assert isinstance(found, Measured)
    return found


def test_the_best_and_the_mean_of_what_is_drawn(victim: Victim) -> None:
    told = Drawing(**{name: getattr(victim, name) for name in Victim.__dataclass_fields__})
    found = _measured(best(told, 2))
    assert (found.value, found.values, found.n) == (1 / 6, (1, 0, 0, 0, 0, 0), 6)
    assert _measured(usual(told, 2)).values == (0.5, 0, 0, 0, 0, 0)


def test_the_best_of_the_same_answers_is_never_under_their_mean(victim: Victim) -> None:
    found, other = _measured(best(victim, 4)), _measured(usual(victim, 4))
    assert all(most >= least for most, least in zip(found.values, other.values, strict=True))


@pytest.mark.parametrize("name", ["sampling", "sampling_mean"])
def test_who_knows_leaks_more(victim: Victim, ignorant: Victim, name: str) -> None:
    one = attack(name)
    assert isinstance(one, Active)
    knows, knows_not = (_measured(one.leak(row)) for row in (victim, ignorant))
    assert knows.value > knows_not.value


def test_nothing_is_said_of_a_row_that_was_asked_nothing(victim: Victim) -> None:
    assert isinstance(usual(replace(victim, sets={})), Undefined)
