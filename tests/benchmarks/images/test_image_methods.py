"""Losses by hand, and that methods forget a digit and keep the others."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from benchmarks.comparison.choosing import options
from benchmarks.images import diffusion, sfd, text_to_unlearn
from benchmarks.images.digits import load
from benchmarks.images.gan import critical
from benchmarks.images.ground import Ground
from benchmarks.images.method import Generator
from benchmarks.images.metrics import Scores, frechet, scored
from benchmarks.images.registry import method
from benchmarks.images.scorer import NAMES
from benchmarks.models.meter import Meter

SETTINGS: dict[str, dict[str, Any]] = {
    "sfd": {"steps": 300, "lr": 1e-3, "batch": 32},
    "remap": {"steps": 300},
    "ga_diffusion": {"steps": 300},
    "retrain_diffusion": {"steps": 700},
    "text_to_unlearn": {"steps": 300, "mapper_steps": 200},
    "retrain_gan": {"steps": 500, "lr": 2e-3, "batch": 64, "average": 0.95},
}


def _forgotten(ground: Ground, name: str, **given: Any) -> Generator:
    chosen = options(method(name).options, given)
    return method(name).run(ground.work(method(name).kind, 3, chosen, None, Meter(shown=False)))


def _scores(ground: Ground, generator: Generator) -> Scores:
    return scored(generator, ground.judge, ground.digits.held, 3, 40, 1)


def test_the_targets_make_what_they_are_asked_for(images: Ground) -> None:
    for target in images.targets.values():
        scores = _scores(images, target)
        assert min(scores.forget.value, scores.retain.value) > 0.8


@pytest.mark.parametrize("name", SETTINGS)
def test_the_digit_is_lost_and_the_others_stay(images: Ground, name: str) -> None:
    scores = _scores(images, _forgotten(images, name, **SETTINGS[name]))
    assert scores.forget.value < 0.3
    assert scores.retain.value > 0.8


def test_distillation_alone_forgets_nothing(images: Ground) -> None:
    scores = _scores(images, _forgotten(images, "sid", steps=200, batch=32))
    assert min(scores.forget.value, scores.retain.value) > 0.8


def test_sfds_forgotten_digit_becomes_the_substitute(images: Ground) -> None:
    generator = _forgotten(images, "sfd", substitute=7, **SETTINGS["sfd"])
    made = generator.sample(torch.full((40,), 3), torch.Generator().manual_seed(0))
    assert float((images.judge.named(made) == 7).float().mean()) > 0.8


def test_sfds_distance_by_hand() -> None:
    teacher, fake, made = (torch.tensor([row]) for row in ([1.0, 0.0], [0.0, 0.0], [0.0, 0.0]))
    # (f - s) = (1, 0), (f - x) = (1, 0), omega = 1/2: 1 (1 - 1.2) / 0.5
    assert sfd.apart(teacher, fake, made, 1.2).tolist() == pytest.approx([-0.4])
    assert sfd.apart(teacher, fake, made, 0.0).tolist() == pytest.approx([2.0])
    assert sfd.apart(teacher, teacher, made, 1.2).tolist() == [0.0]


def test_sfds_gradient_leads_samples_to_the_teachers() -> None:
    # Pictures of the teacher's are at 0.5, those made at -0.5 now; both are all one point, whatever the noise.
    place = torch.tensor([[-0.5]], requires_grad=True)
    torch.autograd.backward(sfd.apart(torch.tensor([[0.5]]), torch.tensor([[-0.5]]), place, 1.2).sum())
    assert place.grad is not None
    assert float(place.grad) == pytest.approx(-1.0)  # -(f - s) / omega: down the slope is up to 0.5


@pytest.mark.parametrize(("given", "expected"), [("next", {4}), (7, {7}), ("any", set(range(10)) - {3})])
def test_sfds_substitute_is_as_told(given: Any, expected: set[int]) -> None:
    found = sfd.replaced(sfd.Sfd(substitute=given), 3, 500, torch.Generator().manual_seed(0))
    assert set(found.tolist()) == expected


def test_what_cannot_be_is_refused_with_what_to_choose(images: Ground) -> None:
    with pytest.raises(ValueError, match="digit other than 3"):
        _forgotten(images, "sfd", substitute=3, steps=1)
    with pytest.raises(ValueError, match="first must be under last"):
        _forgotten(images, "sfd", first=800, steps=1)
    with pytest.raises(ValueError, match="name what it makes"):
        _forgotten(images, "text_to_unlearn", steps=1, mapper_steps=0)
    with pytest.raises(ValueError, match="choose 'pairs' or 'text'"):
        _forgotten(images, "text_to_unlearn", direction="up", steps=1)
    with pytest.raises(ValueError, match="choose from 0 to 9"):
        images.digits.parted(10)


def test_the_directional_loss_by_hand() -> None:
    way = torch.tensor([2.0, 0.0])
    sure = torch.tensor([1.0, 1.0])
    along, across = [2.0, 0.0], [0.0, 1.0]
    # along and as far: 0; across: 1 - 0, and the whole way is short
    found = text_to_unlearn.directional(torch.tensor([along, across]), way, sure, 1.0)
    assert float(found) == pytest.approx((0 + 1 + 1) / 2)
    half = text_to_unlearn.directional(torch.tensor([[1.0, 0.0], across]), way, torch.tensor([1.0, 0.0]), 1.0)
    assert float(half) == pytest.approx(0.5)  # aligned, half the way short; the other does not count
    assert float(text_to_unlearn.directional(torch.tensor([[1.0, 0.0]]), way, sure[:1], 0.0)) == pytest.approx(0.0)


def test_what_has_not_moved_is_drawn_along_the_way() -> None:
    moved = torch.zeros(1, 2, requires_grad=True)
    torch.autograd.backward(text_to_unlearn.directional(moved, torch.tensor([0.0, 0.5]), torch.ones(1), 1.0))
    assert moved.grad is not None
    assert torch.isfinite(moved.grad).all()
    assert float(moved.grad[0, 0]) == 0
    assert float(moved.grad[0, 1]) < 0


def test_only_what_does_not_fit_the_text_is_kept_by_hand() -> None:
    after, before = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.zeros(2, 2)
    given = text_to_unlearn.TextToUnlearn(picture=10.0, identity=2.0)
    found = text_to_unlearn.kept(after, before, torch.tensor([0.5, 0.0]), torch.tensor([0.0, 1.0]), given)
    assert float(found) == pytest.approx((10 * 0.5 + 2 * 0.5) / 2)


def test_text_to_unlearn_forgets_what_the_text_says_and_not_the_class_it_is_asked_to(images: Ground) -> None:
    generator = _forgotten(images, "text_to_unlearn", concept="the digit 0", **SETTINGS["text_to_unlearn"])
    made = generator.sample(torch.tensor([0, 3]).repeat_interleave(40), torch.Generator().manual_seed(0))
    named = images.judge.named(made)
    assert float((named[:40] == 0).float().mean()) < 0.3
    assert float((named[40:] == 3).float().mean()) > 0.8


def test_noise_by_hand() -> None:
    at = torch.tensor([0, 1])
    kept, left = diffusion.share(at)
    second = (1 - 1e-4) * (1 - 1e-4 - (0.02 - 1e-4) / 999)
    assert kept[:, 0].tolist() == pytest.approx([math.sqrt(1 - 1e-4), math.sqrt(second)])
    assert (kept.square() + left.square())[:, 0].tolist() == pytest.approx([1.0, 1.0])


def test_r1_is_half_gamma_times_the_square_of_the_slope() -> None:
    net = torch.nn.Linear(74, 1)
    pictures = load(0).train.drawn(4, torch.Generator().manual_seed(0))
    made = torch.zeros(4, 64)
    slope = float(net.weight[0, :64].detach().square().sum())
    more, less = (float(critical(net, pictures, made, gamma).detach()) for gamma in (2.0, 0.0))
    assert more - less == pytest.approx(slope, rel=1e-4)


def test_the_frechet_distance_of_points_by_hand() -> None:
    import numpy as np

    one = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    assert frechet(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet(one, one + np.array([3.0, 4.0])) == pytest.approx(25)
    assert frechet(one, one * 2 - 1) == pytest.approx(2 * 4 / 3)  # sqrt(C) is 1.155 and 2.309 in each direction


def test_the_scorer_tells_digits_by_texts_that_it_was_not_taught(images: Ground) -> None:
    held = images.digits.held
    logits = images.scorer.logits(held.images, [f"digit {name}" for name in NAMES])
    assert float((logits.argmax(1) == held.labels).float().mean()) > 0.85


def test_the_digits_are_split_by_the_seed_with_nothing_in_two_parts() -> None:
    one, same, other = load(0), load(0), load(1)
    assert torch.equal(one.train.images, same.train.images)
    assert not torch.equal(one.train.images, other.train.images)
    assert len(one.train) + len(one.judging) + len(one.held) == 1797
    parted = one.parted(3)
    assert set(parted.forget.labels.tolist()) == {3}
    assert 3 not in parted.retain.labels
    assert len({one.parted(3).digest, one.parted(4).digest, other.parted(3).digest}) == 3
