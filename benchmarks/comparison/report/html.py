"""The report as one page that needs nothing else: no script, nothing loaded, charts inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.comparison.outcome import Comparison, Said
from benchmarks.comparison.report.breakeven import MARGIN
from benchmarks.comparison.report.catalogue import Catalogue, registered
from benchmarks.comparison.report.charts import charts
from benchmarks.comparison.report.headline import answer
from benchmarks.comparison.report.robustness import matrix, threats, worst_table
from benchmarks.comparison.report.sequence import sequence_table
from benchmarks.comparison.report.tables import (
    Cell,
    Footnotes,
    Table,
    all_tables,
    break_even_table,
    cost_table,
    main_table,
    rivals_table,
    step_tables,
    undefined,
)
from benchmarks.comparison.report.view import Row, View

if TYPE_CHECKING:
    from jinja2 import Template

_MOST = 700  # signs of an answer that are shown


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what each row says to it."""

    of: str
    question: str
    wanted: str
    answers: tuple[tuple[Row, Said], ...]


def write_html(comparison: Comparison, file: Path, catalogue: Catalogue | None = None) -> None:
    """Writes the page; its folder is made where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html(comparison, catalogue), encoding="utf-8", errors="replace")


def html(comparison: Comparison, catalogue: Catalogue | None = None) -> str:
    """The page. ``catalogue``: names of methods and metrics, else the registries'."""
    view = View(comparison, catalogue or registered(comparison))
    return _template().render(
        view=view, answer=answer(view), main=main_table(view), everything=all_tables(view), cost=cost_table(view),
        rivals=rivals_table(view), even=break_even_table(view), steps=step_tables(view), sequence=sequence_table(view),
        missing=undefined(view),
        charts=charts(view) | {"matrix": matrix(view)}, worst=worst_table(view),
        threats=threats(view), asked=asked(view), notes=Footnotes(), margin=MARGIN, most=_MOST,
        spec=list(flat(comparison.spec)), environment=list(flat(comparison.environment)), flat=flat,
        costs=_costs(cost_table(view)),
    )  # fmt: skip


def _costs(table: Table) -> Callable[[Row], list[tuple[str, Cell]]]:
    """For a row, what is known of its cost."""

    def of(row: Row) -> list[tuple[str, Cell]]:
        titled = zip(table.columns[1:], table.rows[row.number - 1][1:], strict=True)
        return [(column.title, cell) for column, cell in titled if cell.text != "n/a"]

    return of


def asked(view: View) -> list[Asked]:
    """Every question that some row shows its answer to, with all the answers."""
    found: dict[tuple[str, str], list[tuple[Row, Said]]] = {}
    for row in view.rows:
        for said in row.outcome.said:
            found.setdefault((said.of, said.question), []).append((row, said))
    return [Asked(of, question, said[0][1].wanted, tuple(said)) for (of, question), said in found.items()]


def flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as pairs of a dotted name and a text."""
    for key, value in found.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{name}.")
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(str, value)) or "none"
        else:
            yield name, "none" if value is None else str(value.value if isinstance(value, Enum) else value)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html")
