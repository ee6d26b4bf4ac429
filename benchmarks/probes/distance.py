"""How far the weights went: the relative distance from the target's, by layer.

    d = ||theta - theta_0|| / ||theta_0||, of each of the decoder's layers

Beside a figure of forgetting it says how much was moved for it; a guard moves nothing.
"""

from __future__ import annotations

from typing import Any

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, mean
from benchmarks.models.hooks import layers
from benchmarks.probes.probe import Probe


def distance(victim: Victim) -> Measured:
    """The mean over layers; a value for each."""
    pairs = zip(layers(victim.load()), layers(victim.target()), strict=True)
    return mean([_relative(own, other) for own, other in pairs], "a value for each layer")


def _relative(own: Any, other: Any) -> float:
    import torch

    mine, theirs = (torch.cat([p.detach().float().flatten() for p in one.parameters()]) for one in (own, other))
    return float((mine - theirs).norm() / theirs.norm())


DISTANCE = Probe("weights moved", "", "low", "representation", distance)
