"""Losses of the field beyond the yardsticks, on a step made by hand, against plain mathematics."""

from __future__ import annotations

from importlib import import_module
from math import exp, log
from typing import Any

import pytest

from benchmarks.methods.registry import method
from tests.benchmarks.methods.toy import (
    FORGET,
    FORGET_BEFORE,
    REFUSED,
    RETAIN,
    predicted,
    pulled,
    sigmoid,
    step,
)

CE_RETAIN = -log(0.9)
CHANCES = (0.5, 0.6, 0.8)  # of the forget answers' tokens


def _loss(name: str, **given: Any) -> Any:
    loss = import_module(f"benchmarks.methods.{name}").loss
    return lambda one: loss(one, method(name).options(**given))


def test_catnip_counts_each_token_by_the_model_s_own_confidence() -> None:
    one = step()
    loss = _loss("catnip", beta=0.5)(one)
    terms = [-(2 / 0.5) * log(sigmoid(-0.5 * log(p / (1 - p)))) for p in CHANCES]
    assert loss.item() == pytest.approx(sum(terms) / 3, rel=1e-5)
    pull = pulled(loss, one.forget.logits)
    weights = [2 * sigmoid(0.5 * log(p / (1 - p))) / 3 for p in CHANCES]
    assert [pull[i][i] for i in range(3)] == pytest.approx([-w for w in weights], rel=1e-4)


def test_catnip_detached_has_the_same_value_and_pulls_by_one_less_p() -> None:
    one, other = step(), step()
    loss = _loss("catnip", beta=0.5, detach=True)(one)
    assert loss.item() == pytest.approx(_loss("catnip", beta=0.5)(other).item(), rel=1e-6)
    pull = pulled(loss, one.forget.logits)
    weight = 2 * sigmoid(0.5 * log(0.8 / 0.2)) / 3
    assert pull[2][2] == pytest.approx(-weight * (1 - 0.8), rel=1e-4)


def test_catnip_still_pulls_at_a_token_that_is_certain() -> None:
    one = step(forget=predicted(([[1 - 1e-9, 5e-10, 5e-10]], [0], [0])))
    loss = _loss("catnip")(one)
    assert loss.isfinite()
    assert pulled(loss, one.forget.logits)[0][0] < -0.5


def test_ce_u_teaches_the_model_its_own_view_without_the_answer_from_the_second_token_on() -> None:
    one = step()
    loss = _loss("ceu")(one)
    target = [0.5, 0.0, 0.5]  # 0.2 and 0.2 without the answer's 0.6
    assert loss.item() == pytest.approx(-sum(q * log(p) for q, p in zip(target, FORGET[0][1], strict=True)), rel=1e-5)
    pull = pulled(loss, one.forget.logits)
    assert pull[0] == pull[2] == [0.0, 0.0, 0.0]  # the first tokens of both answers
    assert pull[1] == pytest.approx([0.5 - 0.2, 0.0 - 0.6, 0.5 - 0.2], rel=1e-5)


def test_dipo_prefers_the_target_s_view_without_its_likeliest_tokens() -> None:
    one = step()
    beta, shift = 0.5, log(4)
    loss = _loss("dipo", beta=beta, top=1, shift=shift)(one)
    gains = [0.0, 0.0]
    for before, now, owner in zip(FORGET_BEFORE[0], FORGET[0], FORGET[2], strict=True):
        top = max(range(3), key=before.__getitem__)
        lower = [p * (exp(-shift) if i == top else 1) for i, p in enumerate(before)]
        higher = [p * (exp(shift) if i == top else 1) for i, p in enumerate(before)]
        for low, high, p, q in zip(lower, higher, now, before, strict=True):
            gains[owner] += (low / sum(lower) - high / sum(higher)) * log(p / q)
    value = -sum(log(sigmoid(beta * gain)) for gain in gains) / 2 / beta
    assert loss.item() == pytest.approx(value + CE_RETAIN, rel=1e-4)
    pull = pulled(loss, one.forget.logits)
    assert pull[0][0] < 0 < min(pull[0][1:])  # the target's likeliest falls, the rest rises


def test_entropy_falls_on_the_forget_set_and_rises_on_the_retain_set() -> None:
    one = step()
    loss = _loss("entropy")(one)
    entropies = [-sum(p * log(p) for p in row) for row in FORGET[0]]
    kept = -sum(p * log(p) for p in RETAIN[0][0])
    base = sum(log(p) for p in CHANCES) / 3 + CE_RETAIN
    assert loss.item() == pytest.approx(base + sum(entropies) / 3 - 0.25 * kept, rel=1e-5)
    calm = _loss("entropy", forget_weight=0.0)(step())
    alone = step()
    pull = pulled(_loss("entropy", forget_weight=0.0)(alone), alone.forget.logits)
    assert calm.isfinite()
    assert pull[2][2] > 0  # the likeliest token rises: entropy falls


def test_entropy_works_over_losses_alone() -> None:
    with pytest.raises(ValueError, match="more than a loss"):
        _loss("entropy", over="whp")(step())


def test_declining_with_answer_preservation_holds_the_true_answer_above_declining() -> None:
    one = step(retain_refused=predicted(([[0.3, 0.6, 0.1]], [1], [0])))
    loss = _loss("idk_ap", beta=0.5)(one)
    declines = -(log(REFUSED[0][0][1]) + log(REFUSED[0][1][1])) / 2
    value = -log(sigmoid(0.5 * (log(0.9) - log(0.6)))) / 0.5
    assert loss.item() == pytest.approx(declines + value, rel=1e-5)
    assert pulled(loss, one.retain.logits)[0][0] > 0


def test_declining_spoken_on_the_retain_set_is_pulled_down() -> None:
    one = step(retain_refused=predicted(([[0.3, 0.6, 0.1]], [1], [0])))
    assert pulled(_loss("idk_ap")(one), one.of("retain_refused").logits)[0][1] < 0


def test_circuit_breakers_turn_forget_activations_away_and_hold_the_others() -> None:
    import torch

    own = torch.tensor([[1.0, 0.0], [1.0, 1.0], [-1.0, 0.0]], requires_grad=True)
    was = torch.tensor([[2.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    kept = torch.tensor([[1.0, 1.0]], requires_grad=True)
    none = torch.zeros(3, 2)
    row = ([[0.9, 0.05, 0.05]], [0], [0])
    one = step(
        forget=predicted(FORGET, (none, own, none)), frozen_forget=predicted(FORGET_BEFORE, (none, was, none)),
        retain=predicted(row, (none[:1], kept, none[:1])),
        frozen_retain=predicted(row, (none[:1], torch.tensor([[1.0, 4.0]]), none[:1])),
    )  # fmt: skip
    object.__setattr__(one, "at", 5)
    object.__setattr__(one, "steps", 10)  # a quarter of the way from turning to holding
    loss = _loss("circuit_breakers", layers=(0,), alpha=2.0)(one)
    turned = (1 + 1 / 2**0.5 + 0) / 3
    assert loss.item() == pytest.approx(2 * 0.75 * turned + 2 * 0.25 * 3, rel=1e-5)
    away, back = torch.autograd.grad(loss, (own, kept))
    assert away[1][0] > 0  # less of what it was
    assert away[2].tolist() == [0.0, 0.0]  # turned already
    assert back[0][1] < 0  # up to 4 again


def test_circuit_breakers_name_the_layers_there_are() -> None:
    import torch

    none = torch.zeros(3, 2)
    one = step(forget=predicted(FORGET, (none, none)), frozen_forget=predicted(FORGET_BEFORE, (none, none)))
    with pytest.raises(ValueError, match="the model has 1"):
        _loss("circuit_breakers", layers=(3,))(one)


def test_attribution_weighs_pairs_less_that_go_with_the_retain_set() -> None:
    import torch

    from benchmarks.methods.guard_attribution import weights

    found = weights(torch.tensor([0.2, 0.0]), 0.1)
    assert found.tolist() == pytest.approx([2 / (1 + exp(2)), 2 * exp(2) / (1 + exp(2))], rel=1e-5)
    one = step(kept=torch.tensor([0.5, 1.5]), places=(1, 0))
    loss = _loss("guard_attribution")(one)
    means = [(log(0.5) + log(0.6)) / 2, log(0.8)]
    assert loss.item() == pytest.approx((1.5 * means[0] + 0.5 * means[1]) / 2 + CE_RETAIN, rel=1e-5)
