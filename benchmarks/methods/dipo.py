"""DiPO, distribution preference optimisation (Qin et al., 2025, arXiv 2510.04773).

    pi_w = softmax(z_0 - c 1[top k]), pi_l = softmax(z_0 + c 1[top k])
    r(pi) = sum_t KL(pi_t || p_0,t) - KL(pi_t || p_t)
    L = -(1 / beta) mean log sigmoid(beta (r(pi_w) - r(pi_l))) + alpha CE(retain)

At each answer token two distributions are made of the target model's logits z_0: one that forgets, its likeliest tokens
played down, and one that remembers, the same played up. r is the expected log-ratio of the model to the target under
pi, so that this is DPO on distributions in place of sampled answers; the sum is over an answer's tokens.

Built from summaries, after token-level DPO: k 5, c 10 (UNDIAL's) and beta 0.1 (NPO's) are ours, as is dividing by beta,
which keeps the gradient's size whatever beta is, as NPO does.
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
class Dipo(Options):
    """beta: how soon an answer counts as unlearnt. top: k. shift: c, on logits."""

    beta: float = 0.1
    top: int = 5
    shift: float = 10.0


def loss(step: Step, options: Dipo) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    before = step.frozen.forget.logits.float()  # (answer tokens, vocabulary)
    top = before.topk(min(options.top, before.shape[-1] - 1)).indices
    moved = torch.zeros_like(before).scatter(1, top, options.shift)
    ratios = torch.log_softmax(step.forget.logits.float(), -1) - torch.log_softmax(before, -1)
    preferred = torch.softmax(before - moved, -1) - torch.softmax(before + moved, -1)  # pi_w - pi_l
    gain = step.forget.by_chat((preferred * ratios).sum(-1))  # (chats,), r(pi_w) - r(pi_l)
    forget = -torch.nn.functional.logsigmoid(options.beta * gain).mean() / options.beta
    return balanced(step, options, forget)


METHOD = by_loss(
    Card("DiPO", "Qin et al., 2025, arXiv 2510.04773", "divergence", Intent.REMOVE, "all weights", Basis.SUMMARY, (6,)),
    loss, Dipo, Needs(reference=True),
)  # fmt: skip
