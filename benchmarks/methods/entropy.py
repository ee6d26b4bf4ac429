"""Entropy optimisation (Scholten et al., 2024, arXiv 2410.03523).

    L = base + lambda_f mean_t H(p_t) on the forget set + lambda_r mean_t H(p_t) on the retain set

H is the entropy of the next token's distribution. On the forget set it is pushed down (lambda_f 1), so that drawing
answers gives nothing that the likeliest one does not; on the retain set up (lambda_r -0.25), so that answers stay
diverse. Signs and sizes from the authors' code; base is any loss of the registry, GradDiff by default. Theirs is over
all positions, here over the answers'. The paper's adaptive temperature at decoding is
``benchmarks.models.generating.adaptive``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.descent import descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.over import borrowed, underlying
from benchmarks.methods.step import Step
from benchmarks.methods.terms import entropy

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Entropy(Options):
    """over: the base. forget_entropy, retain_entropy: lambda_f and lambda_r."""

    over: str = "grad_diff"
    forget_entropy: float = 1.0
    retain_entropy: float = -0.25


def loss(step: Step, options: Entropy) -> torch.Tensor:
    """The loss of a step, a scalar."""
    found = borrowed(step, options) + options.forget_entropy * entropy(step.forget.logits).mean()
    if options.retain_weight and options.retain_entropy:
        found = found + options.retain_entropy * entropy(step.retain.logits).mean()
    return found


def run(work: Unlearning) -> Any:
    """The target model, in place."""
    return descend(work, loss, underlying(work.options.over, work.options)[0].needs)


METHOD = Method(
    Card("Entropy optimisation", "Scholten et al., 2024, arXiv 2410.03523", "divergence", Intent.SUPPRESS,
         "all weights", Basis.CODE, (8,)), Entropy, run, copies=5,
)  # fmt: skip
