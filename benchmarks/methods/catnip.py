"""CATNIP, calibrated and tokenised negative preference (Yang et al., 2026, arXiv 2602.02824).

    L = -(2 / beta) mean_t log sigmoid(-beta log(p_t / (1 - p_t))) + alpha CE(retain)

NPO token by token, with the model's own 1 - p in place of a reference: a token counts by how confident the model is of
it, so that neither the length of an answer nor what the target knew weighs in. p_t / (1 - p_t) is computed from logits,
where p near 1 does no harm. No retain set by default. Built from summaries of the paper: beta 0.1 is NPO's, and that
the gradient goes through 1 - p is our reading; ``detach`` stops it there. The abstract has it that the push is in
proportion to the model's confidence: detached and with beta 1 it is just that, 2 p d log p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced, margins

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Catnip(Options):
    """beta: how soon a token counts as unlearnt. detach: no gradient through 1 - p."""

    beta: float = 0.1
    detach: bool = False
    retain_weight: float = 0.0


def loss(step: Step, options: Catnip) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    margin = margins(step.forget)  # (answer tokens,)
    if options.detach:
        reverse = (step.forget.log_probs - margin).detach()  # log(1 - p)
        margin = step.forget.log_probs - reverse
    forget = -2 / options.beta * torch.nn.functional.logsigmoid(-options.beta * margin).mean()
    return balanced(step, options, forget)


METHOD = by_loss(
    Card("CATNIP", "Yang et al., 2026, arXiv 2602.02824", "divergence", Intent.REMOVE, "all weights", Basis.SUMMARY,
         (21,)), loss, Catnip,
)  # fmt: skip
