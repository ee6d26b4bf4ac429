"""Figures of a row of requests (DRAGON, arXiv 2511.05784): how far each step is off, and how unsteady the steps are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def dynamic_deviation_score(scores: Sequence[float], weight: float = 0.5) -> float:
    """The mean deviation score, from 0 to 1, and ``weight`` times its mean rise from step to step; low is good.

    Raises:
        ValueError: there is no step.
    """
    if not scores:
        raise ValueError("a row of requests has one step at least")
    rises = [max(0.0, after - before) for before, after in pairwise(scores)]
    return math.fsum(scores) / len(scores) + (weight * math.fsum(rises) / len(rises) if rises else 0.0)


def dynamic_utility_score(utilities: Sequence[float]) -> float:
    """1 less the mean change of model utility from step to step, up or down; the higher the better.

    Raises:
        ValueError: there are fewer than two steps.
    """
    if len(utilities) < 2:
        raise ValueError("utility changes from one step to another: two at least")
    return 1 - math.fsum(abs(after - before) for before, after in pairwise(utilities)) / (len(utilities) - 1)
