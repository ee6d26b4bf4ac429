"""NPO, negative preference optimisation (Zhang et al., 2024, arXiv 2404.05868).

    L = -(2 / beta) mean log sigmoid(-beta log(p(y_f) / p_0(y_f))) + alpha CE(retain)

p(y) is of the whole answer, p_0 that of the target model. Defaults as in open-unlearning: beta 0.1, both weights 1.
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
class Npo(Options):
    """beta: how soon an answer counts as unlearnt; near 0 it is gradient ascent."""

    beta: float = 0.1


def loss(step: Step, options: Npo) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    ratio = log_ratios(step.forget, step.frozen.forget)  # (chats,)
    forget = -2 / options.beta * torch.nn.functional.logsigmoid(-options.beta * ratio).mean()
    return balanced(step, options, forget)


METHOD = by_loss(
    Card("NPO", "Zhang et al., 2024, arXiv 2404.05868", "divergence", Intent.REMOVE, "all weights", Basis.OPEN),
    loss, Npo, Needs(reference=True),
)  # fmt: skip
