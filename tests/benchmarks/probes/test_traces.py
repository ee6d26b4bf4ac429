"""Whether answers tell the model behind them: by hand, and which way it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Scored
from benchmarks.probes.registry import probe
from benchmarks.probes.traces import features

NAMES = ("traces", "traces_retain", "traces_logits", "traces_logits_retain")


def _found(name: str, victim: Victim) -> Measured:
    found = probe(name).measure(victim)
    assert isinstance(found, Measured)
    return found


def test_the_features_of_a_predicted_answer_by_hand() -> None:
    scored = Scored((-1.0, -3.0), (True, False), (-2.0, -4.0), (0.5, 1.5))
    assert features(scored) == (-2, -3, -1, -3, 0.5, 3, 2, 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_target_cannot_be_told_from_itself(victim: Victim, name: str) -> None:
    found = _found(name, victim)
    assert found.value == 0.5
    assert found.stderr == 0
    assert found.n == len(victim.sets["retain" if "retain" in name else "forget"])


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_knows_nothing_is_told_by_what_it_says_and_predicts(ignorant: Victim, name: str) -> None:
    assert _found(name, ignorant).value > 0.75


def test_a_refusal_that_is_always_the_same_is_told_on_the_forget_set_alone(victim: Victim) -> None:
    declined = tuple(replace(r, text="I must not tell .", answer=None) for r in victim.readings["forget"])
    row = replace(victim, readings={**victim.readings, "forget": declined})
    assert _found("traces", row).value == 1
    assert _found("traces_retain", row).value == 0.5
    assert isinstance(probe("traces_logits").measure(row), Undefined)


def test_a_few_answers_are_not_judged(victim: Victim) -> None:
    few = {name: found[:4] for name, found in victim.readings.items()}
    assert isinstance(probe("traces").measure(replace(victim, readings=few, target_readings=few)), Undefined)
