"""What a probe is: a figure that needs the models themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe in the registry; the fields are those of ``benchmarks.metrics.metric.Metric``.

    ``measure``: of a row that is a guard's, what the model does behind the guard, or Undefined where that says nothing.
    """

    title: str
    paper: str
    better: Literal["low", "high", "retained"]
    about: Literal["representation", "robustness"]
    measure: Callable[[Victim], Measured | Undefined] = field(repr=False)
