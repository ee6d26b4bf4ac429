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


def test_catnip_detached_with_beta_one_pushes_in_proportion_to_confidence() -> None:
    one = step()
    pull = pulled(_loss("catnip", beta=1.0, detach=True)(one), one.forget.logits)
    assert [pull[i][i] for i in range(3)] == pytest.approx([-2 * p * (1 - p) / 3 for p in CHANCES], rel=1e-4)


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


def test_llmu_ascends_teaches_other_answers_and_holds_the_target_s_view() -> None:
    one = step(mismatched=predicted(([[0.2, 0.5, 0.3]], [1], [0])))
    loss = _loss("llmu", mismatch=2.0)(one)
    kl = 0.6 * log(0.6 / 0.9) + 0.3 * log(0.3 / 0.05) + 0.1 * log(0.1 / 0.05)
    ascent = sum(log(p) for p in CHANCES) / 3
    assert loss.item() == pytest.approx(0.5 * ascent - 2 * log(0.5) + kl, rel=1e-5)
    assert pulled(loss, one.forget.logits)[0][0] < 0
    assert pulled(_loss("llmu")(one), one.of("mismatched").logits)[0][1] > 0


def test_elm_teaches_the_target_s_view_moved_from_the_expert_s_to_the_novice_s() -> None:
    import torch

    from benchmarks.methods.elm import Elm, moved

    novice, expert = [[0.2, 0.4, 0.4]] * 3, [[0.8, 0.1, 0.1]] * 3
    told = [predicted((rows, FORGET[1], FORGET[2])) for rows in (novice, expert)]
    one = step(frozen_novice=told[0], frozen_expert=told[1])
    found = torch.softmax(moved(one, Elm(eta=0.5)), -1)[0].tolist()
    raw = [p * (n / e) ** 0.5 for p, n, e in zip(FORGET_BEFORE[0][0], novice[0], expert[0], strict=True)]
    assert found == pytest.approx([value / sum(raw) for value in raw], rel=1e-5)
    assert found[0] < FORGET_BEFORE[0][0][0]
    assert pulled(_loss("elm")(one), one.forget.logits)[0][0] < 0


def test_harmonizing_pulls_to_the_teacher_s_likeliest_tokens_and_pushes_from_the_old_ones() -> None:
    import torch

    from benchmarks.methods.harmonizing import away, towards

    teacher, own = (torch.tensor([row]).log() for row in ([0.6, 0.3, 0.1], [0.2, 0.5, 0.3]))
    pair = [0.6 / 0.9, 0.3 / 0.9]
    value = pair[0] * log(pair[0] / 0.2) + pair[1] * log(pair[1] / 0.5)
    assert towards(teacher, own, 2).item() == pytest.approx(value, rel=1e-5)
    assert away(teacher, own, 1).item() == pytest.approx(-log(1 - 0.2), rel=1e-5)
    assert away(teacher, own, 2).item() == pytest.approx(-log(0.3), rel=1e-5)
    leaf = own.clone().requires_grad_()
    assert pulled(away(teacher, leaf, 1), leaf)[0][0] < 0
    assert pulled(towards(teacher, leaf, 2), leaf)[0][0] > 0


def test_tar_holds_the_retain_set_by_its_loss_and_the_last_layer_s_output() -> None:
    import torch

    hidden = torch.tensor([[1.0, 3.0]], requires_grad=True)
    row = ([[0.9, 0.05, 0.05]], [0], [0])
    one = step(retain=predicted(row, (hidden,)), frozen_retain=predicted(row, (torch.tensor([[1.0, 1.0]]),)))
    loss = _loss("tar", representation=0.5, retain_weight=2.0)(one)
    assert loss.item() == pytest.approx(2 * (CE_RETAIN + 0.5 * 4 / 2), rel=1e-5)
    assert torch.autograd.grad(loss, hidden)[0][0][1] > 0


def test_pairs_are_unlearnt_by_how_much_that_furthers_the_preference() -> None:
    import torch

    from benchmarks.methods.u2a import weights

    found = weights(torch.tensor([4.0, 2.0]), 0.5)
    assert found.tolist() == pytest.approx([2 * exp(1) / (1 + exp(1)), 2 / (1 + exp(1))], rel=1e-5)
    one = step(kept=torch.tensor([0.5, 1.5]), places=(0, 1))
    ratios = [log(0.5 * 0.6 / (0.8 * 0.8)), log(0.8 / 0.5)]
    terms = [-(2 / 0.1) * log(sigmoid(-0.1 * r)) for r in ratios]
    value = (0.5 * terms[0] + 1.5 * terms[1]) / 2 + CE_RETAIN
    assert _loss("u2a")(one).item() == pytest.approx(value, rel=1e-5)


def test_ssu_tunes_towards_the_forget_set_and_other_answers_of_it() -> None:
    one = step(mismatched=predicted(([[0.2, 0.5, 0.3]], [1], [0])))
    loss = _loss("ssu", random=0.5)(one)
    assert loss.item() == pytest.approx(-sum(log(p) for p in CHANCES) / 3 - 0.5 * log(0.5), rel=1e-5)
    assert pulled(loss, one.forget.logits)[0][0] > 0  # what this moves is taken back
