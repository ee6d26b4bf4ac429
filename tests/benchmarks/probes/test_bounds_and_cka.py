"""Bounds by hand and by chance, CKA without its bias, and value vectors that were moved."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured
from benchmarks.models.hooks import layers
from benchmarks.probes.bounds import dkw_mean, dkw_spread, leaks
from benchmarks.probes.cka import linear_cka, unbiased_cka
from benchmarks.probes.registry import probe


def test_the_bound_on_a_spread_by_hand() -> None:
    alpha = 2 * math.exp(-2 * 4 * 0.1**2)  # eps 0.1 of four scores
    assert dkw_spread([0.5] * 4, alpha) == pytest.approx(0.35)  # E[X^2] 1/4 + 3/4 * 0.1, E[X] 1/2 * 0.9
    assert dkw_spread([0.0] * 4, 0.01) == 0.5
    assert dkw_spread([0.3] * 100_000, 0.01) < 0.1


def test_the_bounds_hold_as_often_as_they_say() -> None:
    import numpy as np

    drawn = np.random.default_rng(0).random((300, 30))  # mean 1/2, std 1/sqrt(12)
    assert np.mean([dkw_mean(row.tolist(), 0.1) >= 0.5 for row in drawn]) >= 0.9
    assert np.mean([dkw_spread(row.tolist(), 0.1) >= 1 / math.sqrt(12) for row in drawn]) >= 0.9


def test_no_more_is_drawn_than_allowed(victim: Victim) -> None:
    found = leaks(victim, "spread", draws=4, total=9)
    assert isinstance(found, Measured)
    assert found.n == 2


def test_unbiased_cka_finds_nothing_shared_where_dimensions_outnumber_places() -> None:
    import torch

    one, other = torch.randn(2, 30, 400, generator=torch.Generator().manual_seed(0))
    assert linear_cka(one, other) > 0.85
    assert abs(unbiased_cka(one, other)) < 0.1
    assert unbiased_cka(one, one) == pytest.approx(1)
    assert math.isnan(unbiased_cka(one[:3], other[:3]))


def test_cka_of_four_places_by_hand() -> None:
    import torch

    x, y = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]]), torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    assert linear_cka(x, torch.cat([x, y], 1)) == pytest.approx(1 / math.sqrt(2))  # 4^2 / (4 * sqrt(4^2 + 4^2))


def test_every_token_of_the_answers_is_a_place(victim: Victim) -> None:
    found = probe("cka_retain").measure(victim)
    assert isinstance(found, Measured)
    assert "over 57 places; unbiased 1.000" in found.note
    assert found.n == 2


def test_value_vectors_that_were_turned_round_show_it(victim: Victim) -> None:
    def turned() -> Any:
        model = victim.target()
        for layer in layers(model):
            layer.mlp.down_proj.weight.data.neg_()
        return model

    names = ("concept_vectors", "concept_cosine", "concept_distance")
    still = [_value(name, victim) for name in names]
    kept, cosine, distance = (_value(name, replace(victim, load=turned)) for name in names)
    assert still == pytest.approx([1, 1, 0], abs=1e-6)
    assert kept < 0.2
    assert cosine == pytest.approx(-1)
    assert distance > 0.1


def _value(name: str, victim: Victim) -> float:
    found = probe(name).measure(victim)
    assert isinstance(found, Measured)
    return found.value
