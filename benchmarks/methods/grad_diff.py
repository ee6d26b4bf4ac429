"""GradDiff, gradient difference (Liu et al., 2022, arXiv 2203.12817).

    L = -gamma CE(forget) + alpha CE(retain)

Defaults as in open-unlearning: both weights 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced

if TYPE_CHECKING:
    import torch


def loss(step: Step, options: Options) -> torch.Tensor:
    """The loss of a step, a scalar."""
    return balanced(step, options, -step.forget.nll)


METHOD = by_loss(
    Card("GradDiff", "Liu et al., 2022, arXiv 2203.12817", "divergence", Intent.REMOVE, "all weights",
         Basis.OPEN, (23,)), loss,
)  # fmt: skip
