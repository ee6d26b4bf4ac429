"""What the corruptions share: the masked rows out, the new ones in, and which dimensions of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from guard.corruptions.spec import CorruptionSpec


def replaced(rows: torch.Tensor, mask: Sequence[bool], change: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """A copy of ``rows`` with ``change`` of its masked rows ``(masked, dim)`` in their places."""
    import torch

    chosen = torch.tensor([i for i, masked in enumerate(mask) if masked], dtype=torch.long)
    out = rows.clone()
    out[chosen] = change(rows[chosen])
    return out


def normal(shape: Sequence[int], spec: CorruptionSpec, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Noise of standard deviation ``spec.sigma``."""
    import torch

    return torch.randn(tuple(shape), generator=generator, dtype=like.dtype) * spec.sigma


def count(spec: CorruptionSpec, own: torch.Tensor) -> int:
    """How many dimensions of a row: ``spec.dims``, all where it is None or more than there are."""
    dim = own.shape[1]
    return dim if spec.dims is None else min(spec.dims, dim)


def first(own: torch.Tensor, spec: CorruptionSpec) -> torch.Tensor:
    """The first dimensions, as ``(masked, n)`` indices."""
    import torch

    return torch.arange(count(spec, own)).expand(len(own), -1)


def largest_magnitude(own: torch.Tensor, spec: CorruptionSpec) -> torch.Tensor:
    """Each row's dimensions with the largest absolute values, as ``(masked, n)`` indices."""
    return own.abs().topk(count(spec, own), dim=1).indices


def largest(own: torch.Tensor, spec: CorruptionSpec) -> torch.Tensor:
    """Each row's dimensions with the largest signed values, as ``(masked, n)`` indices."""
    return own.topk(count(spec, own), dim=1).indices


def smallest(own: torch.Tensor, spec: CorruptionSpec) -> torch.Tensor:
    """Each row's dimensions with the smallest signed values, as ``(masked, n)`` indices."""
    return own.topk(count(spec, own), dim=1, largest=False).indices


def drawn(own: torch.Tensor, spec: CorruptionSpec, generator: torch.Generator) -> torch.Tensor:
    """Dimensions by chance, the same for every row, as ``(masked, n)`` indices."""
    import torch

    return torch.randperm(own.shape[1], generator=generator)[: count(spec, own)].expand(len(own), -1)
