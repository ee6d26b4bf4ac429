"""IDK by preference (DPO: Rafailov et al., 2023, arXiv 2305.18290; for unlearning: Maini et al., 2024, 2401.06121).

    r(y) = log(p(y) / p_0(y))
    L = -(2 / beta) mean log sigmoid(beta (r(y_idk) - r(y_f))) + alpha CE(retain)

y_idk, a sentence that declines, is preferred to the answer y_f that is to be forgotten. Defaults as in open-unlearning:
beta 0.1, both weights 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced, log_ratios

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class IdkDpo(Options):
    """beta: how soon a preference counts as learnt."""

    beta: float = 0.1


def loss(step: Step, options: IdkDpo) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    won = log_ratios(step.refused, step.frozen.refused)  # (chats,)
    lost = log_ratios(step.forget, step.frozen.forget)  # (chats,)
    forget = -2 / options.beta * torch.nn.functional.logsigmoid(options.beta * (won - lost)).mean()
    return balanced(step, options, forget)


METHOD = by_loss(
    Card("IDK (DPO)", "Maini et al., 2024, arXiv 2401.06121", "rejection", Intent.SUPPRESS, "all weights", Basis.OPEN),
    loss, IdkDpo, Needs(refused=True, reference=True),
)  # fmt: skip
