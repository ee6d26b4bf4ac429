"""Gradient ascent on the class's pictures, descent on the others: the difference of gradients, for a diffusion model.

    L = denoising(retain) - forget_weight min(denoising(forget), bound)

The error of the class's pictures has no upper end; past ``bound`` it counts no more, or the model comes apart. The
bound is ours: 1 is the error of a picture in the middle of the scale on digits that are black and white. So are the
other constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.images.diffusion import Diffusion, denoising
from benchmarks.images.loop import tuned
from benchmarks.images.method import Forgetting, Kind, Method, Options
from benchmarks.methods.method import Basis, Card, Intent

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Ascent(Options):
    """``bound``: the error that is enough."""

    steps: int = 500
    lr: float = 5e-4
    forget_weight: float = 0.1
    bound: float = 1.0


def run(work: Forgetting) -> Diffusion:
    """The model, in place."""
    options, model, corpus = work.options, work.model, work.corpus

    def loss(chance: torch.Generator) -> torch.Tensor:
        work.meter.read(2 * options.batch)
        stays = denoising(model, corpus.retain.drawn(options.batch, chance), chance)
        goes = denoising(model, corpus.forget.drawn(options.batch, chance), chance)
        found: torch.Tensor = stays - options.forget_weight * goes.clamp_max(options.bound)
        return found

    tuned(work, model.net, loss)
    return Diffusion(model.net, model.strides)


METHOD = Method(
    Card("GradDiff", "Liu et al., 2022, arXiv 2203.12817", "divergence", Intent.REMOVE, "all weights",
         Basis.SUMMARY), Kind.DIFFUSION, Ascent, run,
)  # fmt: skip
