"""IDK+AP, declining with answer preservation (Yuan et al., 2024, arXiv 2410.08109).

    L = gamma CE(idk | x_f) - (alpha / beta) mean log sigmoid(beta (log p(y_r | x_r) - log p(idk | x_r)))

The forget questions are taught to be declined; on the retain set the true answer is held above declining, each as a
whole, so that declining does not spread. No reference. The paper's beta is 0.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs, declined
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class IdkAp(Options):
    """beta: how soon a true answer counts as preserved."""

    beta: float = 0.1


def loss(step: Step, options: IdkAp) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    def preserved() -> torch.Tensor:
        over = step.retain.answer_log_probs - step.of("retain_refused").answer_log_probs  # (chats,)
        return -torch.nn.functional.logsigmoid(options.beta * over).mean() / options.beta

    return balanced(step, options, step.refused.nll, preserved)


METHOD = by_loss(
    Card("IDK+AP", "Yuan et al., 2024, arXiv 2410.08109", "rejection", Intent.SUPPRESS, "all weights", Basis.PAPER,
         (13,)),
    loss, IdkAp,
    Needs(refused=True, beside={"retain_refused": lambda work: declined(work, work.corpus.retain)}),
)  # fmt: skip
