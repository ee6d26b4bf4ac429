"""Methods that attribute, trace or look at curvature: against numbers that can be worked out."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from typing import Any

import numpy as np
import pytest

from benchmarks.methods.dmm import predicted_margins, projections, refitted_margins
from benchmarks.methods.kuda import directions, projected
from benchmarks.methods.registry import method
from benchmarks.methods.terms import margins
from benchmarks.methods.tracing import traced
from benchmarks.metrics.klom import klom
from benchmarks.models.generating import adaptive
from tests.benchmarks.methods.tiny import CORPUS, Ground
from tests.benchmarks.methods.toy import FORGET, predicted


def test_margins_are_log_odds() -> None:
    assert margins(predicted(FORGET)).tolist() == pytest.approx([log(1), log(0.6 / 0.4), log(0.8 / 0.2)], abs=1e-5)


def test_updates_keep_from_what_the_retain_set_uses() -> None:
    import torch

    held = directions(torch.diag(torch.tensor([8.0, 1.5, 0.5])), 0.9)
    assert held.abs().tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    found = projected(torch.tensor([[1.0, 2.0, 3.0]]), held, 0.1)
    assert found.tolist() == [pytest.approx([0.1, 0.2, 3.0])]
    assert directions(torch.diag(torch.tensor([8.0, 1.5, 0.5])), 0.5).shape == (3, 1)


def test_kuda_s_change_lies_outside_what_the_retain_set_uses(ground: Ground) -> None:
    import torch

    from benchmarks.methods.kuda import _covariances

    work = ground.work("kuda", epochs=2, lr=1e-2, count=1, relaxed=0.0, cover=0.8)
    places = traced(ground.work("kuda"), CORPUS.forget, 1)
    down = work.model.model.layers[places[0]].mlp.down_proj
    held = directions(_covariances(work, [down])[0], 0.8)
    old = down.weight.detach().clone()
    model = method("kuda").run(work)
    change = model.model.layers[places[0]].mlp.down_proj.weight.detach() - old
    assert change.norm() > 0
    assert (change @ held).norm() < 1e-4 * change.norm()
    before = dict(ground.load(ground.target).named_parameters())
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {f"model.layers.{places[0]}.mlp.down_proj.weight"}


def test_tracing_names_as_many_layers_as_are_asked_for(ground: Ground) -> None:
    work = ground.work("kuda")
    assert len(traced(work, CORPUS.forget, 1)) == 1
    assert traced(work, CORPUS.forget, 9) == (0, 1)


def test_retrained_margins_are_guessed_by_taking_out_what_the_forget_pairs_added() -> None:
    import torch

    features = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    found = predicted_margins(torch.tensor([5.0, 4.0]), features, torch.tensor([0.4, 0.3]), 1, 0.0)
    assert found.tolist() == pytest.approx([5.0 - 2 * (2 * 0.4) / 4, 4.0])
    twice = predicted_margins(torch.tensor([5.0, 4.0]), features, torch.tensor([0.4, 0.3]), 1, 0.0, 2.0)
    assert twice.tolist() == pytest.approx([4.2, 4.0])


def test_refitted_margins_are_what_the_retain_pairs_would_have_taught_alone() -> None:
    import torch

    before, now = torch.tensor([-4.0, -4.0, -3.0]), torch.tensor([4.0, 4.0, 3.0])
    features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])  # of two forget pairs and one to retain
    found = refitted_margins(before, now, features, 2, 0.0)
    assert found.tolist() == pytest.approx([-4.0, -4.0 + 6 / 2, 3.0])  # nothing of the first, half of 6 of the second
    damped = refitted_margins(before, now, features, 2, 0.5)
    assert damped.tolist() == pytest.approx([-4.0, -4.0 + 2 * 1.0, -3.0 + 4 * 1.0])  # 6 / (4 + 2) is 1


def test_a_refit_forgets_without_a_scale_and_needs_a_retain_set(ground: Ground) -> None:
    usual: dict[str, Any] = {"epochs": 15, "batch": 4, "lr": 1e-2, "refit": True, "only": "proj"}
    after = method("dmm").run(ground.work("dmm", **usual))
    assert ground.loss(after, CORPUS.forget) > 0.9
    assert ground.loss(after, CORPUS.retain) < 0.6
    work = ground.work("dmm", **usual)
    with pytest.raises(ValueError, match="leave refit out"):
        method("dmm").run(replace(work, corpus=replace(CORPUS, retain=())))


def test_projections_keep_inner_products_nearly_and_are_the_seed_s(ground: Ground) -> None:
    import torch

    from benchmarks.methods.dmm import margin
    from benchmarks.methods.gradients import each_gradient, inner

    work = ground.work("dmm", buckets=4096)
    items = CORPUS.forget[:2]
    chosen = [p for name, p in work.model.named_parameters() if "down_proj" in name]
    one, other = each_gradient(work, items, lambda found: margin(found).mean(), chosen)
    rows = projections(work, items)
    whole = float(inner(one, one)), float(inner(one, other))
    assert float(rows[0] @ rows[0]) == pytest.approx(whole[0], rel=0.1)
    assert float(rows[0] @ rows[1]) == pytest.approx(whole[1], abs=0.1 * whole[0])
    assert torch.equal(rows, projections(work, items))


def test_klom_is_nothing_for_the_same_models_and_large_for_others() -> None:
    same = [[0.0, 5.0], [1.0, 6.0], [2.0, 7.0]]
    assert klom(same, same).mean == 0
    far = klom([[10.0, 0.0], [10.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]])
    assert far.values[0] == pytest.approx(log(1 / 1e-5))
    assert far.values[1] == 0
    assert far.high == pytest.approx(np.percentile(far.values, 95))
    half = klom([[0.0], [1.0]], [[0.0], [0.0]])
    assert half.values[0] == pytest.approx(0.5 * log(0.5 / 1.0) + 0.5 * log(0.5 / 1e-5))
    with pytest.raises(ValueError, match="two models"):
        klom([[1.0]], same)


def test_a_confident_model_is_decoded_greedily() -> None:
    import torch

    logits = torch.tensor([[0.9, 0.05, 0.05], [0.5, 0.3, 0.2]]).log()
    found = torch.softmax(adaptive(logits, 0.8, 2.0), -1)
    assert found[0].tolist() == [1.0, 0.0, 0.0]
    raw = [exp(0.5 * log(p)) for p in (0.5, 0.3, 0.2)]
    assert found[1].tolist() == pytest.approx([value / sum(raw) for value in raw], rel=1e-5)
