"""How two comparisons differ: paired by example where both asked the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.comparison.outcome import Comparison
from benchmarks.comparison.rows import ATTACKED
from benchmarks.metrics.metric import Measured
from guard.text_metrics import estimate


@dataclass(frozen=True, slots=True)
class Difference:
    """``after - before`` of one figure; ``stderr`` is nan where one of the figures has none."""

    method: str
    metric: str
    before: float
    after: float
    difference: float
    stderr: float
    n: int
    paired: bool

    @property
    def clear(self) -> bool:
        """Whether 0 lies outside the 95 % interval."""
        return abs(self.difference) > 1.96 * self.stderr

    def plain(self) -> dict[str, Any]:
        """For JSON: what is not a number is None."""
        found = asdict(self) | {"clear": self.clear}
        odd = {key for key, value in found.items() if isinstance(value, float) and not math.isfinite(value)}
        return {key: None if key in odd else value for key, value in found.items()}


def differences(before: Comparison, after: Comparison) -> list[Difference]:
    """Of every figure that both have, in the second's order."""
    first = {outcome.name: outcome.figures for outcome in before.outcomes}
    found = []
    for outcome in after.outcomes:
        for name, figure in outcome.figures.items():
            other = first.get(outcome.name, {}).get(name)
            if isinstance(figure, Measured) and isinstance(other, Measured):
                found.append(_between(outcome.name, name, other, figure, paired=_same_sets(before, after, name)))
    return found


def _between(method: str, metric: str, before: Measured, after: Measured, *, paired: bool) -> Difference:
    if paired and len(before.values) == len(after.values) and _is_mean(before) and _is_mean(after):
        found = estimate([b - a for a, b in zip(before.values, after.values, strict=True)])
        return Difference(method, metric, before.value, after.value, found.mean, found.stderr, found.n, True)
    error = math.hypot(before.stderr, after.stderr)
    return Difference(method, metric, before.value, after.value, after.value - before.value, error,
                      min(before.n, after.n), False)  # fmt: skip


def _is_mean(figure: Measured) -> bool:
    """An AUC or a harmonic mean has values too, which do not make it."""
    if not figure.values or not all(map(math.isfinite, figure.values)):
        return False
    return math.isclose(math.fsum(figure.values) / len(figure.values), figure.value, rel_tol=1e-9, abs_tol=1e-12)


def _same_sets(before: Comparison, after: Comparison, metric: str) -> bool:
    """The corpus's digest and the numbers asked are the same; an attack's wording is drawn by the seed as well."""
    one, other = before.spec, after.spec
    if metric.startswith(ATTACKED) and one.get("seed") != other.get("seed"):
        return False
    return _asked(one) is not None and _asked(one) == _asked(other)


def _asked(spec: Mapping[str, Any]) -> object:
    corpus = spec.get("corpus")
    if not isinstance(corpus, Mapping) or not corpus.get("digest"):
        return None
    own = {name: n for name, n in corpus.get("asked", {}).items() if not name.startswith(ATTACKED)}
    return corpus["digest"], own
