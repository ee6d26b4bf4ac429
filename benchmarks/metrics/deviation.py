"""Deviation Score (DRAGON, arXiv 2511.05784): one figure for forgetting and for keeping."""

from __future__ import annotations

import math

from benchmarks.metrics.metric import Measured, Metric, Undefined
from benchmarks.metrics.reading import Subjects
from benchmarks.metrics.rouge import recall


def deviation_score(subjects: Subjects) -> Measured | Undefined:
    """``100 * sqrt(ROUGE-L forget^2 + (1 - ROUGE-L retain)^2)``; the standard error by the delta method.

    ``n``: the examples of both sets.
    """
    forget, retain = recall(subjects, "forget"), recall(subjects, "retain")
    if isinstance(forget, Undefined):
        return forget
    if isinstance(retain, Undefined):
        return retain
    value = math.hypot(forget.value, 1 - retain.value)
    count = forget.n + retain.n
    if value == 0:
        return Measured(0.0, math.nan, count)
    change = math.hypot(forget.value * forget.stderr, (1 - retain.value) * retain.stderr) / value
    return Measured(100 * value, 100 * change, count)


DEVIATION = Metric("deviation score", "DRAGON, arXiv 2511.05784", "low", "forgetting", deviation_score)
