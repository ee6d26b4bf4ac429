"""When a guard is cheaper than a method that changes weights, by the seconds that each takes.

Over N batches of b deletions and R requests

    guard    = set-up + N b deletion + R request
    updating = N run + R request'

so their difference grows or falls evenly with N, and one of them is cheaper up to a certain N.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from benchmarks.comparison.outcome import Cost
from benchmarks.comparison.report.view import FORGETTING, UTILITY, Row, View

MARGIN = 0.05
"""How much more ROUGE-L on the forget set, or less on the retain set, still counts as comparable."""


@dataclass(frozen=True, slots=True)
class BreakEven:
    """``first`` is cheaper up to ``until`` batches of deletions, the other from then on; None: always."""

    first: Literal["guard", "updating"]
    until: int | None


@dataclass(frozen=True, slots=True)
class Rivals:
    """The fastest that change weights, against one guard; None where there is none.

    Attributes:
        as_guard: tells no more of the forget set than the guard does, within ``MARGIN``.
        as_retained: no more than the guard or than the retained model, whichever tells more, within ``MARGIN``.
        useful: as ``as_retained``, and keeps as much of the retain set as the guard does, within ``MARGIN``.
    """

    as_guard: Row | None
    as_retained: Row | None
    useful: Row | None

    @property
    def rows(self) -> tuple[Row, ...]:
        """Each of them once."""
        found = (self.as_guard, self.as_retained, self.useful)
        return tuple({row.number: row for row in found if row is not None}.values())


def run_seconds(cost: Cost) -> float | None:
    """What a batch of deletions costs a method that changes weights: a run, of several the mean."""
    found = cost.seconds if cost.deletion_seconds is None else cost.deletion_seconds
    return found if math.isfinite(found) else None


def deletion_seconds(cost: Cost) -> float | None:
    """What a deletion costs a guard."""
    return cost.deletion_seconds if cost.deletion_seconds is not None and math.isfinite(cost.deletion_seconds) else None


def break_even(guard: Cost, updating: Cost, requests: int, batch: int = 1) -> BreakEven | None:
    """Which is cheaper until when; None where the guard's or the other's seconds are not known."""
    run, deletion = run_seconds(updating), deletion_seconds(guard)
    added = guard.request_seconds or 0.0, updating.request_seconds or 0.0
    if run is None or deletion is None or not math.isfinite(guard.seconds):
        return None
    fixed, each = guard.seconds + requests * (added[0] - added[1]), run - batch * deletion  # guard wins: N each > fixed
    first: Literal["guard", "updating"] = "guard" if each > fixed else "updating"
    if each > 0 and first == "updating":
        return BreakEven(first, max(1, math.floor(fixed / each)))
    if each < 0 and first == "guard":
        return BreakEven(first, max(1, math.ceil(fixed / each) - 1))
    return BreakEven(first, None)


def paid_requests(guard: Cost, updating: Cost, batch: int = 1) -> float | None:
    """How many requests a guard may delay until that has eaten what one batch of deletions saved."""
    run, deletion, added = run_seconds(updating), deletion_seconds(guard), guard.request_seconds
    if run is None or deletion is None or not added:
        return None
    return max(0.0, (run - batch * deletion) / added)


def speed_up(guard: Cost, updating: Cost) -> float | None:
    """How many times longer a run takes than the guard's deletion."""
    run, deletion = run_seconds(updating), deletion_seconds(guard)
    return None if run is None or not deletion else run / deletion


def updating(view: View) -> tuple[Row, ...]:
    """All that change weights in a known time, the fastest first; the retained model stands for retraining."""
    found = [row for row in view.rows if row.kind == "updating" or row.outcome.name == "retained"]
    timed = [(seconds, row.number, row) for row in found if (seconds := run_seconds(row.outcome.cost)) is not None]
    return tuple(row for *_, row in sorted(timed, key=lambda each: each[:2]) if not row.outcome.failed)


def rivals(view: View, guard: Row) -> Rivals:
    """Whom the guard is timed against."""
    told, kept = guard.figure(FORGETTING), guard.figure(UTILITY)
    if told is None:
        return Rivals(None, None, None)
    never = view.retained.figure(FORGETTING) if view.retained else None
    enough = max(told.value, never.value) if never else told.value
    as_guard = [row for row in updating(view) if _tells_at_most(row, told.value)]
    as_retained = [row for row in updating(view) if _tells_at_most(row, enough)]
    useful = [row for row in as_retained if kept is not None and _keeps_at_least(row, kept.value)]
    first = [next(iter(rows), None) for rows in (as_guard, as_retained, useful)]
    return Rivals(first[0], first[1], first[2])


def _tells_at_most(row: Row, most: float) -> bool:
    figure = row.figure(FORGETTING)
    return figure is not None and figure.value <= most + MARGIN


def _keeps_at_least(row: Row, least: float) -> bool:
    figure = row.figure(UTILITY)
    return figure is not None and figure.value >= least - MARGIN
