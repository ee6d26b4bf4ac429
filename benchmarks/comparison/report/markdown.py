"""The report as Markdown, for a README or a file of results: the same tables, without charts."""

from __future__ import annotations

import json
import re

from benchmarks.comparison.outcome import Comparison
from benchmarks.comparison.report.catalogue import Catalogue, registered
from benchmarks.comparison.report.differences import Difference, differences
from benchmarks.comparison.report.headline import answer
from benchmarks.comparison.report.html import flat
from benchmarks.comparison.report.numbers import error_of, plain
from benchmarks.comparison.report.robustness import matrix_table, threats, worst_table
from benchmarks.comparison.report.sequence import sequence_table
from benchmarks.comparison.report.tables import (
    Cell,
    Column,
    Footnotes,
    Table,
    all_tables,
    break_even_table,
    cost_table,
    main_table,
    rivals_table,
    step_tables,
)
from benchmarks.comparison.report.view import View

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~!&$])")


def markdown(comparison: Comparison, catalogue: Catalogue | None = None) -> str:
    """The report. ``catalogue``: names of methods and metrics, else the registries'."""
    view = View(comparison, catalogue or registered(comparison))
    notes, found = Footnotes(), answer(view)
    probed = [table for about, table in all_tables(view) if about in ("robustness", "representation")]
    tables = [
        main_table(view),
        worst_table(view),
        matrix_table(view),
        *probed,
        rivals_table(view),
        break_even_table(view),
        cost_table(view),
        sequence_table(view),
        *step_tables(view),
    ]
    parts = [f"**{escaped(found.verdict)}**", "\n".join(f"- {escaped(reason)}" for reason in found.reasons if reason)]
    parts.append("\n".join(f"- {escaped(line)}" for line in threats(view)))
    parts = [part for part in parts if part]
    parts += [_table(table, notes) for table in tables if table.rows]
    if notes.all:
        parts.append("\n".join(f"[{number}] {escaped(why)}  " for why, number in notes.all.items()))
    parts += [f"- {escaped(note)}" for note in comparison.notes]
    parts.append(_run(comparison))
    return "\n\n".join(parts) + "\n"


def difference(
    before: Comparison, after: Comparison, *, as_json: bool = False, catalogue: Catalogue | None = None
) -> str:
    """How the second differs from the first, as Markdown or as JSON; nan is null there."""
    found = differences(before, after)
    if as_json:
        return json.dumps([each.plain() for each in found], indent=1) + "\n"
    if not found:
        return "The two have no figure in common.\n"
    names = catalogue or registered(after)
    columns = tuple(Column(title) for title in ("Method", "Metric", "First", "Second", "Difference", "n", "How"))
    rows = tuple(_difference_cells(each, names) for each in found)
    table = _table(
        Table("Second less first, ± one standard error; * where it exceeds 1.96 of them", columns, rows), Footnotes()
    )
    alone = [_alone(before, after, "first"), _alone(after, before, "second")]
    return "\n\n".join([table, *(line for line in alone if line)]) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _table(table: Table, notes: Footnotes) -> str:
    head = [escaped(c.title) + (f" {escaped(c.better.split(' ')[0])}" if c.better else "") for c in table.columns]
    rule = ["---"] + ["---:" if c.numeric else "---" for c in table.columns[1:]]
    rows = [[_cell(cell, notes) for cell in row] for row in table.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]
    return "\n".join([f"{escaped(table.caption)}:", "", *lines])


def _cell(cell: Cell, notes: Footnotes) -> str:
    text = escaped(cell.text)
    text = f"**{text}**" if cell.mark == "best" else text
    text += f" ± {cell.error}" if cell.error else ""
    text += f" (n {cell.n})" if cell.n else ""
    return f"{text} [{notes.number(cell.why)}]" if cell.why else text


def _run(comparison: Comparison) -> str:
    pairs = [*flat(comparison.environment), *flat(comparison.spec)]
    lines = "\n".join(f"- {escaped(name)}: {escaped(value)}" for name, value in pairs)
    return f"<details><summary>The run</summary>\n\n{lines}\n\n</details>"


def _difference_cells(each: Difference, names: Catalogue) -> tuple[Cell, ...]:
    star = " *" if each.clear else ""
    error = error_of(each.stderr) + star
    return (Cell(names.card(each.method).title), Cell(names.heading(each.metric).title), Cell(plain(each.before)),
            Cell(plain(each.after)), Cell(plain(each.difference), error), Cell(str(each.n)),
            Cell("paired" if each.paired else "unpaired"))  # fmt: skip


def _alone(one: Comparison, other: Comparison, name: str) -> str:
    names = {outcome.name for outcome in other.outcomes}
    alone = [outcome.name for outcome in one.outcomes if outcome.name not in names]
    return f"Only in the {name}: {escaped(', '.join(alone))}." if alone else ""
