"""IDK by likelihood (Maini et al., 2024, TOFU, arXiv 2401.06121).

    L = gamma CE(y_idk | forget question) + alpha CE(retain)

y_idk is a sentence that declines, one for each question, drawn by the seed. Defaults as in open-unlearning: both
weights 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced

if TYPE_CHECKING:
    import torch


def loss(step: Step, options: Options) -> torch.Tensor:
    """The loss of a step, a scalar."""
    return balanced(step, options, step.refused.nll)


METHOD = by_loss(
    Card("IDK (NLL)", "Maini et al., 2024, arXiv 2401.06121", "rejection", Intent.SUPPRESS, "all weights", Basis.OPEN),
    loss, needs=Needs(refused=True),
)  # fmt: skip
