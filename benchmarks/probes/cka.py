"""How alike two models' representations are: linear CKA by layer (Kornblith et al., 2019, arXiv 1905.00414).

    CKA(X, Y) = ||Y^T X||_F^2 / (||X^T X||_F ||Y^T Y||_F), columns centred

X and Y are the hidden states where a token of the same answers is about to be predicted, (places, dim), of the row and
of a yardstick. Kim et al., 2025, "Are We Truly Forgetting?" (arXiv 2503.06991) look at both: a model that only hides
keeps the target's representations, one that forgot comes near the retained model's. The figure is the mean over the
decoder's layers; a value for each. The paper compares images' features before the classifier.

CKA is biased towards 1 where dimensions outnumber places, as they do here: every token is a place for that reason, and
the note has the mean of the unbiased form (HSIC without its diagonal, Song et al., 2012; Nguyen et al., 2021, arXiv
2010.15327), which is ours to add. The first 64 items, ours.

A guard's row: the target's states over what the guard lets it read, where the guard asks the model everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.probes.probe import Probe
from benchmarks.probes.states import both, states

if TYPE_CHECKING:
    import torch


def linear_cka(one: torch.Tensor, other: torch.Tensor) -> float:
    """From 0 to 1, of (items, dim) and (items, other dim); 0 where one does not vary."""
    x, y = (side.double() - side.double().mean(0) for side in (one, other))
    both = (y.T @ x).square().sum()
    alone = (x.T @ x).square().sum().sqrt() * (y.T @ y).square().sum().sqrt()
    return float(both / alone.clamp_min(1e-20))


def unbiased_cka(one: torch.Tensor, other: torch.Tensor) -> float:
    """The same by unbiased estimates of HSIC: about 0 where nothing is shared; nan under four places."""
    if len(one) < 4:
        return math.nan
    k, m = _gram(one), _gram(other)
    norm = _hsic(k, k) * _hsic(m, m)
    return _hsic(k, m) / math.sqrt(norm) if norm > 0 else math.nan


def alike(victim: Victim, to: Callable[[Victim], Callable[[], Any]], of: str, most: int = 64) -> Measured | Undefined:
    """The mean CKA over layers on the set ``of``."""
    import torch

    items = victim.sets.get(of, ())[:most]
    if len(items) < 3:
        return Undefined(f"the set {of!r} has too few items to compare representations")
    given = both(victim, items)
    if isinstance(given, Undefined):
        return given
    seen = states(victim, victim.load(), given[0]), states(victim, to(victim)(), given[1])
    own, other = ([torch.cat(layer) for layer in zip(*side, strict=True)] for side in seen)
    fair = math.fsum(unbiased_cka(a, b) for a, b in zip(own, other, strict=True)) / len(own)
    note = f"a value for each layer, over {len(own[0])} places; unbiased {fair:.3f}"
    return mean([linear_cka(a, b) for a, b in zip(own, other, strict=True)], note)


def _gram(side: torch.Tensor) -> torch.Tensor:
    """Inner products of places without the diagonal, (places, places)."""
    plain = side.double() @ side.double().T
    return plain.fill_diagonal_(0)


def _hsic(k: torch.Tensor, m: torch.Tensor) -> float:
    n = len(k)
    rest = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * (k.sum(0) @ m.sum(0)) / (n - 2)
    return float(((k * m).sum() + rest) / (n * (n - 3)))


def _target(victim: Victim) -> Callable[[], Any]:
    return victim.target


def _retained(victim: Victim) -> Callable[[], Any]:
    return victim.retained


_PAPER = "Kim et al., 2025, arXiv 2503.06991"
TARGET = Probe("CKA to the target, forget", _PAPER, "retained", "representation",
               partial(alike, to=_target, of="forget"))  # fmt: skip
RETAINED = Probe("CKA to the retained model, forget", _PAPER, "high", "representation",
                 partial(alike, to=_retained, of="forget"))  # fmt: skip
KEPT = Probe("CKA to the target, retain", _PAPER, "high", "representation", partial(alike, to=_target, of="retain"))
