"""What came of a method: figures, cost, answers to show. Saved as JSON; the report is made of it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.metrics.metric import Measured, Undefined


@dataclass(frozen=True, slots=True)
class Cost:
    """What a method took; None where it cannot be read or there is no such thing.

    Attributes:
        seconds: wall time of the forgetting itself: training, or setting the guard up with its list.
        device_seconds: of the processor or the accelerator.
        peak_bytes: most memory held.
        tokens: read by a model.
        disk_bytes: of what has to be kept: a checkpoint, a list.
        joules: energy, where the machine tells.
        request_seconds: what it adds to a request.
        deletion_seconds: from one deletion's being asked for until it is in force.
    """

    seconds: float
    device_seconds: float | None = None
    peak_bytes: int | None = None
    tokens: int | None = None
    disk_bytes: int | None = None
    joules: float | None = None
    request_seconds: float | None = None
    deletion_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to show beside others."""

    of: str  # the set
    question: str
    wanted: str
    answer: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the comparison. ``name``: "target", "retained", or a method's.

    Attributes:
        name: of the method.
        options: as it ran.
        cost: what it took.
        figures: by the metric's name, in the registry's order.
        said: answers to show.
        command: that repeats it.
        failed: why there are no figures, where it failed.
        steps: in sequential runs the figures after each request.
    """

    name: str
    options: Mapping[str, Any]
    cost: Cost
    figures: Mapping[str, Measured | Undefined]
    said: tuple[Said, ...] = ()
    command: str = ""
    failed: str = ""
    steps: tuple[Mapping[str, Measured | Undefined], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that a report shows. ``spec``: the run's; ``environment``: machine and versions."""

    spec: Mapping[str, Any]
    environment: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = field(default_factory=tuple)
