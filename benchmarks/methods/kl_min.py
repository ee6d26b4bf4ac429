"""KL minimisation (Maini et al., 2024, TOFU, arXiv 2401.06121).

    L = -gamma CE(forget) + alpha KL(p_0 || p) on the retain set

KL is of the next-token distributions, the mean over the retain answers' tokens; p_0 is the target model's. TOFU and
open-unlearning take the mean over prompts too, where nothing is learnt. Defaults as in open-unlearning: both weights 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced, divergence

if TYPE_CHECKING:
    import torch


def loss(step: Step, options: Options) -> torch.Tensor:
    """The loss of a step, a scalar."""
    return balanced(step, options, -step.forget.nll, lambda: divergence(step.frozen.retain.logits, step.retain.logits))


METHOD = by_loss(
    Card("KL minimisation", "Maini et al., 2024, arXiv 2401.06121", "divergence", Intent.REMOVE, "all weights",
         Basis.OPEN, (23,)),
    loss, needs=Needs(reference=True),
)  # fmt: skip
