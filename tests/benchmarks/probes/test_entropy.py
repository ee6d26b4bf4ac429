"""The entropy along answers: by hand, and who is surer."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Reading, Scored
from benchmarks.probes.entropy import entropy
from benchmarks.probes.registry import probe


def test_the_entropy_of_an_even_and_of_a_sure_prediction(victim: Victim) -> None:
    even, sure = -math.log(4), 0.0
    scored = Scored((-1.0, -1.0, -1.0), (True, True, True), (even, sure, -9.0), (0.0, 0.0, 0.0))
    item = victim.sets["forget"][0]
    found = entropy(replace(victim, readings={"forget": (Reading(item, scored),)}), "forget")
    assert isinstance(found, Measured)
    assert found.value == pytest.approx(math.log(4) / 2)  # without the end token's


def test_who_learnt_the_answers_is_surer_of_them(victim: Victim, ignorant: Victim) -> None:
    for name in ("entropy", "entropy_retain"):
        sure, unsure = probe(name).measure(victim), probe(name).measure(ignorant)
        assert isinstance(sure, Measured)
        assert isinstance(unsure, Measured)
        assert 0 < sure.value < unsure.value


def test_who_predicts_nothing_has_no_entropy(victim: Victim) -> None:
    silent = {"forget": tuple(replace(r, answer=None) for r in victim.readings["forget"])}
    assert isinstance(entropy(replace(victim, readings=silent), "forget"), Undefined)
