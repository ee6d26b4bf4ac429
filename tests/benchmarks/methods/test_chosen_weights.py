"""Methods that change some weights alone: which they choose, and that the others stay bit for bit."""

from __future__ import annotations

import pytest

from benchmarks.methods.batches import encoded
from benchmarks.methods.corrective_ssd import found_bad
from benchmarks.methods.over import underlying
from benchmarks.methods.registry import method
from benchmarks.methods.ssu import Ssu, salient
from benchmarks.methods.step import Step
from benchmarks.methods.sure import salient as salient_rows
from benchmarks.methods.wagle import masks, scores
from benchmarks.models.packing import pack
from benchmarks.models.predicted import predict
from tests.benchmarks.methods.tiny import CORPUS, Ground
from tests.benchmarks.methods.toy import step


def test_wagle_scores_are_weights_less_the_retain_gradient_times_the_forget_gradient() -> None:
    import torch

    weight, forget, retain = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 3.0]), torch.tensor([1.0, 0.5])
    assert scores(weight, forget, retain, 0.5).tolist() == [0.0, 6.0]
    assert scores(weight, forget, retain, 1e12).tolist() == pytest.approx([1.0, 3.0])  # SNIP


def test_wagle_ranks_all_weights_together() -> None:
    import torch

    found = masks([torch.tensor([[1.0, 4.0]]), torch.tensor([2.0, 3.0])], 0.5)
    assert [one.tolist() for one in found] == [[[False, True]], [False, True]]
    assert all(one.all() for one in masks([torch.ones(3)], 1.0))


def test_wagle_leaves_what_it_did_not_choose(ground: Ground) -> None:
    changed, whole = _changed(ground, "wagle", share=0.25, over="npo")
    assert 0 < changed <= 0.25 * whole


def test_sure_changes_the_rows_whose_gradients_are_largest() -> None:
    import torch

    found = salient_rows([torch.tensor([[3.0, 4.0], [0.0, 1.0]]), torch.tensor([2.0, 0.5])], 0.5)
    assert [one.tolist() for one in found] == [[True, False], [True, False]]


def test_sure_leaves_most_rows_in_a_step(ground: Ground) -> None:
    changed, whole = _changed(ground, "sure", epochs=1, batch=6, quantile=0.9)
    assert 0 < changed < 0.35 * whole


def test_a_method_over_others_names_what_is_more_than_a_loss(ground: Ground) -> None:
    with pytest.raises(ValueError, match="rmu is more than a loss: choose grad_diff"):
        method("wagle").run(ground.work("wagle", over="rmu"))
    found, own = underlying("npo", method("wagle").options(lr=0.5), {"beta": 3.0})
    assert found is method("npo")
    assert (own.lr, own.beta) == (0.5, 3.0)


def test_the_known_part_is_drawn_by_the_seed_and_never_empty() -> None:
    known = found_bad(CORPUS.forget, 0.5, 1)
    assert len(known) == 3
    assert known == found_bad(CORPUS.forget, 0.5, 1)
    assert {found_bad(CORPUS.forget, 0.5, seed) for seed in range(5)} != {known}
    assert len(found_bad(CORPUS.forget, 0.01, 0)) == 1
    assert found_bad(CORPUS.forget, 1, 0) == CORPUS.forget
    with pytest.raises(ValueError, match="over 0"):
        found_bad(CORPUS.forget, 0, 0)


def test_ssu_leaves_all_but_the_projections(ground: Ground) -> None:
    model, before = method("ssu").run(ground.work("ssu", lr=1e-2)), ground.load(ground.target)
    pairs = zip(model.named_parameters(), before.parameters(), strict=True)
    changed = {name for (name, a), b in pairs if not a.equal(b)}
    assert changed
    assert all("_proj" in name for name in changed)


def test_ssu_lets_weights_take_part_whose_gradients_stand_out() -> None:
    import torch

    weight = torch.nn.Parameter(torch.zeros(4))
    weight.grad = torch.tensor([0.1, -0.1, 0.1, -2.0])
    salient(step(), Ssu(salience=1.0), [weight])  # mean 0.575, standard deviation 0.95
    assert weight.grad.tolist() == [0.0, 0.0, 0.0, -2.0]


def test_the_latent_adversary_stays_within_its_radius_and_brings_answers_back(ground: Ground) -> None:
    import torch

    from benchmarks.methods.rmu_lat import RmuLat, _shifted, adversary

    model = ground.load(ground.base)  # knows nothing
    packed = pack([encoded(ground.tokenizer, item) for item in CORPUS.forget])
    one, options = Step(model, {"forget": packed}, hidden=True), RmuLat(layer=0, attacked=0, radius=0.3, tries=6)
    shift = adversary(one, options)
    norms = one.forget.every[1].norm(dim=-1)
    assert (shift[0].norm(dim=-1) <= 0.3 * norms * 1.001).all()
    with torch.no_grad():
        assert _shifted(one, options, shift).nll < one.forget.nll
    with pytest.raises(ValueError, match="behind layer 0"):
        adversary(one, RmuLat(layer=0, attacked=1))


def test_tar_ends_where_the_attacked_model_is_less_sure(ground: Ground) -> None:
    import torch

    model = method("tar").run(ground.work("tar", epochs=10, lr=3e-3, batch=4))
    target = ground.load(ground.target)
    for own in (model, target):
        optimiser = torch.optim.SGD(own.parameters(), lr=1e-2)
        for _ in range(5):
            optimiser.zero_grad()
            predict(own, pack([encoded(ground.tokenizer, item) for item in CORPUS.forget])).nll.backward()
            optimiser.step()
    assert ground.loss(model, CORPUS.forget) > ground.loss(target, CORPUS.forget) + 0.2


def _changed(ground: Ground, name: str, **given: object) -> tuple[int, int]:
    """How many weights are not bit-equal afterwards, and how many there are."""
    model = method(name).run(ground.work(name, **{"epochs": 1, "lr": 1e-3, **given}))
    pairs = list(zip(model.parameters(), ground.load(ground.target).parameters(), strict=True))
    return sum(int((a != b).sum()) for a, b in pairs), sum(a.numel() for a, _ in pairs)
