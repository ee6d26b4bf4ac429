"""Steps made by hand: answers over three tokens, with probabilities that are written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from benchmarks.methods.step import Step, View
from benchmarks.models.packing import Packed
from benchmarks.models.predicted import Predicted

FORGET = ([[0.5, 0.25, 0.25], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]], [0, 1, 2], [0, 0, 1])
FORGET_BEFORE = ([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]], [0, 1, 2], [0, 0, 1])
RETAIN = ([[0.9, 0.05, 0.05]], [0], [0])
RETAIN_BEFORE = ([[0.6, 0.3, 0.1]], [0], [0])
REFUSED = ([[0.25, 0.5, 0.25], [0.2, 0.4, 0.4]], [1, 1], [0, 1])
REFUSED_BEFORE = ([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25]], [1, 1], [0, 1])
"""Probabilities of the tokens at each place, which of them the answer has, and whose answer it is."""

Told = tuple[list[list[float]], list[int], list[int]]


def predicted(told: Told, layers: Sequence[Any] = ()) -> Predicted:
    """What a model predicts; the logits, log probabilities here, are a leaf that takes gradients."""
    import torch

    chances, wanted, owner = told
    empty = torch.zeros(1, 0, dtype=torch.long)
    packed = Packed(
        empty, empty, torch.zeros(1, 1, 0, 0), torch.arange(len(wanted)), torch.tensor(wanted), torch.tensor(owner),
        len(set(owner)), torch.zeros(0, dtype=torch.long), None,
    )  # fmt: skip
    logits = torch.tensor(chances, dtype=torch.float64).log().float().requires_grad_()
    return Predicted(packed, logits, tuple(layers))


def step(kept: Any = None, places: tuple[int, ...] = (0, 1), **sets: Predicted) -> Step:
    """A step with all sets, or with ``sets`` in their place; "frozen_" before a name: the reference's."""
    own = {"forget": predicted(FORGET), "retain": predicted(RETAIN), "refused": predicted(REFUSED)}
    before = {"forget": predicted(FORGET_BEFORE), "retain": predicted(RETAIN_BEFORE),
              "refused": predicted(REFUSED_BEFORE)}  # fmt: skip
    before |= {name.removeprefix("frozen_"): one for name, one in sets.items() if name.startswith("frozen_")}
    own |= {name: one for name, one in sets.items() if not name.startswith("frozen_")}
    reference = View(None, {})
    reference.__dict__.update(before)
    found = Step(None, {}, reference=reference, kept=kept, places=places)
    found.__dict__.update(own)
    return found


def pulled(loss: Any, logits: Any) -> list[list[float]]:
    """Where a step of descent pulls each logit."""
    import torch

    (gradient,) = torch.autograd.grad(loss, logits)
    return [[-value for value in row] for row in gradient.tolist()]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))
