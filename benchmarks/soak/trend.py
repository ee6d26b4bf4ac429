"""Whether a figure that goes up and down grows in the long run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BLOCKS = 12
_LEAST = 4  # values in a block


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth in an hour with its standard error, and the mean. ``n``: of the blocks that it comes from."""

    slope: float
    stderr: float
    mean: float
    n: int

    def flat(self, share: float) -> bool:
        """Whether it is not shown to grow by more than ``share`` of its mean in an hour (one-sided 97.5 %)."""
        return self.slope - 1.96 * self.stderr <= share * self.mean


def trend(seconds: Sequence[float], values: Sequence[float]) -> Trend | None:
    """By least squares over the means of blocks: values near in time are alike, which would make the error too small.

    None where there are too few for that.
    """
    n = min(_BLOCKS, len(values) // _LEAST)
    if n < 3:
        return None
    x = np.array([block.mean() for block in np.array_split(np.asarray(seconds, float), n)]) / 3600
    y = np.array([block.mean() for block in np.array_split(np.asarray(values, float), n)])
    spread = ((x - x.mean()) ** 2).sum()
    slope = ((x - x.mean()) * (y - y.mean())).sum() / spread
    rest = y - y.mean() - slope * (x - x.mean())
    stderr = math.sqrt((rest**2).sum() / (n - 2) / spread)
    return Trend(float(slope), stderr, float(y.mean()), n)
