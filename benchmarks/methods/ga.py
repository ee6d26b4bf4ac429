"""Gradient ascent on the forget set (Jang et al., 2022, arXiv 2210.01504).

    L = -gamma CE(forget)

CE is the mean over answer tokens. Nothing holds the model: with more epochs or a higher rate it comes apart, which the
papers that follow show. Defaults are those all methods share; gamma 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step

if TYPE_CHECKING:
    import torch


def loss(step: Step, options: Options) -> torch.Tensor:
    """The loss of a step, a scalar."""
    return -options.forget_weight * step.forget.nll


METHOD = by_loss(
    Card("Gradient ascent", "Jang et al., 2022, arXiv 2210.01504", "divergence", Intent.REMOVE, "all weights",
         Basis.OPEN, (23,)),
    loss, needs=Needs(retain=False),
)  # fmt: skip
