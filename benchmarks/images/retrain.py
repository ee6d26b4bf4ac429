"""Retraining without the class: the yardstick of exact unlearning, and how the targets are taught too.

Asked for the class that it never saw, a model answers with some other digit or with none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.images import diffusion, gan
from benchmarks.images.digits import Pictures
from benchmarks.images.loop import Act, averaged, descend, faded, over, resumed
from benchmarks.images.method import Forgetting, Kind, Method
from benchmarks.methods.method import Basis, Card, Intent
from benchmarks.models.meter import Meter

if TYPE_CHECKING:
    import torch


def diffusion_steps(
    model: diffusion.Diffusion, pictures: Pictures, options: Any, meter: Meter
) -> tuple[Mapping[str, Any], Act]:
    """What a diffusion model that learns ``pictures`` is made of, and its step."""
    import torch

    optimiser = torch.optim.Adam(model.net.parameters(), lr=options.lr)

    def act(at: int, chance: torch.Generator) -> None:
        faded(optimiser, options.lr, at, options.steps)
        meter.read(options.batch)
        descend(optimiser, diffusion.denoising(model, pictures.drawn(options.batch, chance), chance))

    return {"net": model.net, "optimiser": optimiser}, act


def gan_steps(
    model: gan.Gan, pictures: Pictures, options: Any, seed: int, meter: Meter
) -> tuple[Mapping[str, Any], Act]:
    """What a GAN that learns ``pictures`` is made of, and its step; ``model`` has the average of the weights."""
    import torch

    fast, critic = copy.deepcopy(model), gan.critic(seed)
    rates = {"lr": options.lr, "betas": (0.0, 0.99)}
    ours = torch.optim.Adam([*fast.mapping.parameters(), *fast.synthesis.parameters()], **rates)
    theirs = torch.optim.Adam(critic.parameters(), **rates)

    def act(at: int, chance: torch.Generator) -> None:
        for optimiser in (ours, theirs):
            faded(optimiser, options.lr, at, options.steps)
        true = pictures.drawn(options.batch, chance)
        meter.read(options.batch)
        made = fast.synthesis(fast.latents(true.labels, chance))
        descend(theirs, gan.critical(critic, true, made, options.gamma))
        descend(ours, gan.convincing(critic, made, true.labels))
        for slow, quick in ((model.mapping, fast.mapping), (model.synthesis, fast.synthesis)):
            averaged(slow, quick, options.average)

    return {
        "mapping": model.mapping, "synthesis": model.synthesis, "fast_mapping": fast.mapping,
        "fast_synthesis": fast.synthesis, "critic": critic, "ours": ours, "theirs": theirs,
    }, act  # fmt: skip


def taught_diffusion(pictures: Pictures, recipe: diffusion.Recipe, seed: int, meter: Meter) -> diffusion.Diffusion:
    """A diffusion model that knows ``pictures``."""
    model = diffusion.new(seed)
    over(seed, recipe.steps, meter, diffusion_steps(model, pictures, recipe, meter)[1])
    return model


def taught_gan(pictures: Pictures, recipe: gan.Recipe, seed: int, meter: Meter) -> gan.Gan:
    """A GAN that knows ``pictures``."""
    model = gan.new(seed)
    over(seed, recipe.steps, meter, gan_steps(model, pictures, recipe, seed, meter)[1])
    return model


def run_diffusion(work: Forgetting) -> diffusion.Diffusion:
    """A new model, taught the other classes."""
    model = diffusion.new(work.seed)
    parts, act = diffusion_steps(model, work.corpus.retain, work.options, work.meter)
    resumed(work, parts, work.options.steps, act)
    return model


def run_gan(work: Forgetting) -> gan.Gan:
    """A new model, taught the other classes."""
    model = gan.new(work.seed)
    parts, act = gan_steps(model, work.corpus.retain, work.options, work.seed, work.meter)
    resumed(work, parts, work.options.steps, act)
    return model


_CARD = Card(
    "Retraining", "exact unlearning: Cao and Yang, 2015", "retraining", Intent.REMOVE, "all weights", Basis.PAPER
)
DIFFUSION = Method(
    replace(_CARD, touches="all weights of the diffusion model"), Kind.DIFFUSION, diffusion.Recipe, run_diffusion
)
GAN = Method(replace(_CARD, touches="all weights of the GAN"), Kind.GAN, gan.Recipe, run_gan)
