"""SURE, unlearning that survives quantisation (Zhang et al., 2024, arXiv 2410.16454).

A step of GradDiff or NPO with a larger rate, but only on the units (rows of a weight matrix) whose gradient of the
forget loss is among the largest: over the ``quantile``-th of all rows' norms, found anew at each step. Steps so large
leave the interval in which quantisation would round them away. Defaults: quantile 0.9 from the paper; rate 1e-4, for
theirs are for 7B parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.descent import descend
from benchmarks.methods.gradients import gradient_of
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.over import borrowed, underlying
from benchmarks.methods.step import Step
from benchmarks.models.workers import Workers

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Sure(Options):
    """over: whose loss. quantile: of rows that stay as they are."""

    lr: float = 1e-4
    over: str = "grad_diff"
    quantile: float = 0.9


def salient(gradients: Sequence[torch.Tensor], quantile: float) -> list[torch.Tensor]:
    """Which rows of each gradient are over the quantile of all rows' norms, (rows,) of booleans; a vector is rows."""
    import torch

    norms = [gradient.float().reshape(len(gradient), -1).norm(dim=1) for gradient in gradients]  # (rows,)
    every = torch.cat(norms)
    least = every.kthvalue(max(1, min(len(every), round(quantile * len(every))))).values
    return [norm > least for norm in norms]


def keep_salient(step: Step, options: Sure, parameters: Sequence[Any]) -> None:
    """Leave the gradients of salient rows alone."""
    given = gradient_of(step.anew().forget.nll, parameters)  # the step's own graph is spent
    Workers().summed(given)
    for parameter, rows in zip(parameters, salient(given, options.quantile), strict=True):
        if parameter.grad is not None:
            parameter.grad.mul_(rows.reshape(-1, *[1] * (parameter.dim() - 1)).to(parameter.grad.dtype))


def run(work: Unlearning) -> Any:
    """The target model, in place."""
    needs = underlying(work.options.over, work.options)[0].needs
    return descend(work, borrowed, needs, edit=keep_salient)


METHOD = Method(
    Card("SURE", "Zhang et al., 2024, arXiv 2410.16454", "weights", Intent.REMOVE, "the rows that matter most",
         Basis.PAPER, (10,)), Sure, run, copies=6,
)  # fmt: skip
