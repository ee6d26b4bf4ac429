"""Probes of representations, weights and drawn answers: by hand, and which way they go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.probes.bounds import dkw_mean
from benchmarks.probes.cka import linear_cka
from benchmarks.probes.registry import probe
from guard.verification.bounds import upper
from tests.benchmarks.attacks.test_attacks import Silent


def _value(name: str, victim: Victim) -> float:
    found = probe(name).measure(victim)
    assert isinstance(found, Measured)
    return found.value


def test_cka_is_one_for_turned_and_scaled_states_and_less_for_others() -> None:
    import torch

    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [2.0, 0.5]])
    turned = 3 * x @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]]) + 7
    assert linear_cka(x, turned) == pytest.approx(1, abs=1e-5)
    one, other = torch.tensor([[1.0], [-1.0], [0.0], [0.0]]), torch.tensor([[0.0], [0.0], [1.0], [-1.0]])
    assert linear_cka(one, other) == 0
    assert linear_cka(one, torch.ones(4, 1)) == 0


def test_a_model_is_like_itself_and_another_is_not(victim: Victim, ignorant: Victim) -> None:
    assert _value("cka_target", victim) == pytest.approx(1, abs=1e-4)
    assert _value("cka_target", ignorant) < 0.999
    assert _value("cka_retained", ignorant) == pytest.approx(1, abs=1e-4)


def test_fade_is_nothing_between_a_model_and_itself(victim: Victim, ignorant: Victim) -> None:
    assert _value("fade", ignorant) == pytest.approx(0, abs=1e-4)
    assert _value("fade", victim) > 0.5


def test_uwc_gives_back_as_much_of_the_target_as_it_takes(victim: Victim, ignorant: Victim) -> None:
    whole = probe("uwc").measure(victim)
    assert isinstance(whole, Measured)
    assert whole.note.startswith("0.000")
    broken = probe("uwc").measure(ignorant)
    assert isinstance(broken, Measured)
    assert float(broken.note.split()[0]) > 0.3


def test_bounds_are_those_of_the_books() -> None:
    assert upper(0, 100, 0.95) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert upper(5, 5, 0.99) == 1
    assert upper(1, 10, 0.95) == pytest.approx(0.3942, abs=1e-4)
    eps = (2.995732 / 8) ** 0.5  # ln 20 over twice four
    assert dkw_mean([0.0] * 4, 0.05) == pytest.approx(eps, abs=1e-5)
    assert dkw_mean([1.0] * 4, 0.05) == 1
    assert dkw_mean([0.0, 1.0] * 5000, 0.05) == pytest.approx(0.5 + (2.995732 / 20_000) ** 0.5, abs=1e-4)


def test_who_knows_leaks_more_when_drawn_from(victim: Victim, ignorant: Victim) -> None:
    for name in ("leak_bound", "leak_mean_bound", "leak_deviation"):
        assert _value(name, victim) > _value(name, ignorant)
    found = probe("leak_bound").measure(victim)
    assert isinstance(found, Measured)
    assert "16 draws a question" in found.note
    assert len(victim.drawn) == 1  # one drawing for all


def test_concept_vectors_are_those_of_the_target(victim: Victim, ignorant: Victim) -> None:
    assert _value("concept_vectors", victim) == 1
    assert _value("concept_vectors", ignorant) < 1
    found = probe("needle").measure(victim)
    assert isinstance(found, Measured)
    assert found.value == _value("needle", ignorant)
    assert found.note.endswith("other vectors")


@pytest.mark.parametrize("name", ["cka_target", "recovery_linear", "fade", "uwc"])
def test_a_guard_that_declines_predicts_nothing_to_look_at(victim: Victim, name: str) -> None:
    assert isinstance(probe(name).measure(replace(victim, guard=Silent())), Undefined)
