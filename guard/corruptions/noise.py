"""Noise of standard deviation ``sigma``, drawn for each token and dimension; at 0 nothing is added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from guard.corruptions.rows import drawn, first, largest_magnitude, normal, replaced

if TYPE_CHECKING:
    import torch

    from guard.corruptions.spec import CorruptionSpec


def gaussian(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Add noise to every dimension."""
    return replaced(rows, mask, lambda own: own + normal(own.shape, spec, own, generator))


def rand_noise_first_n(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Add noise to the first dimensions. The paper's default, with ``dims`` 1."""
    return replaced(rows, mask, lambda own: _added(own, first(own, spec), spec, generator))


def rand_noise_rand_n(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Add noise to dimensions drawn by chance, the same ones in every row, as in the paper's code."""
    return replaced(rows, mask, lambda own: _added(own, drawn(own, spec, generator), spec, generator))


def rand_noise_top_k(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Add noise to each row's dimensions of largest absolute value."""
    return replaced(rows, mask, lambda own: _added(own, largest_magnitude(own, spec), spec, generator))


def set_rand_noise_first_n(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Put noise in place of the first dimensions.

    The paper's code also zeroes these dimensions of the tokens that are not chosen; here they stay as they were.
    """

    def change(own: torch.Tensor) -> torch.Tensor:
        where = first(own, spec)
        return own.scatter(1, where, normal(where.shape, spec, own, generator))

    return replaced(rows, mask, change)


def _added(own: torch.Tensor, where: torch.Tensor, spec: CorruptionSpec, generator: torch.Generator) -> torch.Tensor:
    return own.scatter_add(1, where, normal(where.shape, spec, own, generator))
