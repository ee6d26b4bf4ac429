"""SimNPO, NPO without a reference (Fan et al., 2024, arXiv 2410.07163).

    L = -gamma (2 / beta) mean log sigmoid(beta (NLL(y_f) / |y_f| - delta)) + alpha CE(retain)

NLL(y) is of the whole answer. Defaults as in open-unlearning: beta 4.5, delta 0, gamma 0.125, alpha 1. The paper's
formula has -(beta / |y|) log p(y) - gamma in the sigmoid: its gamma is beta delta here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, balanced

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class SimNpo(Options):
    """beta: how soon an answer counts as unlearnt. delta: the loss of a token from which on it does."""

    beta: float = 4.5
    delta: float = 0.0
    forget_weight: float = 0.125


def loss(step: Step, options: SimNpo) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    over = -answer_means(step.forget, step.forget.log_probs) - options.delta  # (chats,)
    forget = -2 / options.beta * torch.nn.functional.logsigmoid(options.beta * over).mean()
    return balanced(step, options, forget)


METHOD = by_loss(
    Card("SimNPO", "Fan et al., 2024, arXiv 2410.07163", "divergence", Intent.REMOVE, "all weights", Basis.OPEN),
    loss,
    SimNpo,
)
