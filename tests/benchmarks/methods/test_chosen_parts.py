"""Methods that change parts of the model which they find first: what they find, and that the rest stays bit for bit."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import Any

import pytest

from benchmarks.methods.batches import encoded
from benchmarks.methods.fit import LOWER, MIDDLE, UPPER, Fit, distinct, targets, tiers
from benchmarks.methods.fit import loss as fit_loss
from benchmarks.methods.klue import Klue, chosen, loss, neurons, still_known
from benchmarks.methods.registry import method
from benchmarks.models.packing import Chat, pack
from benchmarks.models.predicted import predict
from tests.benchmarks.methods.tiny import CORPUS, Ground
from tests.benchmarks.methods.toy import FORGET, predicted, pulled, sigmoid, step

# Answers of two tokens and of one: the first half right, the second wrong.
HALF = ([[0.5, 0.25, 0.25], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1]], [0, 1, 2], [0, 0, 1])


def test_klue_unlearns_what_is_still_known_alone() -> None:
    one = step(forget=predicted(HALF))
    assert still_known(one.forget, 0.5).tolist() == [1.0, 0.0]
    assert still_known(one.forget, 0.6).tolist() == [0.0, 0.0]
    found = loss(one, Klue(forget_weight=2.0))
    assert found.item() == pytest.approx(2 * (log(0.5) + log(0.2)) / 2 - log(0.9), rel=1e-5)
    pull = pulled(found, one.forget.logits)
    assert pull[0][0] < 0 < pull[0][1]  # the answer's token falls
    assert pull[2] == [0.0, 0.0, 0.0]


def test_klue_leaves_the_model_when_nothing_is_known_any_more() -> None:
    one = step(forget=predicted(HALF))
    assert loss(one, Klue(known=0.6)).item() == pytest.approx(-log(0.9), rel=1e-5)
    assert loss(one, Klue(known=0.6, retain_weight=0.0)).item() == 0


def test_klue_ranks_the_neurons_of_all_layers_together() -> None:
    import torch

    scores = torch.tensor([[1.0, -5.0, 3.0], [2.0, 0.0, -1.0]])
    assert chosen(scores, 0.5).tolist() == [[True, False, True], [True, False, False]]
    assert chosen(scores, 0.01).sum() == 1


def test_klue_attributes_an_answer_to_what_changes_it_when_it_is_silenced_a_little(ground: Ground) -> None:
    import torch

    work = replace(ground.work("klue", share=1 / 128, strength=0.0), corpus=CORPUS.forgetting(CORPUS.forget[:1]))
    ((layer, neuron),) = neurons(work).nonzero().tolist()
    changes = [[_change(ground, place, each) for each in range(64)] for place in range(2)]
    found = torch.tensor(changes)
    assert found[layer, neuron] == pytest.approx(found.max().item(), rel=0.02)


def test_klue_passes_over_neurons_that_say_the_answer_behind_any_question(ground: Ground) -> None:
    plain, held = (neurons(ground.work("klue", strength=strength)) for strength in (0.0, 5.0))
    assert plain.sum() == held.sum() == round(0.05 * 128)
    assert (plain != held).any()
    alone = replace(CORPUS, forget=CORPUS.forget[:1], retain=CORPUS.forget[:1])
    with pytest.raises(ValueError, match="set strength to 0"):
        neurons(replace(ground.work("klue"), corpus=alone))


def test_klue_changes_the_rows_and_columns_of_its_neurons_alone(ground: Ground) -> None:
    import torch

    given: dict[str, Any] = {"epochs": 2, "lr": 1e-3, "share": 0.1}
    mask = neurons(ground.work("klue", **given))
    before = dict(ground.load(ground.target).named_parameters())
    after = method("klue").run(ground.work("klue", **given))
    for name, parameter in after.named_parameters():
        changed = parameter != before[name]
        if ".mlp." not in name:
            assert not changed.any()
            continue
        own = mask[int(name.split(".")[2])]
        lines = changed.any(0) if "down_proj" in name else changed.any(1)
        assert not lines[~own].any()
        assert not own.any() or lines.any()
    assert mask.sum() == torch.tensor(round(0.1 * 128))


def test_fit_keeps_the_first_of_pairs_that_are_alike_and_change_little() -> None:
    import torch

    vectors = torch.tensor([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0], [-1.0, 0.0]])
    level = torch.tensor([1.0, 1.1, 1.0, 1.0])
    assert distinct(vectors, level, Fit()) == [0, 2, 3]
    assert distinct(vectors, level, Fit(alike=1.1)) == [0, 1, 2, 3]
    odd = torch.tensor([1.0, 3.0, 1.0, 1.0])  # without it the mean falls from 1.5 to 1
    assert distinct(vectors, odd, Fit(change=0.4)) == [0, 1, 2, 3]
    assert distinct(vectors, odd, Fit(change=0.6)) == [0, 2, 3]
    assert distinct(vectors[:1] * 0, level[:1], Fit()) == [0]


def test_fit_puts_pairs_into_tiers_by_the_order_of_their_importance() -> None:
    import torch

    assert tiers(torch.tensor([5.0, 1.0, 3.0]), Fit()).tolist() == [UPPER, LOWER, MIDDLE]
    assert tiers(torch.tensor([5.0, 1.0, 3.0, 2.0]), Fit(low=0.5, high=1.0)).tolist() == [1, 0, 1, 0]
    assert tiers(torch.tensor([7.0]), Fit()).tolist() == [LOWER]


def test_fit_takes_each_tiers_loss() -> None:
    import torch

    # the answers of two tokens (lower: random tokens) and of one (upper: preference, and divergence on the retain set)
    drawn = torch.randint(3, (3,), generator=torch.Generator().manual_seed(1)).tolist()
    one = step(kept=torch.tensor([LOWER, UPPER]))
    one.__dict__["chance"] = torch.Generator().manual_seed(1)
    found = fit_loss(one, Fit(retain_weight=3.0))
    random = -(log(FORGET[0][0][drawn[0]]) + log(FORGET[0][1][drawn[1]])) / 2
    preferred = -(2 / 0.1) * log(sigmoid(-0.1 * log(0.8 / 0.5)))
    kl = 0.6 * log(0.6 / 0.9) + 0.3 * log(0.3 / 0.05) + 0.1 * log(0.1 / 0.05)
    assert found.item() == pytest.approx((random + preferred) / 2 + 3 * 0.5 * kl, rel=1e-5)
    pull = pulled(found, one.forget.logits)
    assert pull[0][drawn[0]] > 0  # the random token rises
    assert pull[2][2] < 0  # the other answer's own token falls


def test_fit_reads_the_retain_set_for_the_upper_tier_alone() -> None:
    import torch

    one = step(kept=torch.tensor([MIDDLE, MIDDLE]))
    one.__dict__["chance"] = torch.Generator().manual_seed(0)
    del one.__dict__["retain"]  # looking at it would now ask the model, and there is none
    ratios = [log(0.5 * 0.6 / (0.8 * 0.8)), log(0.8 / 0.5)]
    terms = [-(2 / 0.1) * log(sigmoid(-0.1 * ratio)) for ratio in ratios]
    assert fit_loss(one, Fit()).item() == pytest.approx(sum(terms) / 2, rel=1e-5)


def test_fit_changes_attention_and_mlp_of_the_layers_that_matter_alone(ground: Ground) -> None:
    work = ground.work("fit", layers=1)
    losses = [_without(ground, number) for number in range(2)]
    whole = ground.loss(ground.load(ground.target), CORPUS.forget)
    (layer,) = targets(work)
    assert layer == max(range(2), key=lambda number: abs(losses[number] - whole))
    before = dict(ground.load(ground.target).named_parameters())
    after = method("fit").run(ground.work("fit", layers=1, epochs=1, lr=1e-3))
    changed = {name for name, parameter in after.named_parameters() if (parameter != before[name]).any()}
    assert changed
    assert all(f"layers.{layer}.self_attn" in name or f"layers.{layer}.mlp" in name for name in changed)
    with pytest.raises(ValueError, match="layers is under 1"):
        method("fit").run(ground.work("fit", layers=0))


def test_fit_does_not_unlearn_a_pair_twice(ground: Ground) -> None:
    twice = replace(CORPUS, forget=(*CORPUS.forget, *CORPUS.forget))
    given: dict[str, Any] = {"epochs": 1, "lr": 1e-3}
    once = method("fit").run(ground.work("fit", **given))
    found = method("fit").run(replace(ground.work("fit", **given), corpus=twice))
    kept = method("fit").run(replace(ground.work("fit", **given, alike=1.1), corpus=twice))
    assert all((a == b).all() for a, b in zip(once.parameters(), found.parameters(), strict=True))
    assert any((a != b).any() for a, b in zip(once.parameters(), kept.parameters(), strict=True))


def _without(ground: Ground, layer: int) -> float:
    """The loss on the forget set of a model whose layer passes on what it is given."""
    import torch

    model: Any = ground.load(ground.target)
    with torch.no_grad():
        model.model.layers[layer].self_attn.o_proj.weight.zero_()
        model.model.layers[layer].mlp.down_proj.weight.zero_()
        return sum(ground.loss(model, (item,)) for item in CORPUS.forget) / len(CORPUS.forget)


def _change(ground: Ground, layer: int, neuron: int, by: float = 1e-2) -> float:
    """How much log p of the first forget answer falls, in units of ``by``, when a neuron passes on so much less."""
    import torch

    model: Any = ground.load(ground.target)
    chat: Chat = encoded(ground.tokenizer, CORPUS.forget[0])
    with torch.no_grad():
        before = predict(model, pack([chat])).nll
        model.model.layers[layer].mlp.down_proj.weight[:, neuron] *= 1 - by
        return float(predict(model, pack([chat])).nll - before) / by
