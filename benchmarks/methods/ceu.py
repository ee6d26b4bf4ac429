"""CE-U, cross-entropy unlearning (Yang, 2025, arXiv 2503.01224).

    q_t = softmax(z_t with the answer's logit at -inf), no gradient through q
    L = gamma mean_t CE(q_t, p_t) + alpha CE(retain)

z_t are the model's own logits, so that it is taught its own opinion without the answer: bounded where gradient ascent
is not. The first token of an answer is left out, and the retain set is not read, as in open-unlearning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Ceu(Options):
    """skip: tokens at the beginning of each answer that are left as they are."""

    skip: int = 1
    retain_weight: float = 0.0


def loss(step: Step, options: Ceu) -> torch.Tensor:
    """The loss of a step, a scalar; 0 where every answer is too short."""
    import torch

    packed = step.forget.packed
    logits = step.forget.logits.float()  # (answer tokens, vocabulary)
    without = logits.detach().scatter(1, packed.wanted[:, None], float("-inf"))
    each = torch.nn.functional.cross_entropy(logits, torch.softmax(without, -1), reduction="none")
    starts = step.forget.lengths.cumsum(0) - step.forget.lengths  # (chats,), where each answer begins
    place = torch.arange(len(each), device=each.device) - starts[packed.owner]
    counted = place >= options.skip
    return balanced(step, options, (each * counted).sum() / counted.sum().clamp_min(1))


METHOD = by_loss(
    Card("CE-U", "Yang, 2025, arXiv 2503.01224", "divergence", Intent.REMOVE, "all weights", Basis.OPEN), loss, Ceu
)
