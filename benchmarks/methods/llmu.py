"""LLMU, large language model unlearning (Yao et al., 2023, arXiv 2310.10683).

    L = -gamma CE(forget) + m CE(random answer | forget question) + alpha KL(p_0 || p) on the retain set

Ascent on what is to be forgotten (harmful answers, copyrighted text), its questions taught an answer drawn from the
retain set, so that the model says something, and the target model's view held on the retain set. The paper's weights:
gamma 0.5, m 1, alpha 1. "Machine unlearning in LLMs" (PAPERS.md, row 23) is its first term, with LoRA.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs, mismatched
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced, divergence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Llmu(Options):
    """mismatch: m."""

    forget_weight: float = 0.5
    mismatch: float = 1.0


def loss(step: Step, options: Llmu) -> torch.Tensor:
    """The loss of a step, a scalar."""
    ascent = balanced(
        step, options, -step.forget.nll, lambda: divergence(step.frozen.retain.logits, step.retain.logits)
    )
    return ascent + options.mismatch * step.of("mismatched").nll


METHOD = by_loss(
    Card("LLMU", "Yao et al., 2023, arXiv 2310.10683", "divergence", Intent.REMOVE, "all weights", Basis.PAPER, (23,)),
    loss, Llmu,
    Needs(reference=True, paired={"mismatched": lambda work: mismatched(work, work.corpus.retain)}),
)  # fmt: skip
