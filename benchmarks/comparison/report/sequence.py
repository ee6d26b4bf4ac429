"""What a whole row of requests comes to: DRAGON's two scores and FIT's two, over the figures after each request.

DDS and DUS (``benchmarks.metrics.continual``; DRAGON, arXiv 2511.05784) are of the deviation score, from 0 to 1, and of
model utility, for which the retain set's ROUGE-L stands where model utility was not measured after every request. FIT
(arXiv 2601.21682) tells forget degree and retain utility after each request; here their mean, and the lowest. Guards
have no row: the list is theirs at once, whatever the order of requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from benchmarks.comparison.report.numbers import plain
from benchmarks.comparison.report.tables import Cell, Column, Table, head
from benchmarks.comparison.report.view import FORGETTING, UTILITY, Row, View
from benchmarks.metrics.continual import dynamic_deviation_score, dynamic_utility_score
from benchmarks.metrics.metric import Measured, Undefined
from guard.text_metrics import estimate

Step = Mapping[str, Measured | Undefined]
_LOW, _HIGH = "↓ lower is better", "↑ higher is better"


def sequence_table(view: View) -> Table:
    """A row for each method that was given requests one by one."""
    columns = (Column("Method"), Column("Requests"), Column("DDS", _LOW), Column("DUS", _HIGH),
               Column("Forget degree, mean", _HIGH), Column("lowest", _HIGH), Column("Retain utility, mean", _HIGH),
               Column("lowest", _HIGH))  # fmt: skip
    rows = tuple((head(row), *_cells(row)) for row in view.rows if row.outcome.steps)
    return Table("Over all requests", columns, rows)


def deviations(steps: Sequence[Step]) -> list[float]:
    """The deviation score after each request, from 0 to 1; empty where one is missing."""
    whole = _values(steps, "deviation_score")
    if whole:
        return [value / 100 for value in whole]
    forget, retain = _values(steps, FORGETTING), _values(steps, UTILITY)
    return [math.hypot(a, 1 - b) for a, b in zip(forget, retain, strict=True)] if forget and retain else []


def utilities(steps: Sequence[Step]) -> tuple[list[float], str]:
    """Utility after each request, and a note where it is not model utility."""
    whole = _values(steps, "model_utility")
    return (whole, "") if whole else (_values(steps, UTILITY), "of ROUGE-L on the retain set: no model utility")


def _cells(row: Row) -> list[Cell]:
    steps = row.outcome.steps
    useful, note = utilities(steps)
    found = [Cell(f"{len(steps)}"), _cell(dynamic_deviation_score, deviations(steps), 1),
             _cell(dynamic_utility_score, useful, 2, note)]  # fmt: skip
    for name in ("forget_degree", "retain_utility"):
        found += [_cell(_mean, _values(steps, name), 1), _cell(min, _values(steps, name), 1)]
    return found


def _cell(of: Callable[[Sequence[float]], float], values: Sequence[float], least: int, note: str = "") -> Cell:
    if len(values) < least:
        return Cell("n/a", why="not measured after every request")
    return Cell(plain(of(values)), why=note)


def _values(steps: Sequence[Step], name: str) -> list[float]:
    """A figure after each request; empty where one has none."""
    found = [figure.value for step in steps if isinstance(figure := step.get(name), Measured)
             and math.isfinite(figure.value)]  # fmt: skip
    return found if len(found) == len(steps) else []


def _mean(values: Sequence[float]) -> float:
    return estimate(values).mean
