"""How alike two models' representations are: linear CKA by layer (Kornblith et al., 2019, arXiv 1905.00414).

    CKA(X, Y) = ||Y^T X||_F^2 / (||X^T X||_F ||Y^T Y||_F), columns centred

X and Y are the hidden states of the same answers, (items, dim), of the row and of a yardstick. "Are we truly
forgetting" (PAPERS.md, row 1) looks at both: a model that only hides keeps the target's representations, one that
forgot comes near the retained model's. The figure is the mean over layers; a value for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.probes.probe import Probe
from benchmarks.probes.seeing import states

if TYPE_CHECKING:
    import torch


def linear_cka(one: torch.Tensor, other: torch.Tensor) -> float:
    """From 0 to 1, of (items, dim) and (items, other dim); 0 where one does not vary."""
    x, y = one - one.mean(0), other - other.mean(0)
    both = (y.T @ x).square().sum()
    alone = (x.T @ x).square().sum().sqrt() * (y.T @ y).square().sum().sqrt()
    return float(both / alone.clamp_min(1e-20))


def alike(victim: Victim, to: Callable[[Victim], Callable[[], Any]], of: str) -> Measured | Undefined:
    """The mean CKA over layers on the set ``of``."""
    items = victim.sets.get(of, ())
    if len(items) < 3:
        return Undefined(f"the set {of!r} has too few items to compare representations")
    own = states(victim, victim.load(), items)
    other = states(replace(victim, guard=None), to(victim)(), items)
    if not own or len(own[0]) != len(other[0]):
        return Undefined("the guard does not ask the model everything")
    return mean([linear_cka(a, b) for a, b in zip(own, other, strict=True)], "a value for each layer")


def _target(victim: Victim) -> Callable[[], Any]:
    return victim.target


def _retained(victim: Victim) -> Callable[[], Any]:
    return victim.retained


_PAPER = "PAPERS.md, row 1; Kornblith et al., 2019, arXiv 1905.00414"
TARGET = Probe("CKA to the target, forget", _PAPER, "retained", "representation",
               partial(alike, to=_target, of="forget"))  # fmt: skip
RETAINED = Probe("CKA to the retained model, forget", _PAPER, "high", "representation",
                 partial(alike, to=_retained, of="forget"))  # fmt: skip
KEPT = Probe("CKA to the target, retain", _PAPER, "high", "representation", partial(alike, to=_target, of="retain"))
