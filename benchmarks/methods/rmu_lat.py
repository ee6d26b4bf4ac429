"""RMU with latent adversarial training (Sheshadri et al., 2024, arXiv 2407.15549).

    d = argmin CE(forget | h_a + d) over ||d_t|| <= e ||h_a,t||, by k steps of projected gradient descent
    L = RMU's, its forget term computed with h_a + d

h_a is the output of a layer below the one that RMU steers, d a shift of it at every token that brings the forgotten
answer back as far as it can; RMU must steer in spite of it. The paper's bound is absolute and found for its models; in
shares of the layer's own norm, e 0.1, it fits any, and k 4 and steps of e / 2 are ours too. The rest is RMU's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.methods import rmu
from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced
from benchmarks.models.hooks import layers, outputs_changed
from benchmarks.models.predicted import Predicted

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class RmuLat(rmu.Rmu):
    """The adversary.

    Attributes:
        attacked: the layer whose output it shifts; at most RMU's.
        radius: e.
        tries: k.
    """

    attacked: int = 4
    radius: float = 0.1
    tries: int = 4


def loss(step: Step, options: RmuLat) -> torch.Tensor:
    """The loss of a step, a scalar."""
    forget = rmu.distance(_shifted(step, options, adversary(step, options)), options, step.kept)
    return balanced(
        step, options, forget, lambda: rmu.distance(step.retain, options, rmu.output(step.frozen.retain, options))
    )


def adversary(step: Step, options: RmuLat) -> torch.Tensor:
    """The shift d, (1, tokens, dim), within the radius.

    Raises:
        ValueError: the layer it shifts is behind the one that RMU steers.
    """
    import torch

    if options.attacked > options.layer:
        raise ValueError(f"rmu_lat shifts layer {options.attacked}, behind layer {options.layer} which it steers")
    hidden = step.forget.every[options.attacked + 1].detach()[None]  # (1, tokens, dim)
    most = options.radius * hidden.norm(dim=-1, keepdim=True)  # (1, tokens, 1)
    shift = torch.zeros_like(hidden)
    for _ in range(options.tries):
        shift.requires_grad_(True)
        (slope,) = torch.autograd.grad(_shifted(step, options, shift).nll, shift)
        with torch.no_grad():
            moved = shift - most / 2 * slope / slope.norm(dim=-1, keepdim=True).clamp_min(1e-12)
            shift = moved * (most / moved.norm(dim=-1, keepdim=True).clamp_min(1e-12)).clamp_max(1)
    return shift.detach()


def _shifted(step: Step, options: RmuLat, shift: torch.Tensor) -> Predicted:
    """How the model sees the forget set with ``shift`` in its way."""
    with outputs_changed(layers(step.model)[options.attacked], lambda hidden: hidden + shift):
        return step.anew().forget


METHOD = by_loss(
    Card("RMU+LAT", "Sheshadri et al., 2024, arXiv 2407.15549", "representation", Intent.SUPPRESS,
         "weights up to one layer", Basis.PAPER, (13,)),
    loss, RmuLat, Needs(reference=True, hidden=True), prepare=rmu.direction, trained=rmu.trained,
)  # fmt: skip
