"""Methods that weigh pairs, rows or answers: the weights against gradients taken anew, and where they pull."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from typing import Any

import pytest

from benchmarks.data.corpus import Item
from benchmarks.methods import rule
from benchmarks.methods.batches import Batches, encoded
from benchmarks.methods.gradients import gradient_of, measured
from benchmarks.methods.guard_attribution import aligned
from benchmarks.methods.guard_attribution import loss as attributed
from benchmarks.methods.registry import method
from benchmarks.methods.sure import salient
from benchmarks.methods.u2a import loss as aligning
from benchmarks.methods.u2a import preferred
from benchmarks.models.packing import pack
from benchmarks.models.predicted import predict
from tests.benchmarks.methods.tiny import CORPUS, REFUSALS, Ground
from tests.benchmarks.methods.toy import pulled, sigmoid, step


def _slope(ground: Ground, model: Any, items: tuple[Item, ...]) -> Any:
    """The mean over pairs of d CE / d all weights, one vector."""
    import torch

    found = torch.tensor(0.0)
    for item in items:
        loss = predict(model, pack([encoded(ground.tokenizer, item)])).nll
        found = found + torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])
    return found / len(items)


def test_attribution_compares_each_pair_with_the_retain_set_s_mean(ground: Ground) -> None:
    import torch

    found = aligned(ground.work("guard_attribution", temperature=0.5))
    model = ground.load(ground.target).eval()
    retain = _slope(ground, model, CORPUS.retain)
    own = [_slope(ground, model, (item,)) for item in CORPUS.forget]
    terms = [exp(-torch.nn.functional.cosine_similarity(each, retain, 0).item() / 0.5) for each in own]
    assert found.tolist() == pytest.approx([len(terms) * term / sum(terms) for term in terms], rel=1e-3)
    assert found.sum().item() == pytest.approx(len(CORPUS.forget))


def test_attribution_pulls_each_answer_down_by_its_weight() -> None:
    import torch

    one = step(kept=torch.tensor([0.5, 1.5]), places=(0, 1))
    pull = pulled(attributed(one, method("guard_attribution").options()), one.forget.logits)
    first, second = 0.5 / 2 / 2, 1.5 / 2  # weights, over an answer's tokens, over pairs
    assert pull[0] == pytest.approx([-first * 0.5, first * 0.25, first * 0.25])
    assert pull[2] == pytest.approx([second * 0.1, second * 0.1, -second * 0.2])


def test_attribution_says_that_it_needs_a_retain_set(ground: Ground) -> None:
    work = ground.work("guard_attribution", retain_weight=0.0)
    with pytest.raises(ValueError, match="retain set, which is empty: give it one"):
        method("guard_attribution").run(replace(work, corpus=replace(CORPUS, retain=())))


def test_no_gradient_is_held_longer_than_it_takes_to_read() -> None:
    import torch

    given: list[list[torch.Tensor]] = [[torch.ones(2)], [torch.zeros(2)]]
    assert measured(given, lambda own: own[0].sum()).tolist() == [2, 0]
    assert given == [[], []]


def test_a_pair_gains_what_its_unlearning_adds_to_the_preference(ground: Ground) -> None:
    import torch

    work = ground.work("u2a", temperature=1.0)
    found = preferred(work)
    model = ground.load(ground.target).eval().double()

    def preference() -> float:
        refused = [replace(item, answer=REFUSALS[i % 2]) for i, item in enumerate(CORPUS.forget)]
        told = [[predict(model, pack([encoded(ground.tokenizer, item)], torch.float64)).nll.item() for item in items]
                for items in (refused, CORPUS.forget)]  # fmt: skip
        return (sum(told[1]) - sum(told[0])) / len(CORPUS.forget)

    gains, far = [], 1e-3
    for item in CORPUS.forget:
        parameters = list(model.parameters())
        loss = predict(model, pack([encoded(ground.tokenizer, item)], torch.float64)).nll
        ascent = torch.autograd.grad(loss, parameters)
        values = []
        with torch.no_grad():
            for way in (far, -2 * far, far):
                for parameter, gradient in zip(parameters, ascent, strict=True):
                    parameter += way * gradient
                values.append(preference())
        gains.append((values[0] - values[1]) / (2 * far))
    terms = [exp(gain / max(map(abs, gains))) for gain in gains]
    assert found.tolist() == pytest.approx([len(terms) * term / sum(terms) for term in terms], rel=1e-3)


def test_unlearning_for_a_preference_pulls_as_npo_does_by_its_weights() -> None:
    import torch

    options = method("u2a").options()
    one = step(kept=torch.tensor([0.5, 1.5]), places=(0, 1))
    pull = pulled(aligning(one, options), one.forget.logits)
    ratio = log(0.8 / 0.5)
    assert pull[2][2] == pytest.approx(-1.5 * 2 * sigmoid(0.1 * ratio) / 2 * 0.2, rel=1e-5)
    from benchmarks.methods.npo import loss as npo

    alike = step(kept=torch.ones(2))
    assert aligning(alike, options).item() == pytest.approx(npo(alike, options).item())


def test_u2a_says_that_it_needs_sentences_that_decline(ground: Ground) -> None:
    with pytest.raises(ValueError, match="sentences that decline"):
        method("u2a").run(replace(ground.work("u2a"), refusals=()))


def test_sure_leaves_every_row_bit_equal_whose_forget_gradient_is_small(ground: Ground) -> None:
    import torch

    work = ground.work("sure", epochs=1, batch=len(CORPUS.forget), lr=1e-2, quantile=0.9)
    batch = Batches(work, method("grad_diff").needs).at(0)
    before = ground.load(ground.target)
    rows = salient(gradient_of(predict(before, batch.sets["forget"]).nll, list(before.parameters())), 0.9)
    after = method("sure").run(work)
    for old, new, chosen in zip(before.parameters(), after.parameters(), rows, strict=True):
        moved = (old != new).reshape(len(old), -1).any(1)
        assert not (moved & ~chosen).any()
        assert torch.equal(moved, chosen)
    assert sum(int(one.sum()) for one in rows) <= 0.1 * sum(len(one) for one in rows) + 1


def test_reinforcement_raises_the_answer_that_earns_most_and_lowers_the_others(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    work = ground.work("rule", group=2, hold=0.0)
    model, tokenizer, item = work.model.eval(), ground.tokenizer, CORPUS.forget[0]
    answers = [tuple(encoded(tokenizer, replace(item, answer=said)).answer) for said in (REFUSALS[0], item.answer)]
    monkeypatch.setattr(rule, "generated", lambda *_: [[*answer, 0, 0] for answer in answers])  # cut at the end
    loss = rule._loss(work, ground.load(ground.target), item, True, 1)
    likely = []
    for answer in answers:
        prompt = encoded(tokenizer, item).prompt
        logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        likely.append(-torch.nn.functional.cross_entropy(logits, torch.tensor(answer)))
    spread = 1.0 / (1.0 + 1e-4)  # rewards 1 and -1: a mean of 0, a deviation of 1
    assert loss.item() == pytest.approx(-spread * (likely[0] - likely[1]).item() / 2, rel=1e-4)
    slope = torch.autograd.grad(loss, list(model.parameters()))
    up, down = (torch.autograd.grad(one, list(model.parameters())) for one in likely)
    for answer, sign in ((up, 1), (down, -1)):
        along = sum(float((-s * a).sum()) for s, a in zip(slope, answer, strict=True))
        assert sign * along > 0


def test_reinforcement_is_held_to_the_model_that_it_began_from(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    work = ground.work("rule", group=2, hold=1.0)
    answer = tuple(encoded(ground.tokenizer, CORPUS.forget[0]).answer)
    monkeypatch.setattr(rule, "generated", lambda *_: [list(answer)] * 2)  # alike: nothing is to be gained
    same = rule._loss(work, ground.load(ground.target), CORPUS.forget[0], True, 1)
    assert same.item() == pytest.approx(0, abs=1e-6)
    other = rule._loss(work, ground.load(ground.base), CORPUS.forget[0], True, 1)
    assert other.item() > 0.1
