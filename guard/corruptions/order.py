"""Rows in another order.

The paper's code permutes the whole sequence and ignores which tokens were chosen. Here only the masked rows change
places among themselves, so that the rest of the prompt stays bit-equal. Where that leaves a row as it was (one token,
the middle one, a palindrome, a word that occurs twice) the row's own dimensions are permuted in the same manner, and
where it is still the same its sign is turned. So every masked row changes, but for one of zeros, which has nothing to
hide.

What the rows say is all still there, in another order: weak beside noise, and here for the comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from guard.corruptions.rows import replaced

if TYPE_CHECKING:
    import torch

    from guard.corruptions.spec import CorruptionSpec


def shuffle(rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator) -> torch.Tensor:
    """Put the masked rows into an order drawn by chance."""
    import torch

    def mixed(values: torch.Tensor) -> torch.Tensor:
        return values[torch.randperm(len(values), generator=generator)]

    return replaced(rows, mask, lambda own: _reordered(own, mixed))


def reverse(rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator) -> torch.Tensor:
    """Put the masked rows into the opposite order."""
    return replaced(rows, mask, lambda own: _reordered(own, lambda values: values.flip(0)))


def _reordered(own: torch.Tensor, order: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    out = order(own)
    for i in _same(out, own):
        out[i] = order(own[i])
    for i in _same(out, own):
        out[i] = -own[i]
    return out


def _same(out: torch.Tensor, own: torch.Tensor) -> list[int]:
    found: list[int] = (out == own).all(dim=1).nonzero().flatten().tolist()
    return found
