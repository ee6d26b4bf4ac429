"""Model utility (TOFU, Maini et al., 2024, arXiv 2401.06121): the harmonic mean of nine figures.

Probability, ROUGE-L recall and truth ratio, each on the retain set, real authors and world facts.
"""

from __future__ import annotations

import math
import operator

from benchmarks.metrics import probability, rouge, truth_ratio
from benchmarks.metrics.metric import Measured, Metric, Undefined
from benchmarks.metrics.reading import Subjects
from guard.text_metrics import estimate

_NINE = (
    (probability.RETAIN, rouge.RETAIN, truth_ratio.RETAIN),
    (probability.REAL_AUTHORS, rouge.REAL_AUTHORS, truth_ratio.REAL_AUTHORS),
    (probability.WORLD_FACTS, rouge.WORLD_FACTS, truth_ratio.WORLD_FACTS),
)


def model_utility(subjects: Subjects) -> Measured | Undefined:
    """The harmonic mean; 0 where one of the nine is. ``n``: the examples of the three sets.

    The standard error is that of the mean's first-order change with the nine (delta method); figures of one set move
    together, since they are of the same examples. Not defined at 0.
    """
    sets: list[list[Measured]] = []
    for parts in _NINE:
        found = [part.measure(subjects) for part in parts]
        if missing := next((each for each in found if isinstance(each, Undefined)), None):
            return missing
        sets.append([each for each in found if isinstance(each, Measured)])
    count = sum(max(each.n for each in found) for found in sets)
    nine = [each.value for found in sets for each in found]
    if min(nine) <= 0:
        return Measured(0.0, math.nan, count, tuple(nine), "one of the nine is 0; values are the nine")
    value = len(nine) / math.fsum(1 / each for each in nine)
    variance = math.fsum(_change(found, value, len(nine)) ** 2 for found in sets)
    return Measured(value, math.sqrt(variance), count, tuple(nine), "values are the nine")


def _change(found: list[Measured], value: float, count: int) -> float:
    """The standard error that one set's figures give the harmonic mean ``value`` of ``count``."""
    slopes = [value**2 / (count * each.value**2) for each in found]
    if len({each.n for each in found}) > 1:  # not of the same examples: as if they moved together wholly
        return math.fsum(slope * each.stderr for slope, each in zip(slopes, found, strict=True))
    rows = zip(*(each.values for each in found), strict=True)
    return estimate([math.fsum(map(operator.mul, slopes, row)) for row in rows]).stderr


UTILITY = Metric("model utility", rouge.TOFU, "high", "utility", model_utility)
