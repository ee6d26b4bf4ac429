"""Methods that attribute, trace or look at curvature: against numbers that can be worked out."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from benchmarks.methods.dmm import predicted_margins, projections
from benchmarks.methods.klue import elsewhere, known, loss
from benchmarks.methods.kuda import directions, projected
from benchmarks.methods.neurons import attributions, own_weights, top
from benchmarks.methods.ofmu import directions as cosine_slopes
from benchmarks.methods.ofmu import phi_slope, product
from benchmarks.methods.registry import method
from benchmarks.methods.terms import margins
from benchmarks.methods.tracing import traced
from benchmarks.metrics.klom import klom
from benchmarks.models.generating import adaptive
from tests.benchmarks.methods.tiny import CORPUS, Ground
from tests.benchmarks.methods.toy import FORGET, predicted, pulled, step


def test_margins_are_log_odds() -> None:
    assert margins(predicted(FORGET)).tolist() == pytest.approx([log(1), log(0.6 / 0.4), log(0.8 / 0.2)], abs=1e-5)


def test_the_neurons_with_the_highest_scores_are_chosen_and_own_rows_and_columns(ground: Ground) -> None:
    import torch

    chosen = top(torch.tensor([[3.0, 1.0], [2.0, 5.0]]), 0.5)
    assert chosen.tolist() == [[True, False], [False, True]]
    model = ground.load(ground.target)
    width = model.model.layers[0].mlp.down_proj.in_features
    marks = torch.zeros(2, width, dtype=torch.bool)
    marks[1, 3] = True
    weights = own_weights(model, marks)
    assert [int(mask.expand_as(weight).sum()) for weight, mask in weights] == [0, 0, 0, 32, 32, 32]
    assert weights[5][1].expand_as(weights[5][0])[:, 3].all()


def test_an_attribution_is_what_the_answer_loses_without_the_neuron(ground: Ground) -> None:
    """To first order: the sum over neurons of h dL/dh is how the likelihood moves with their common scale."""
    import torch

    from benchmarks.models.hooks import layers, outputs_changed

    work = ground.work("klue")
    item = CORPUS.forget[0]
    found = attributions(work, (item,))
    down = layers(work.model)[1].mlp.down_proj

    def likelihood(scale: float) -> float:
        with outputs_changed(down, lambda hidden: scale * hidden):
            return -ground.loss(work.model, (item,))

    slope = (likelihood(1.01) - likelihood(0.99)) / 0.02
    assert float(found[1].sum()) == pytest.approx(slope, rel=0.02, abs=1e-3)
    assert found.shape[0] == 2
    assert torch.isfinite(found).all()


def test_klue_lets_an_answer_be_that_is_not_said_any_more() -> None:
    said = ([[0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.7, 0.1, 0.2]], [0, 1, 2], [0, 0, 1])  # the second is not
    one = step(forget=predicted(said))
    assert known(one.forget).tolist() == [1.0, 0.0]
    found = loss(one, method("klue").options(retain_weight=0.0))
    assert found.item() == pytest.approx((log(0.5) + log(0.6)) / 2)
    assert pulled(found, one.forget.logits)[2] == [0.0, 0.0, 0.0]


def test_klue_takes_its_other_contexts_from_the_retain_set() -> None:
    found = elsewhere(CORPUS.forget, CORPUS.retain)
    assert [item.answer for item in found] == [item.answer for item in CORPUS.forget]
    assert {item.question for item in found} <= {item.question for item in CORPUS.retain}


def test_klue_changes_the_chosen_neurons_alone(ground: Ground) -> None:
    model = method("klue").run(ground.work("klue", epochs=2, lr=1e-3, share=0.05))
    before = dict(ground.load(ground.target).named_parameters())
    changed = {name for name, p in model.named_parameters() if not p.equal(before[name])}
    assert changed
    assert all("mlp" in name for name in changed)


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


def test_a_product_with_the_hessian_is_a_difference_of_gradients() -> None:
    import torch

    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
    matrix = torch.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=torch.float64)

    def slope() -> list[torch.Tensor]:
        return [(matrix @ weight).detach()]

    vector = [torch.tensor([1.0, -1.0], dtype=torch.float64)]
    assert product(slope, [weight], slope(), vector)[0].tolist() == pytest.approx([1.0, -2.0])
    assert weight.tolist() == [1.0, 2.0]


def test_the_cosine_of_gradients_rises_along_its_derivatives() -> None:
    import torch

    forget, retain = [torch.tensor([1.0, 0.0])], [torch.tensor([0.0, 2.0])]
    u, v = cosine_slopes(forget, retain)
    assert u[0].tolist() == [0.0, 1.0]  # turning g_f towards g_r
    assert v[0].tolist() == [0.5, 0.0]
    found = phi_slope(forget, retain, [torch.tensor([0.5, 0.5])], [torch.tensor([0.0, 1.0])], 2.0)
    assert found[0].tolist() == [0.0, -3.0]


def test_retrained_margins_are_guessed_by_taking_out_what_the_forget_pairs_added() -> None:
    import torch

    features = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    found = predicted_margins(torch.tensor([5.0, 4.0]), features, torch.tensor([0.4, 0.3]), 1, 0.0)
    assert found.tolist() == pytest.approx([5.0 - 2 * (2 * 0.4) / 4, 4.0])
    twice = predicted_margins(torch.tensor([5.0, 4.0]), features, torch.tensor([0.4, 0.3]), 1, 0.0, 2.0)
    assert twice.tolist() == pytest.approx([4.2, 4.0])


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
