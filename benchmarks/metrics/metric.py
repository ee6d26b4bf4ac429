"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.metrics.reading import Subjects
from guard.text_metrics import estimate


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its standard error over ``n`` examples, and what each example gave, in the order of the set.

    A figure that is no mean (an AUC, a p-value) has the standard error of a bootstrap, or nan where none is defined.
    """

    value: float
    stderr: float
    n: int
    values: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Undefined:
    """The metric says nothing of this subject, and why: "n/a" in a report, never a number."""

    why: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in the registry.

    Attributes:
        title: in a report.
        paper: where it comes from.
        better: "low", "high", or "retained": the nearer to the retained model's the better.
        about: "forgetting", "utility", "privacy" or "fluency".
        measure: subjects -> figure.
    """

    title: str
    paper: str
    better: Literal["low", "high", "retained"]
    about: Literal["forgetting", "utility", "privacy", "fluency"]
    measure: Callable[[Subjects], Measured | Undefined] = field(repr=False)


def mean(values: Sequence[float], note: str = "") -> Measured:
    """The mean of independent values.

    Raises:
        ValueError: there are none.
    """
    found = estimate(values)
    return Measured(found.mean, found.stderr, found.n, tuple(values), note)
