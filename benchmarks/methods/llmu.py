"""LLMU, large language model unlearning (Yao et al., 2023, arXiv 2310.10683).

    L = -gamma CE(forget) + m CE(random answer | forget question) + alpha KL(p_0 || p) on the retain set

Ascent on what is to be forgotten (harmful answers, copyrighted text), its questions taught an answer drawn from the
retain set, so that the model says something, and the target model's view held on the retain set. Weights as in the
authors' code: gamma 0.5, m 1, alpha 1; its rate 2e-6 and 1000 steps of 2 pairs are for OPT-1.3B. "Machine unlearning in
LLMs" (PAPERS.md, row 23) runs that code on the data of ``--data harm``, with LoRA for its book.

Here each forget question has one random answer, drawn once; the code draws five anew at each step, for a batch. Its KL
is a cross-entropy over prompts too, of the same gradient where both read the same tokens. It means to stop when the
forget loss has passed 100, but compares the loss with its sign turned and never does: nor does this.
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
    Card("LLMU", "Yao et al., 2023, arXiv 2310.10683", "divergence", Intent.REMOVE, "all weights", Basis.CODE, (23,)),
    loss, Llmu,
    Needs(reference=True, paired={"mismatched": lambda work: mismatched(work, work.corpus.retain)}),
)  # fmt: skip
