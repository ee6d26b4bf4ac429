r"""RMU, representation misdirection (Li et al., 2024, WMDP, arXiv 2403.03218).

    L = gamma mean ||h - c u||^2 / d on the forget set + alpha mean ||h - h_0||^2 / d on the retain set

h is a layer's output, of d dimensions, where the next token is an answer's; the mean is over each answer's tokens, then
over answers. u is a unit vector drawn once, uniform in [0, 1) before it is scaled; h_0 is the target model's. Defaults
as in open-unlearning: layer 7, c = 2, both weights 1, and all parameters, of which those behind the layer get no
gradient. The paper changes ``layers\.(5|6|7)\.mlp\.down_proj`` alone, with c 6.5 and alpha 1200 for Zephyr-7B.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, balanced
from benchmarks.models.predicted import Predicted

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Rmu(Options):
    """How to misdirect.

    Attributes:
        layer: whose output is steered, counted from 0; not the last.
        steering: c.
        only: a regular expression that finds the names of the parameters to change; "" finds all.
    """

    layer: int = 7
    steering: float = 2.0
    only: str = ""


def loss(step: Step, options: Rmu) -> torch.Tensor:
    """The loss of a step, a scalar."""
    forget = distance(step.forget, options, step.kept)
    return balanced(step, options, forget, lambda: distance(step.retain, options, output(step.frozen.retain, options)))


def output(predicted: Predicted, options: Rmu) -> torch.Tensor:
    """The steered layer's."""
    return predicted.hidden[options.layer + 1].float()  # (answer tokens, dim); the embeddings come first


def distance(own: Predicted, options: Rmu, wanted: torch.Tensor) -> torch.Tensor:
    """Mean squares, from the layer's output to ``wanted``, (answer tokens, dim) or (dim,)."""
    squares = (output(own, options) - wanted).square().mean(-1)  # (answer tokens,)
    return answer_means(own, squares).mean()


def direction(work: Unlearning) -> torch.Tensor:
    """The vector c u, (dim,).

    Raises:
        ValueError: the model has no such layer, or it is the last, whose output is seen behind the final norm alone.
    """
    import torch

    shape = work.model.config.get_text_config()
    if not 0 <= work.options.layer < shape.num_hidden_layers - 1:
        raise ValueError(f"rmu steers layer {work.options.layer}: choose from 0 to {shape.num_hidden_layers - 2}")
    drawn = torch.rand(shape.hidden_size, generator=torch.Generator().manual_seed(work.seed))
    steered: torch.Tensor = work.options.steering * drawn / drawn.norm()
    return steered.to(work.model.device)


def trained(model: Any, options: Rmu) -> Sequence[Any]:
    """The parameters whose names are told.

    Raises:
        ValueError: there are none.
    """
    found = [p for name, p in model.named_parameters() if p.requires_grad and re.search(options.only, name)]
    if not found:
        raise ValueError(f"no parameter that may change has a name with {options.only!r}")
    return found


METHOD = by_loss(
    Card("RMU", "Li et al., 2024, arXiv 2403.03218", "representation", Intent.SUPPRESS,
         "weights up to one layer", Basis.OPEN),
    loss, Rmu, Needs(reference=True, hidden=True), prepare=direction, trained=trained,
)  # fmt: skip
