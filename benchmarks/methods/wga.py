"""WGA, weighted gradient ascent (Wang et al., 2025, arXiv 2502.19301).

    L = -gamma mean_t [p_t^beta] CE_t(forget) + alpha CE(retain), no gradient through [.]

p_t is the probability of an answer token: one that is forgotten no longer counts, so that ascent ends by itself. The
mean is over the answer tokens of the batch. Defaults as in open-unlearning: beta 1, both weights 1, rate 1e-5, 5
epochs.
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
class Wga(Options):
    """beta: 0 is gradient ascent, more spares what is half forgotten."""

    lr: float = 1e-5
    beta: float = 1.0


def loss(step: Step, options: Wga) -> torch.Tensor:
    """The loss of a step, a scalar."""
    log_probs = step.forget.log_probs  # (answer tokens,)
    weights = log_probs.detach().exp() ** options.beta
    return balanced(step, options, (weights * log_probs).mean())


METHOD = by_loss(
    Card("WGA", "Wang et al., 2025, arXiv 2502.19301", "divergence", Intent.REMOVE, "all weights", Basis.OPEN),
    loss,
    Wga,
)
