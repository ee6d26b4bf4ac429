"""A threshold from a false-positive rate (split conformal prediction), and how sure one can be of what it achieves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

DEFAULT_TARGET = 0.005
HIGHEST = 0.99


@dataclass(frozen=True, slots=True)
class Rate:
    """``hits`` of ``n`` with Wilson's 95 % interval."""

    hits: int
    n: int
    low: float
    high: float

    @classmethod
    def of(cls, flags: Sequence[bool]) -> Self:
        """The share of true values."""
        n, hits = len(flags), sum(flags)
        if not n:
            return cls(0, 0, 0.0, 1.0)
        z, p = 1.959964, hits / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return cls(hits, n, max(0.0, middle - half), min(1.0, middle + half))

    @property
    def value(self) -> float:
        """The share itself, NaN for n = 0."""
        return self.hits / self.n if self.n else math.nan

    @property
    def share(self) -> float | None:
        """The share itself, None for n = 0: JSON knows no NaN."""
        return self.hits / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold, and what it achieved on texts that had no part in choosing it.

    ``bounded``: false where so few texts cannot promise the rate, and the threshold is the cautious highest.
    """

    threshold: float
    target: float
    used: int
    false_positives: Rate
    recall: Rate
    bounded: bool


def conformal_threshold(scores: Sequence[float], target: float) -> tuple[float, bool]:
    """A threshold above which at most a share ``target`` of exchangeable innocent texts will score.

    The ``ceil((n + 1) (1 - target))``-th smallest of ``n`` scores, made strict (Vovk et al., 2005; Angelopoulos
    and Bates, 2021, arXiv 2107.07511); with fewer than ``1 / target - 1`` scores there is none, and the
    second value is false. So it is where the threshold would have to be above ``HIGHEST``.

    Raises:
        ValueError: ``target`` is not between 0 and 1.
    """
    if not 0 < target < 1:
        raise ValueError("the target rate must lie between 0 and 1")
    rank = math.ceil((len(scores) + 1) * (1 - target))
    if rank > len(scores):
        return HIGHEST, False
    found = math.nextafter(sorted(scores)[rank - 1], math.inf)
    return min(found, HIGHEST), found <= HIGHEST


def calibrate(
    innocent: Sequence[float],
    guilty: Sequence[float],
    target: float,
    *,
    lowest: float = 0.0,
    recall_floor: float | None = None,
) -> Calibration:
    """Choose a threshold on every second innocent score, and report on the others.

    Args:
        innocent: scores of texts that are to pass, in random order.
        guilty: scores of texts that are to be flagged.
        target: false-positive rate.
        lowest: however quiet the innocent scores are, the threshold stays here; only ``recall_floor`` goes below.
        recall_floor: lowers the threshold until this share of ``guilty`` is flagged, whatever that costs.
    """
    chosen, held = innocent[::2], innocent[1::2]
    threshold, bounded = conformal_threshold(chosen, target)
    threshold = max(threshold, lowest)
    if recall_floor is not None and guilty:
        ordered = sorted(guilty, reverse=True)
        threshold = min(threshold, ordered[max(0, math.ceil(recall_floor * len(ordered)) - 1)])
    return Calibration(
        threshold, target, len(chosen), Rate.of([s >= threshold for s in held]),
        Rate.of([s >= threshold for s in guilty]), bounded,
    )  # fmt: skip
