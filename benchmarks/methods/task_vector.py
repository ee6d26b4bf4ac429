"""Task arithmetic (Ilharco et al., 2022, arXiv 2212.04089).

    theta = theta_0 - c (theta_f - theta_0)

theta_f is the target model, taught the forget set once more by CE(forget); what that moved is taken back. c = 1, and
the fine-tuning's defaults are those all methods share: neither is in open-unlearning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.terms import taught


@dataclass(frozen=True, slots=True)
class TaskVector(Options):
    """scale: c. The rest is how theta_f is taught; the weights of the two losses mean nothing."""

    scale: float = 1.0


def run(work: Unlearning) -> Any:
    """The target model, in place."""
    tuned = descend(replace(work, model=work.target()), taught, Needs(retain=False))
    return taken_back(work.model, tuned, work.options.scale)


def taken_back(model: Any, tuned: Any, scale: float) -> Any:
    """``model`` less ``scale`` times what ``tuned`` moved, in place."""
    import torch

    moved = dict(tuned.named_parameters())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter -= scale * (moved[name] - parameter)
    return model.eval()


METHOD = Method(
    Card("Task vector", "Ilharco et al., 2022, arXiv 2212.04089", "weights", Intent.REMOVE, "all weights", Basis.PAPER),
    TaskVector, run, copies=5,
)  # fmt: skip
