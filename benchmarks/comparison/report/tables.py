"""The report's tables as values, which the page and Markdown both show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.comparison.outcome import Cost
from benchmarks.comparison.report.breakeven import break_even, paid_requests, rivals, run_seconds, speed_up
from benchmarks.comparison.report.catalogue import About, Heading
from benchmarks.comparison.report.headline import chosen_guard, name_of, told_even
from benchmarks.comparison.report.numbers import counted, duration, error_of, plain, size, times
from benchmarks.comparison.report.view import FORGETTING, UTILITY, Row, View
from benchmarks.metrics.metric import Measured, Undefined

REQUESTS = (0, 10_000, 1_000_000)
BATCHES = (1, 100)
Mark = Literal["", "best", "among"]


@dataclass(frozen=True, slots=True)
class Cell:
    """``text`` with ``error`` (of a figure) and ``n``, each "" where there is none; ``why``: what a footnote says."""

    text: str
    error: str = ""
    n: str = ""
    why: str = ""
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``better``: an arrow or a word that says which way."""

    title: str
    better: str = ""
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """``rows``: cells for all columns, the first of them the row's head."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Footnotes:
    """Numbers reasons in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, why: str) -> int:
        """Of a reason, the same for the same words."""
        return self._numbers.setdefault(why, len(self._numbers) + 1)

    @property
    def all(self) -> Mapping[str, int]:
        """Every reason so far with its number."""
        return self._numbers


def main_table(view: View) -> Table:
    """The rows by the key metrics."""
    return _figures_table(view, view.key, "Key figures, ± one standard error")


def all_tables(view: View) -> list[tuple[About, Table]]:
    """Every metric, by what it is about."""
    grouped = dict.fromkeys(heading.about for heading in view.headings)
    return [(about, _figures_table(view, [h for h in view.headings if h.about == about], _ABOUT[about]))
            for about in grouped]  # fmt: skip


def cost_table(view: View) -> Table:
    """What each row took."""
    titles = ("Method", "Wall time", "Device time", "Peak memory", "Tokens", "Disk", "Energy", "Added to a request",
              "A deletion")  # fmt: skip
    columns = tuple(Column(title, numeric=bool(number)) for number, title in enumerate(titles))
    rows = tuple((head(row), *_cost_cells(row.outcome.cost)) for row in view.rows)
    return Table("What the forgetting took, or setting the guard up", columns, rows)


def rivals_table(view: View) -> Table:
    """Each guard's deletion against a run of the fastest methods that change weights."""
    columns = (Column("Guard"), Column("Fastest that", numeric=False), Column("Method", numeric=False),
               Column("A run"), Column("A deletion by the guard"), Column("Ratio"), Column("ROUGE-L forget"),
               Column("ROUGE-L retain"))  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for guard in view.guards:
        if guard.figure(FORGETTING) is None:
            continue
        found = rivals(view, guard)
        ways: dict[int, tuple[Row | None, list[str]]] = {}
        for what, row in (
            ("tells as little as the guard", found.as_guard),
            ("tells no more than the retained model", found.as_retained),
            ("does that and stays as useful as the guard", found.useful),
        ):
            ways.setdefault(row.number if row else 0, (row, []))[1].append(what)
        rows += [(head(guard), Cell("; ".join(what)), *_rival_cells(guard, row)) for row, what in ways.values()]
    return Table("A deletion against a run", columns, tuple(rows))


def break_even_table(view: View) -> Table:
    """Until how many batches of deletions which is cheaper, by the requests that are served meanwhile."""
    columns = (Column("Guard"), Column("Against", numeric=False), Column("Deletions in a batch"),
               *(Column(f"{counted(count)} requests" if count else "No requests", numeric=False) for count in REQUESTS),
               Column("A batch pays for requests"))  # fmt: skip
    chosen = chosen_guard(view)
    rows: list[tuple[Cell, ...]] = []
    for guard in view.guards:
        for other in timed_against(view, guard):
            for batch in BATCHES if guard == chosen else BATCHES[:1]:
                rows.append(_even_cells(guard, other, batch))
    return Table("Which takes less time until how many batches of deletions", columns, tuple(rows))


def timed_against(view: View, guard: Row) -> list[Row]:
    """Whom the break-even is told for: the guard's rivals, and retraining."""
    found = list(rivals(view, guard).rows)
    again = view.retained
    if again is not None and again not in found and run_seconds(again.outcome.cost) is not None:
        found.append(again)
    return found


def step_tables(view: View) -> list[Table]:
    """Sequential runs: the key figures after each request."""
    rows = [row for row in view.rows if row.outcome.steps]
    most = max((len(row.outcome.steps) for row in rows), default=0)
    columns = (Column("Method"), *(Column(f"After {number}") for number in range(1, most + 1)))
    return [
        Table(f"{heading.title} after each request", columns,
              tuple((head(row), *_step_cells(row, heading.name, most)) for row in rows))
        for heading in step_headings(view)
    ]  # fmt: skip


def step_headings(view: View) -> list[Heading]:
    """The key metrics that some step has."""
    told = {name for row in view.rows for step in row.outcome.steps
            for name, figure in step.items() if isinstance(figure, Measured)}  # fmt: skip
    return [heading for heading in view.key if heading.name in told]


def undefined(view: View) -> Table:
    """What is n/a, for whom and why."""
    found: dict[tuple[str, str], list[str]] = {}
    for heading in view.headings:
        for row in view.rows:
            if not row.outcome.failed and isinstance(row.outcome.figures.get(heading.name), Undefined):
                found.setdefault((heading.title, row.why(heading.name)), []).append(row.title)
    rows = tuple((Cell(title), Cell(", ".join(who)), Cell(why)) for (title, why), who in found.items())
    columns = (Column("Metric"), Column("Method", numeric=False), Column("Why", numeric=False))
    return Table("What is not available, and why", columns, rows)


_ABOUT: dict[About, str] = {
    "forgetting": "Forgetting", "attack": "Under attack: how much of the true answers comes back (ROUGE-L)",
    "robustness": "Robustness", "representation": "What the weights still hold",
    "utility": "Utility", "privacy": "Privacy", "fluency": "Fluency",
    "other": "Metrics that this version does not know",
}  # fmt: skip
_BETTER = {"low": "↓ lower is better", "high": "↑ higher is better", "retained": "≈ nearest the retained is best"}


def _figures_table(view: View, headings: Sequence[Heading], caption: str) -> Table:
    counts = {h.name: {figure.n for row in view.rows if (figure := row.figure(h.name))} for h in headings}
    every = set().union(*counts.values())
    if len(every) == 1:
        caption = f"{caption}, n = {counted(every.pop())}"
    columns, marks = [Column("Method")], {}
    for heading in headings:
        own = counts[heading.name]
        n = f" (n = {counted(min(own))})" if len(own) == 1 and every else ""
        columns.append(Column(heading.title + n, _BETTER.get(heading.better, "")))
        marks[heading.name] = view.best(heading)
    rows = tuple(
        (head(row), *(_figure_cell(row, h.name, marks[h.name], len(counts[h.name]) == 1) for h in headings))
        for row in view.rows
    )
    return Table(caption, tuple(columns), rows)


def _figure_cell(row: Row, name: str, best: frozenset[int], shared: bool) -> Cell:
    figure = row.figure(name)
    if figure is None:
        return Cell("n/a", why=row.why(name))
    mark: Mark = "" if row.number not in best else "best" if len(best) == 1 else "among"
    error = error_of(figure.stderr)
    return Cell(plain(figure.value), error, "" if shared else counted(figure.n), figure.note, mark)


def head(row: Row) -> Cell:
    """The first cell of a row: its number and what it is called."""
    return Cell(f"{row.number} {row.title}", why=f"failed: {row.outcome.failed}" if row.outcome.failed else "")


def _cost_cells(cost: Cost) -> list[Cell]:
    energy = None if cost.joules is None else f"{cost.joules / 3600:.3g} Wh"
    texts = (duration(cost.seconds), duration(cost.device_seconds), size(cost.peak_bytes), counted(cost.tokens),
             size(cost.disk_bytes), energy or "n/a", duration(cost.request_seconds),
             duration(cost.deletion_seconds))  # fmt: skip
    return [Cell(text) for text in texts]


def _rival_cells(guard: Row, row: Row | None) -> list[Cell]:
    own = duration(guard.outcome.cost.deletion_seconds)
    if row is None:
        return [Cell("none does"), Cell(""), Cell(own), Cell(""), Cell(""), Cell("")]
    ratio = speed_up(guard.outcome.cost, row.outcome.cost)
    figures = [_figure_cell(row, name, frozenset(), shared=True) for name in (FORGETTING, UTILITY)]
    return [Cell(name_of(row)), Cell(duration(run_seconds(row.outcome.cost))), Cell(own),
            Cell("n/a" if ratio is None else times(ratio)), *figures]  # fmt: skip


def _even_cells(guard: Row, other: Row, batch: int) -> tuple[Cell, ...]:
    own, its = guard.outcome.cost, other.outcome.cost
    unknown = "the guard's time for a request is not known" if own.request_seconds is None else ""
    evens = [
        Cell("n/a", why=unknown) if unknown and count else Cell(told_even(break_even(own, its, count, batch), other))
        for count in REQUESTS
    ]
    paid = Cell(counted(paid_requests(own, its, batch)))
    return (head(guard), Cell(name_of(other)), Cell(counted(batch)), *evens, paid)


def _step_cells(row: Row, name: str, most: int) -> Iterable[Cell]:
    for number in range(most):
        figure = row.outcome.steps[number].get(name) if number < len(row.outcome.steps) else None
        if isinstance(figure, Measured):
            yield Cell(plain(figure.value), error_of(figure.stderr))
        else:
            yield Cell("n/a", why=figure.why if figure else "no such request")
