"""What corruption, how strong, on how many dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guard.corruptions.registry import CORRUPTIONS, Way

if TYPE_CHECKING:
    import torch

STRONGEST = 1e6  # the paper's largest; rows stay far from what float32 and bfloat16 can hold


@dataclass(frozen=True, slots=True)
class CorruptionSpec:
    """A corruption that can be carried out: nothing else can be made.

    Attributes:
        name: one of ``CORRUPTIONS``.
        sigma: strength in units of the embedding's own values, 0 to ``STRONGEST``. At 0, as at what is lost in
            rounding, ``gaussian``, ``rand_noise_*``, ``sub_*`` and ``add_*`` change nothing, and
            ``set_rand_noise_first_n`` sets to 0. ``zero_out_*``, ``flip_sign_*``, ``shuffle`` and ``reverse`` have no
            strength.
        dims: how many dimensions of each row, 1 or more, for those that choose some; None, and more than a row has:
            all of them. 0 would let the text through as it is, so there is no such spec.

    Raises:
        ValueError: no such corruption, or a number that means nothing; the message says what is possible.
    """

    name: str = "gaussian"
    sigma: float = 20.0
    dims: int | None = None

    def __post_init__(self) -> None:
        if self.name not in CORRUPTIONS:
            raise ValueError(f"unknown corruption {self.name!r}; there are {', '.join(CORRUPTIONS)}")
        if not (math.isfinite(self.sigma) and 0 <= self.sigma <= STRONGEST):
            raise ValueError(f"sigma must be a number from 0 to {STRONGEST:g}, not {self.sigma!r}")
        if self.dims is not None and (isinstance(self.dims, bool) or not isinstance(self.dims, int) or self.dims < 1):
            raise ValueError(f"dims must be a whole number from 1, or left out for all dimensions, not {self.dims!r}")

    @property
    def way(self) -> Way:
        """Its line in the registry."""
        return CORRUPTIONS[self.name]


def corrupt(rows: torch.Tensor, mask: Sequence[bool], spec: CorruptionSpec, generator: torch.Generator) -> torch.Tensor:
    """Corrupt the masked rows.

    Args:
        rows: ``(tokens, dim)`` float32; not changed.
        mask: one flag for each token; unmasked rows come back bit-equal.
        spec: how.
        generator: where chance comes from, so that the caller decides what repeats.

    Returns:
        New rows of the same shape and type.

    Raises:
        ValueError: the mask has not as many flags as there are rows.
    """
    if len(mask) != len(rows):
        raise ValueError(f"{len(mask)} flags for {len(rows)} rows")
    return spec.way.function(rows, mask, spec, generator) if any(mask) else rows.clone()
