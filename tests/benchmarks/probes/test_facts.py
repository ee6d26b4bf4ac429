"""What can be read off hidden states: by hand, and which way it points."""

from __future__ import annotations

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Corpus, Item
from benchmarks.metrics.metric import Measured
from benchmarks.probes.facts import chosen, ridge
from benchmarks.probes.registry import probe


def _value(name: str, victim: Victim) -> float:
    found = probe(name).measure(victim)
    assert isinstance(found, Measured)
    return found.value


def test_ridge_on_standardised_states_by_hand() -> None:
    import numpy as np

    learn, targets = np.array([[1.0], [3.0]]), np.array([[0.0], [4.0]])
    found = ridge(learn, targets, np.array([[3.0]]), alpha=2.0)  # z = -1, 1; slope = 4 / (2 + 2); mean 2
    assert found.item() == pytest.approx(3)


def test_the_nearest_retained_subjects_are_chosen_by_their_texts_and_not_by_their_names() -> None:
    def two(name: str, *about: str) -> tuple[Item, ...]:
        return tuple(Item(f"What of {name} and {each}?", f"{name} knows {each}.", name) for each in about)

    forget = two("Ann", "moths", "clocks")
    retain = (*two("Bo", "rain", "tin"), *two("Cy", "moths", "clocks"), *two("Ann Two", "bread", "salt"),
              *two("Di", "clocks", "ships"), Item("Alone?", "Yes.", "Ed"))  # fmt: skip
    found = chosen(Corpus("c", forget, retain), near=True)
    assert list(dict.fromkeys(item.subject for item in found)) == ["Cy", "Di"]
    assert chosen(Corpus("c", forget, retain), near=False) == list(forget)


def test_who_knows_the_facts_has_them_in_its_states(victim: Victim, ignorant: Victim) -> None:
    assert _value("recovery_facts", victim) > _value("recovery_facts", ignorant) + 0.2
    found = probe("recovery_facts").measure(victim)
    assert isinstance(found, Measured)
    assert found.n == 6
    assert "chance 0.167" in found.note


def test_subjects_are_named_with_their_chance_beside(ignorant: Victim) -> None:
    found = probe("recovery_linear").measure(ignorant)
    assert isinstance(found, Measured)
    assert "2 subjects, chance 0.500" in found.note
    assert found.value > 0.5  # the name is in the question
