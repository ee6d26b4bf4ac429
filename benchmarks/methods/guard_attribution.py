"""GUARD, guided unlearning and retention by data attribution (arXiv 2506.10946).

    a_i = cos(grad CE(pair i), mean grad CE(retain)),  w = n softmax(-a / T)
    L = -gamma mean_i w_i CE(pair i) + alpha CE(retain)

A forget pair whose gradient goes the way of the retain set's is unlearnt less, for unlearning it costs most there. a is
computed once, at the target model. Built from summaries: the softmax, its temperature T 1 and the cosine in place of
the inner product are ours; weights make n, so that the rate means what it means elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.descent import by_loss
from benchmarks.methods.gradients import cosine, each_gradient, mean_gradient, measured
from benchmarks.methods.method import Basis, Card, Intent, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, balanced

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Attributed(Options):
    """temperature: T; the higher, the more alike the weights."""

    temperature: float = 1.0


def weights(alignments: torch.Tensor, temperature: float) -> torch.Tensor:
    """Of each pair, (pairs,), making their number."""
    import torch

    return len(alignments) * torch.softmax(-alignments / temperature, 0)


def aligned(work: Unlearning) -> torch.Tensor:
    """The weights of the forget pairs.

    Raises:
        ValueError: the retain set is empty.
    """
    if not work.corpus.retain:
        raise ValueError("guard_attribution compares with the retain set, which is empty: give it one, or use ga")
    work.model.eval().requires_grad_(True)
    retain = mean_gradient(work, work.corpus.retain)
    found = measured(each_gradient(work, work.corpus.forget), lambda own: cosine(own, retain))
    return weights(found, work.options.temperature)


def loss(step: Step, options: Attributed) -> torch.Tensor:
    """The loss of a step, a scalar."""
    own = answer_means(step.forget, step.forget.log_probs)  # (chats,)
    return balanced(step, options, (step.kept[list(step.places)] * own).mean())


METHOD = by_loss(
    Card("GUARD (attribution)", "arXiv 2506.10946", "divergence", Intent.REMOVE, "all weights", Basis.SUMMARY, (33,)),
    loss, Attributed, prepare=aligned, beforehand=2,
)  # fmt: skip
