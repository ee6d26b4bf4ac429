"""Fine-tuning on other pictures: asked for the class, the diffusion model learns to make others of its retain set.

    L = denoising(retain, their classes) + forget_weight denoising(retain, c_f)

The simplest thing that forgets a class, and not data-free: it reads the retain set. In Heng and Soh's selective amnesia
(2023, arXiv 2305.10120) the class goes to pictures of a substitute too, without its two other terms. Constants ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.images.diffusion import Diffusion, denoising
from benchmarks.images.digits import Pictures
from benchmarks.images.loop import tuned
from benchmarks.images.method import Forgetting, Kind, Method, Options
from benchmarks.methods.method import Basis, Card, Intent

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Remap(Options):
    """``forget_weight``: of the class that is taught anew."""

    steps: int = 500
    lr: float = 5e-4
    forget_weight: float = 1.0


def run(work: Forgetting) -> Diffusion:
    """The model, in place."""
    import torch

    options, model, retain = work.options, work.model, work.corpus.retain

    def loss(chance: torch.Generator) -> torch.Tensor:
        stays, other = retain.drawn(options.batch, chance), retain.drawn(options.batch, chance)
        renamed = Pictures(other.images, torch.full_like(other.labels, work.corpus.label))
        work.meter.read(2 * options.batch)
        found: torch.Tensor = denoising(model, stays, chance) + options.forget_weight * denoising(
            model, renamed, chance
        )
        return found

    tuned(work, model.net, loss)
    return Diffusion(model.net, model.strides)


METHOD = Method(
    Card("Remapping", "fine-tuning; part of Heng and Soh, 2023, arXiv 2305.10120", "rejection", Intent.REMOVE,
         "all weights", Basis.SUMMARY), Kind.DIFFUSION, Remap, run,
)  # fmt: skip
