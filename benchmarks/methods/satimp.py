"""SatImp, saturation and importance (Yang et al., 2025, arXiv 2505.11953).

    L = -gamma mean_t [p_t^beta1 (1 - p_t)^beta2] CE_t(forget) + alpha CE(retain), no gradient through [.]

p_t is the probability of an answer token, the mean is over the answer tokens of the batch. Saturation, p^beta1, is high
for what is still well known, importance, (1 - p)^beta2, for what is surprising. Defaults: beta1 5 and beta2 0.1 as the
authors' repository recommends (open-unlearning has beta2 1); gamma 0.1, alpha 1, rate 1e-5, 5 epochs as in
open-unlearning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class SatImp(Options):
    """beta1: of saturation. beta2: of importance; both 0 is gradient ascent."""

    lr: float = 1e-5
    beta1: float = 5.0
    beta2: float = 0.1
    forget_weight: float = 0.1


def loss(step: Step, options: SatImp) -> torch.Tensor:
    """The loss of a step, a scalar."""
    log_probs = step.forget.log_probs  # (answer tokens,)
    known = log_probs.detach().exp()
    weights = known**options.beta1 * (1 - known) ** options.beta2
    return balanced(step, options, (weights * log_probs).mean())


METHOD = by_loss(
    Card("SatImp", "Yang et al., 2025, arXiv 2505.11953", "divergence", Intent.REMOVE, "all weights",
         Basis.OPEN, (22,)),
    loss, SatImp,
)  # fmt: skip
