"""TAR, tamper-resistant safeguards (Tamirisa et al., 2024, arXiv 2408.00761).

    theta_k: theta after k steps of an attacker, SGD on CE(forget)
    g = alpha d/dtheta [CE(retain) + r mean ||h - h_0||^2 / d on the retain set]
      + gamma d/dtheta_k [-H(p) on the forget set], the attacker's steps taken for the identity (first order)

At each step the model is attacked by fine-tuning in a sketch, and moved so that the attacked model stays unsure of the
forgotten answers; the retain set is held by its loss and by the last layer's output. Entropy as the measure of
resistance, the first order and the retain terms are the paper's; an attacker of 4 steps with rate 1e-3 in place of 64
is ours, for a processor's sake, as is starting from the target model: the paper starts from a safeguard of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.gradients import gradient_of
from benchmarks.methods.method import Basis, Card, Intent, Options
from benchmarks.methods.step import Step
from benchmarks.methods.terms import entropy
from benchmarks.models.workers import Workers

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Tar(Options):
    """The attacker and the hold.

    Attributes:
        attacker_steps: k.
        attacker_rate: of the attacker's SGD.
        representation: r.
    """

    attacker_steps: int = 4
    attacker_rate: float = 1e-3
    representation: float = 1.0


def loss(step: Step, options: Tar) -> torch.Tensor:
    """What holds the retain set, a scalar; ``resist`` adds the rest."""
    own, before = step.retain, step.frozen.retain
    moved = (own.hidden[-1].float() - before.hidden[-1].float()).square().mean(-1).mean()
    return options.retain_weight * (own.nll + options.representation * moved)


def resist(step: Step, options: Tar, parameters: Sequence[Any]) -> None:
    """Add the gradient of the attacked model's certainty."""
    import torch

    workers, before = Workers(), [parameter.detach().clone() for parameter in parameters]
    for _ in range(options.attacker_steps):
        slopes = gradient_of(step.anew().forget.nll, parameters)
        with torch.no_grad():
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter -= options.attacker_rate * slope.to(parameter.dtype)
    certain = gradient_of(-entropy(step.anew().forget.logits).mean(), parameters)
    workers.summed(certain)
    with torch.no_grad():
        for parameter, own, slope in zip(parameters, before, certain, strict=True):
            parameter.copy_(own)
            added = options.forget_weight * slope.to(parameter.dtype) / workers.count
            parameter.grad = added if parameter.grad is None else parameter.grad + added


METHOD = by_loss(
    Card("TAR", "Tamirisa et al., 2024, arXiv 2408.00761", "divergence", Intent.REMOVE, "all weights", Basis.PAPER,
         (13,)), loss, Tar, Needs(reference=True, hidden=True), edit=resist, more=2,
)  # fmt: skip
