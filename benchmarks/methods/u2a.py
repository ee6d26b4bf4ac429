"""U2A, unlearning to align (arXiv 2504.06659).

    J = mean over forget questions of log p(declining) - log p(answer), each per token: what is preferred
    a_i = <grad J, grad CE(pair i)>, w = n softmax(a / (T max |a|))
    L = gamma (2 / beta) mean_i -w_i log sigmoid(-beta log(p / p_0)(pair i)) + alpha CE(retain)

Pairs whose unlearning furthers the preference most are unlearnt most. Unlearning pair i moves the weights along the
gradient of its CE, so that a_i is how much J then rises: the first-order form of the paper's implicit gradient, with
the identity for the inverse Hessian. Unlearning is NPO's, weighted. The form of J and T 2, in shares of the largest a,
are ours; weights all 1 give NPO.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.gradients import each_gradient, inner, mean_gradient, measured
from benchmarks.methods.method import Basis, Card, Intent, Unlearning
from benchmarks.methods.npo import Npo
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced, log_ratios

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class U2A(Npo):
    """temperature: T; the higher, the more alike the weights."""

    temperature: float = 2.0


def weights(gains: torch.Tensor, temperature: float) -> torch.Tensor:
    """Of each pair, (pairs,), making their number."""
    import torch

    largest = gains.abs().max().clamp_min(1e-30)
    return len(gains) * torch.softmax(gains / (temperature * largest), 0)


def preferred(work: Unlearning) -> torch.Tensor:
    """The weights of the forget pairs.

    Raises:
        ValueError: there are no sentences that decline.
    """
    if not work.refusals:
        raise ValueError("this method prefers sentences that decline, and none were given")
    work.model.eval().requires_grad_(True)
    forget = work.corpus.forget
    declining = [replace(item, answer=work.refusals[place % len(work.refusals)]) for place, item in enumerate(forget)]
    slope = [a.sub_(b) for a, b in zip(mean_gradient(work, forget), mean_gradient(work, declining), strict=True)]
    gains = measured(each_gradient(work, forget), lambda own: inner(slope, own))
    return weights(gains, work.options.temperature)


def loss(step: Step, options: U2A) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    ratio = log_ratios(step.forget, step.frozen.forget)  # (chats,)
    each = -2 / options.beta * torch.nn.functional.logsigmoid(-options.beta * ratio)
    return balanced(step, options, (step.kept[list(step.places)] * each).mean())


METHOD = by_loss(
    Card("U2A", "arXiv 2504.06659", "divergence", Intent.REMOVE, "all weights", Basis.SUMMARY, (12,)),
    loss, U2A, Needs(reference=True), prepare=preferred, beforehand=3,
)  # fmt: skip
