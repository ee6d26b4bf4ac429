"""Truth ratio and forget quality (TOFU, Maini et al., 2024, arXiv 2401.06121, sections 2.2.2 and 2.2.3).

``R = geometric mean of p(false answer)^(1/length) / p(reworded answer)^(1/length)``; the answer itself stands for the
reworded one where an item has none, as in TOFU's real authors and world facts. In logarithms throughout, so that
answers of hardly any probability have ratios too: TOFU's script adds 1e-10 below the line instead, and so gives other
values where probabilities are of that size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.probability import false_answers, per_token
from benchmarks.metrics.reading import Reading, Readings, Subjects
from benchmarks.metrics.rouge import TOFU
from benchmarks.metrics.whole import whole


def log_ratios(readings: Readings, of: str) -> tuple[float, ...] | Undefined:
    """Log R of each item of the set ``of`` that has false answers."""
    return whole(readings, of, _log_ratio, "predicted false answers", false_answers)


def near_one(log_ratio: float) -> float:
    """``min(R, 1/R)``: 1 where true and false answers are as likely."""
    return math.exp(-abs(log_ratio))


def above_zero(log_ratio: float) -> float:
    """``max(0, 1 - R)``: 1 where false answers are out of the question."""
    return -math.expm1(min(0.0, log_ratio))


def truth_ratio(subjects: Subjects, of: str, form: Callable[[float], float]) -> Measured | Undefined:
    """The mean of one ``form`` of R over the set ``of``."""
    found = log_ratios(subjects.own, of)
    return found if isinstance(found, Undefined) else mean(list(map(form, found)))


def forget_quality(subjects: Subjects) -> Measured | Undefined:
    """The p-value of a two-sample Kolmogorov-Smirnov test: R on the forget set, here and in the retained model.

    ``values`` are log R here, which have the same ranks as R.
    """
    from scipy.stats import ks_2samp

    own, other = log_ratios(subjects.own, "forget"), log_ratios(subjects.retained, "forget")
    if isinstance(own, Undefined):
        return own
    if isinstance(other, Undefined):
        return Undefined(f"the retained model: {other.why}")
    p = float(ks_2samp(own, other).pvalue)
    power = f"{math.log10(p):.2f}" if p > 0 else "under -300"
    return Measured(p, math.nan, len(own), own, f"log10 p = {power}; values are log truth ratios")


def _log_ratio(reading: Reading) -> float | None:
    true = reading.answer if reading.item.reworded is None else reading.reworded
    if true is None or not reading.wrong:
        return None
    return math.fsum(map(per_token, reading.wrong)) / len(reading.wrong) - per_token(true)


FORGET = Metric("truth ratio forget", TOFU, "retained", "forgetting",
                partial(truth_ratio, of="forget", form=near_one))  # fmt: skip
QUALITY = Metric("forget quality (KS p-value)", TOFU, "high", "forgetting", forget_quality)
RETAIN = Metric("truth ratio retain", TOFU, "high", "utility", partial(truth_ratio, of="retain", form=above_zero))
REAL_AUTHORS = Metric("truth ratio real authors", TOFU, "high", "utility",
                      partial(truth_ratio, of="real_authors", form=above_zero))  # fmt: skip
WORLD_FACTS = Metric("truth ratio world facts", TOFU, "high", "utility",
                     partial(truth_ratio, of="world_facts", form=above_zero))  # fmt: skip
