"""Each loss on a step made by hand against numbers worked out with plain mathematics, and where it pulls."""

from __future__ import annotations

from math import log
from typing import Any

import pytest

from benchmarks.methods.registry import method
from tests.benchmarks.methods.toy import FORGET, predicted, pulled, sigmoid, step

CE_FORGET = -(log(0.5) + log(0.6) + log(0.8)) / 3
CE_RETAIN = -log(0.9)


def _loss(name: str, **given: Any) -> Any:
    from importlib import import_module

    loss = import_module(f"benchmarks.methods.{name}").loss
    return lambda one: loss(one, method(name).options(**given))


def test_gradient_ascent_is_the_negative_loss_and_pulls_answers_down() -> None:
    one = step()
    loss = _loss("ga", forget_weight=2.0)(one)
    assert loss.item() == pytest.approx(-2 * CE_FORGET, rel=1e-6)
    assert pulled(loss, one.forget.logits)[0] == pytest.approx([-2 * 0.5 / 3, 2 * 0.25 / 3, 2 * 0.25 / 3])


def test_grad_diff_adds_the_retain_loss_by_its_weight() -> None:
    one = step()
    loss = _loss("grad_diff", retain_weight=3.0)(one)
    assert loss.item() == pytest.approx(-CE_FORGET + 3 * CE_RETAIN, rel=1e-5)
    assert pulled(loss, one.forget.logits)[2][2] < 0
    assert pulled(_loss("grad_diff")(one), one.retain.logits)[0][0] > 0


def test_a_retain_weight_of_nothing_leaves_the_retain_set_unread() -> None:
    for name in ("grad_diff", "kl_min", "npo", "simnpo", "idk_nll", "idk_dpo", "wga", "satimp", "undial"):
        one = step()
        del one.__dict__["retain"]  # looking at it would now ask the model, and there is none
        assert _loss(name, retain_weight=0.0)(one).isfinite()


def test_kl_min_measures_from_the_target_to_the_model_and_pulls_back_to_the_target() -> None:
    one = step()
    loss = _loss("kl_min", retain_weight=2.0)(one)
    kl = 0.6 * log(0.6 / 0.9) + 0.3 * log(0.3 / 0.05) + 0.1 * log(0.1 / 0.05)
    assert loss.item() == pytest.approx(-CE_FORGET + 2 * kl, rel=1e-6)
    assert pulled(loss, one.retain.logits)[0] == pytest.approx([2 * (0.6 - 0.9), 2 * (0.3 - 0.05), 2 * (0.1 - 0.05)])


def test_idk_by_likelihood_teaches_the_sentences_that_decline_and_leaves_answers_alone() -> None:
    one = step()
    loss = _loss("idk_nll")(one)
    assert loss.item() == pytest.approx(-(log(0.5) + log(0.4)) / 2 + CE_RETAIN, rel=1e-6)
    assert pulled(_loss("idk_nll")(one), one.refused.logits)[0][1] > 0
    assert not _reaches(loss, one.forget.logits)


def test_idk_by_preference_compares_both_answers_with_the_target() -> None:
    one = step()
    loss = _loss("idk_dpo", beta=0.5)(one)
    won = [log(0.5 / 0.25), log(0.4 / 0.25)]
    lost = [log(0.5 * 0.6 / (0.8 * 0.8)), log(0.8 / 0.5)]
    terms = [-(2 / 0.5) * log(sigmoid(0.5 * (w - n))) for w, n in zip(won, lost, strict=True)]
    assert loss.item() == pytest.approx(sum(terms) / 2 + CE_RETAIN, rel=1e-5)
    assert pulled(loss, one.refused.logits)[0][1] > 0 > pulled(_loss("idk_dpo")(one), one.forget.logits)[0][0]


def test_npo_counts_an_answer_by_how_much_less_likely_it_is_than_before() -> None:
    one = step()
    loss = _loss("npo", beta=0.1)(one)
    ratios = [log(0.5 * 0.6 / (0.8 * 0.8)), log(0.8 / 0.5)]
    terms = [-(2 / 0.1) * log(sigmoid(-0.1 * r)) for r in ratios]
    assert loss.item() == pytest.approx(sum(terms) / 2 + CE_RETAIN, rel=1e-5)
    weight = 2 * sigmoid(0.1 * ratios[0]) / 2  # gradient ascent's, times how little is forgotten
    assert pulled(loss, one.forget.logits)[0] == pytest.approx([-weight * 0.5, weight * 0.25, weight * 0.25], rel=1e-5)


def test_npo_with_a_small_beta_pulls_as_gradient_ascent_on_whole_answers() -> None:
    one = step()
    pull = pulled(_loss("npo", beta=1e-4)(one), one.forget.logits)
    assert pull[2] == pytest.approx([0.1 / 2, 0.1 / 2, -0.2 / 2], rel=1e-3)


def test_simnpo_takes_the_loss_of_a_token_and_no_reference() -> None:
    one = step()
    one.reference.__dict__.clear()  # type: ignore[union-attr]
    loss = _loss("simnpo", beta=2.0, delta=0.5)(one)
    per_token = [-(log(0.5) + log(0.6)) / 2, -log(0.8)]
    terms = [-(2 / 2.0) * log(sigmoid(2.0 * (x - 0.5))) for x in per_token]
    assert loss.item() == pytest.approx(0.125 * sum(terms) / 2 + CE_RETAIN, rel=1e-5)
    assert pulled(loss, one.forget.logits)[0][0] < 0


def test_wga_weighs_tokens_by_their_probability_without_a_gradient_through_the_weight() -> None:
    one = step()
    loss = _loss("wga", beta=2.0)(one)
    chances = (0.5, 0.6, 0.8)
    assert loss.item() == pytest.approx(sum(p**2 * log(p) for p in chances) / 3 + CE_RETAIN, rel=1e-5)
    pull = pulled(loss, one.forget.logits)
    assert [pull[i][i] for i in range(3)] == pytest.approx([-(p**2) * (1 - p) / 3 for p in chances], rel=1e-5)


def test_wga_with_beta_nothing_is_grad_diff() -> None:
    assert _loss("wga", beta=0.0)(step()).item() == pytest.approx(_loss("grad_diff")(step()).item(), rel=1e-6)


def test_satimp_weighs_tokens_by_saturation_and_importance_without_a_gradient_through_either() -> None:
    one = step()
    loss = _loss("satimp")(one)
    weights = [p**5 * (1 - p) ** 0.1 for p in (0.5, 0.6, 0.8)]
    value = sum(w * log(p) for w, p in zip(weights, (0.5, 0.6, 0.8), strict=True)) / 3
    assert loss.item() == pytest.approx(0.1 * value + CE_RETAIN, rel=1e-5)
    pull = pulled(loss, one.forget.logits)
    wanted = [-0.1 * w * (1 - p) / 3 for w, p in zip(weights, (0.5, 0.6, 0.8), strict=True)]
    assert [pull[i][i] for i in range(3)] == pytest.approx(wanted, rel=1e-4)


def test_satimp_bears_a_token_that_is_certain() -> None:
    import torch

    one = step(forget=predicted(([[1.0, 0.0, 0.0]], [0], [0])))
    loss = _loss("satimp")(one)
    assert torch.isfinite(loss)


def test_undial_pulls_to_the_targets_view_with_the_answer_played_down() -> None:
    one = step()
    loss = _loss("undial", beta=log(8))(one)  # exp(-log 8) = 1/8
    targets = []
    for row, answer in (([0.8, 0.1, 0.1], 0), ([0.1, 0.8, 0.1], 1), ([0.25, 0.25, 0.5], 2)):
        lowered = [p / 8 if i == answer else p for i, p in enumerate(row)]
        targets.append([p / sum(lowered) for p in lowered])
    value = -sum(q * log(p) for t, row in zip(targets, FORGET[0], strict=True) for q, p in zip(t, row, strict=True)) / 3
    assert loss.item() == pytest.approx(value, rel=1e-5)
    assert pulled(loss, one.forget.logits)[0] == pytest.approx(
        [(q - p) / 3 for q, p in zip(targets[0], FORGET[0][0], strict=True)], rel=1e-4
    )


def test_rmu_moves_forget_activations_to_one_direction_and_holds_retain_activations() -> None:
    import torch

    hidden = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]], requires_grad=True)
    kept = torch.tensor([[1.0, 1.0]], requires_grad=True)
    none = torch.zeros(3, 2)
    one = step(
        kept=torch.tensor([1.0, 2.0]), forget=predicted(FORGET, (none, hidden, none)),
        retain=predicted(([[0.9, 0.05, 0.05]], [0], [0]), (none[:1], kept, none[:1])),
        frozen_retain=predicted(([[0.9, 0.05, 0.05]], [0], [0]), (none[:1], torch.tensor([[1.0, 3.0]]), none[:1])),
    )  # fmt: skip
    loss = _loss("rmu", layer=0, retain_weight=5.0)(one)
    first = ((0 + 4) / 2 + (1 + 0) / 2) / 2  # an answer of two tokens, squares over two dimensions
    second = (4 + 4) / 2
    assert loss.item() == pytest.approx((first + second) / 2 + 5 * (0 + 4) / 2)
    to, back = torch.autograd.grad(loss, (hidden, kept))
    assert (-to[2]).tolist() == pytest.approx([-1.0, -1.0])  # from (3, 4) towards (1, 2)
    assert (-back[0]).tolist() == pytest.approx([0.0, 10.0])  # from (1, 1) back to (1, 3)


def test_generic_labels_go_against_what_reinforcement_raised_alone() -> None:
    import torch

    from benchmarks.methods.whp import generic_logits

    found = generic_logits(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[2.0, 1.0, 3.5]]), 5.0)
    assert found.tolist() == [[1.0 - 5.0, 2.0, 3.0 - 2.5]]


def test_whp_teaches_each_pairs_own_labels_where_it_has_some() -> None:
    import torch

    from benchmarks.methods.whp import Labels

    first = Labels(torch.tensor([1]), torch.tensor([[0, 2]]), torch.tensor([[0.75, 0.25]]))
    second = Labels(torch.tensor([0]), torch.tensor([[1, 2]]), torch.tensor([[0.5, 0.5]]))
    one = step(kept=[second, first], places=(1, 0))
    loss = _loss("whp")(one)
    terms = [-(0.75 * log(0.2) + 0.25 * log(0.2)), -(0.5 * log(0.1) + 0.5 * log(0.8))]
    assert loss.item() == pytest.approx(sum(terms) / 2, rel=1e-5)
    pull = pulled(loss, one.forget.logits)
    assert pull[0] == [0.0, 0.0, 0.0]
    assert pull[1][0] > 0 > pull[1][1]


def test_ssd_dampens_only_weights_that_matter_more_to_the_forget_set() -> None:
    import torch

    from benchmarks.methods.ssd import Ssd, damped

    forget, everyone = torch.tensor([11.0, 9.0, 0.0, 40.0, 5.0]), torch.tensor([1.0, 1.0, 0.0, 2.0, 0.0])
    assert damped(forget, everyone, Ssd()).tolist() == pytest.approx([1 / 11, 1.0, 1.0, 0.05, 0.0])
    assert damped(forget, everyone, Ssd(dampening=30.0)).tolist() == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.0])


def test_every_loss_counts_the_forget_set_by_its_weight() -> None:
    for name in ("ga", "grad_diff", "kl_min", "npo", "simnpo", "idk_nll", "idk_dpo", "wga", "satimp", "undial"):
        bare, twice = (_loss(name, forget_weight=w)(step()).item() for w in (1.0, 2.0))
        rest = _loss(name, forget_weight=0.0)(step()).item()
        assert twice - rest == pytest.approx(2 * (bare - rest), rel=1e-4)


def _reaches(loss: Any, leaf: Any) -> bool:
    import torch

    return torch.autograd.grad(loss, leaf, allow_unused=True)[0] is not None
