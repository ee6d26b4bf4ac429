"""Values set to 0, turned over or shifted, without chance.

A value of 0 has nothing to hide: ``zero_out_*`` and ``flip_sign_*`` leave it, and a row of zeros with it. ``sub_*`` and
``add_*`` shift by ``sigma``, so that 0 shifts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from guard.corruptions.rows import first, largest, largest_magnitude, replaced, smallest

if TYPE_CHECKING:
    import torch

    from guard.corruptions.spec import CorruptionSpec


def zero_out_first_n(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Set the first dimensions to 0."""
    return replaced(rows, mask, lambda own: own.scatter(1, first(own, spec), 0))


def zero_out_top_k(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Set each row's dimensions of largest absolute value to 0."""
    return replaced(rows, mask, lambda own: own.scatter(1, largest_magnitude(own, spec), 0))


def flip_sign_first_n(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Turn the sign of the first dimensions."""
    return replaced(rows, mask, lambda own: _flipped(own, first(own, spec)))


def flip_sign_top_k(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Turn the sign of each row's dimensions of largest absolute value."""
    return replaced(rows, mask, lambda own: _flipped(own, largest_magnitude(own, spec)))


def sub_value_first_n(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Subtract ``sigma`` from the first dimensions."""
    return replaced(rows, mask, lambda own: _shifted(own, first(own, spec), -spec.sigma))


def sub_value_top_k(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Subtract ``sigma`` from each row's dimensions of largest signed value."""
    return replaced(rows, mask, lambda own: _shifted(own, largest(own, spec), -spec.sigma))


def add_value_first_n(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Add ``sigma`` to the first dimensions."""
    return replaced(rows, mask, lambda own: _shifted(own, first(own, spec), spec.sigma))


def add_value_least_k(
    rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator
) -> torch.Tensor:
    """Add ``sigma`` to each row's dimensions of smallest signed value."""
    return replaced(rows, mask, lambda own: _shifted(own, smallest(own, spec), spec.sigma))


def _flipped(own: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    return own.scatter(1, where, -own.gather(1, where))


def _shifted(own: torch.Tensor, where: torch.Tensor, by: float) -> torch.Tensor:
    return own.scatter(1, where, own.gather(1, where) + by)
