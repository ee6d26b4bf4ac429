"""Forget Degree and Retain Utility (FIT, arXiv 2601.21682), which find fault with forgetting too much as well.

``F = (probability * ROUGE-L * token accuracy)^(1/3)`` on the forget set, F' the retained model's; the degree is
``max(0, 1 - |F/F' - 1|)``. The utility is the same on the retain set. After a summary of the paper, not its own text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from benchmarks.metrics import memorisation, probability, rouge
from benchmarks.metrics.metric import Measured, Metric, Undefined
from benchmarks.metrics.reading import Subjects
from guard.text_metrics import estimate

_PARTS = (probability.probability, rouge.recall, memorisation.exact_memorisation)


def likeness(subjects: Subjects, of: str) -> Measured | Undefined:
    """How near ``F/F'`` is to 1; the standard error is that of ``F/F'`` by the delta method, item by item."""
    own, retained = _three(subjects, of), _three(Subjects(subjects.retained, {}, {}), of)
    if isinstance(own, Undefined):
        return own
    if isinstance(retained, Undefined):
        return Undefined(f"the retained model: {retained.why}")
    if own[0].n != retained[0].n:
        return Undefined("the retained model was asked other items")
    if min(each.value for each in retained) <= 0:
        return Undefined("the retained model has nothing to compare with: its own figure is 0")
    if min(each.value for each in own) <= 0:
        return Measured(0.0, math.nan, own[0].n)
    ratio = math.prod(each.value / other.value for each, other in zip(own, retained, strict=True)) ** (1 / len(own))
    changes = [a - b for a, b in zip(_changes(own), _changes(retained), strict=True)]
    return Measured(
        max(0.0, 1 - abs(ratio - 1)), ratio * estimate(changes).stderr, own[0].n, note=f"F/F' = {ratio:.3f}"
    )


def _three(subjects: Subjects, of: str) -> list[Measured] | Undefined:
    found = [part(subjects, of) for part in _PARTS]
    missing = next((each for each in found if isinstance(each, Undefined)), None)
    return missing or [each for each in found if isinstance(each, Measured)]


def _changes(found: Sequence[Measured]) -> list[float]:
    """What each item adds to the logarithm of the geometric mean, but for a constant."""
    rows = zip(*([value / each.value for value in each.values] for each in found), strict=True)
    return [math.fsum(row) / len(found) for row in rows]


_PAPER = "FIT, arXiv 2601.21682"
FORGET = Metric("forget degree", _PAPER, "high", "forgetting", partial(likeness, of="forget"))
RETAIN = Metric("retain utility", _PAPER, "high", "utility", partial(likeness, of="retain"))
