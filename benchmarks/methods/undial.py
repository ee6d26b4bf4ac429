"""UNDIAL, self-distillation on adjusted logits (Dong et al., 2024, arXiv 2402.10052).

    q_t = softmax(z_0,t - beta onehot(y_t))
    L = gamma mean_t CE(q_t, p_t) + alpha CE(retain)

z_0 are the target model's logits at the answer tokens y_t: it is taught its own opinion with the answer played down.
Defaults as in open-unlearning: beta 10, rate 1e-4, 10 epochs, alpha 0 (the retain set is then not read). Its mean
covers prompts and padding too, where there is nothing to play down; here it is over answer tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Undial(Options):
    """beta: what is taken off the answer's logit."""

    epochs: int = 10
    lr: float = 1e-4
    beta: float = 10.0
    retain_weight: float = 0.0


def loss(step: Step, options: Undial) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    logits = step.frozen.forget.logits.float()  # (answer tokens, vocabulary)
    answer = torch.nn.functional.one_hot(step.forget.packed.wanted, logits.shape[-1])
    target = torch.softmax(logits - options.beta * answer, -1)
    return balanced(step, options, torch.nn.functional.cross_entropy(step.forget.logits.float(), target))


METHOD = by_loss(
    Card("UNDIAL", "Dong et al., 2024, arXiv 2402.10052", "distillation", Intent.REMOVE, "all weights", Basis.OPEN),
    loss, Undial, Needs(reference=True),
)  # fmt: skip
