"""SSU, stable sequential unlearning (Dou et al., 2024, arXiv 2406.10952).

    theta_f: theta taught L = CE(forget) + eps CE(random answer of the forget set | forget question)
    g <- g where |g| >= mean + s std of |g| over all weights, else 0, at each step
    theta_new = theta - c (theta_f - theta)

Of each request, from the model that the last one left (``--requests``): the weights that matter are tuned towards the
request and what moved is taken back. Only projections of attention and MLP take part. Defaults from the authors' code:
eps 0.5, s 1, c 1, an epoch to a request (LoRA of rank 32 there). Their code adds an unmasked gradient after the mask,
an oversight: here the mask comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import Needs, mismatched
from benchmarks.methods.descent import descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.task_vector import taken_back

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Ssu(Options):
    """How much is taken back.

    Attributes:
        random: eps, the weight of random labels.
        salience: s, standard deviations above the mean from which on a weight takes part.
        scale: c.
    """

    epochs: int = 1
    random: float = 0.5
    salience: float = 1.0
    scale: float = 1.0


def loss(step: Step, options: Ssu) -> torch.Tensor:
    """The loss of a step, a scalar."""
    return step.forget.nll + options.random * step.of("mismatched").nll


def salient(step: Step, options: Ssu, parameters: Sequence[Any]) -> None:
    """Leave the gradients of weights that matter to this batch."""
    import torch

    found = [parameter.grad for parameter in parameters if parameter.grad is not None]
    sizes = torch.cat([gradient.abs().float().flatten() for gradient in found])
    least = sizes.mean() + options.salience * sizes.std()
    for gradient in found:
        gradient.mul_(gradient.abs() >= least)


def projections(model: Any, options: Any) -> list[Any]:
    """The projections' weights, or what a low-rank update has in their place."""
    return [p for name, p in model.named_parameters() if p.requires_grad and "_proj" in name]


def run(work: Unlearning) -> Any:
    """The target model, in place."""
    needs = Needs(retain=False, paired={"mismatched": lambda own: mismatched(own, own.corpus.forget)})
    tuned = descend(replace(work, model=work.target()), loss, needs, trained=projections, edit=salient)
    return taken_back(work.model, tuned, work.options.scale)


METHOD = Method(
    Card("SSU", "Dou et al., 2024, arXiv 2406.10952", "weights", Intent.REMOVE, "salient weights of the projections",
         Basis.CODE, (7,)), Ssu, run, copies=6,
)  # fmt: skip
