"""Who breaks where: every method under every attack, and what threatens a guard."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.attacks.attack import Access
from benchmarks.comparison.report.catalogue import Heading
from benchmarks.comparison.report.drawing import SOFT, Chart, colour, figure, finished, short
from benchmarks.comparison.report.headline import name_of
from benchmarks.comparison.report.numbers import counted, error_of, plain, with_error
from benchmarks.comparison.report.tables import Cell, Column, Table
from benchmarks.comparison.report.view import FORGETTING, Row, View, interval
from benchmarks.comparison.rows import ATTACKED
from benchmarks.metrics.metric import Measured

_WIDE = 26  # attacks beside one another at most


def attack_headings(view: View) -> list[Heading]:
    """Every attack that was tried."""
    return [heading for heading in view.headings if heading.about == "attack"]


def worst_table(view: View) -> Table:
    """What comes back of the forget set from each row under the attack that is worst for it."""
    columns = (Column("Method"), Column("Not attacked"), Column("Worst attack", numeric=False), Column("Comes back"),
               Column("Mean of all attacks"), Column("Attacks that bring back more"))  # fmt: skip
    rows = tuple(_worst_cells(view, row) for row in view.rows if _leaks(view, row))
    caption = "How much of the true answers comes back at worst (ROUGE-L); more: by over two standard errors"
    return Table(caption, columns, rows)


def matrix_table(view: View) -> Table:
    """Attacks by rows of the report, for a text, where there are more attacks than fit beside one another."""
    shown = [row for row in view.rows if _leaks(view, row)]
    columns = (Column("Attack"), Column("Takes", numeric=False), *(Column(f"{r.number} {r.title}") for r in shown))
    rows = tuple(
        (Cell(h.title), Cell(_access(view, h.name)), *(_leak_cell(row, h.name) for row in shown))
        for h in attack_headings(view)
    )
    return Table("How much of the true answers comes back under each attack (ROUGE-L)", columns, rows)


def threats(view: View) -> list[str]:
    """What the figures say of the guards, in sentences; none where nothing was attacked."""
    found = []
    target = view.target
    bare = target.figure(FORGETTING) if target else None
    for guard in view.guards:
        leaks, calm = _leaks(view, guard), guard.figure(FORGETTING)
        if not leaks or calm is None:
            continue
        for access, what in ((Access.QUESTIONS, "By asking alone"), (Access.WEIGHTS, "With the weights changed below")):
            own = {name: leak for name, leak in leaks.items() if _access(view, name) == access}
            if own:
                name, leak = max(own.items(), key=lambda each: each[1].value)
                found.append(
                    f"{what}, most comes back from behind {name_of(guard)} by “{view.heading(name).title}”:"
                    f" {with_error(leak.value, leak.stderr)}, {with_error(calm.value, calm.stderr)} without an attack"
                    f" ({counted(len(own))} tried, n = {counted(leak.n)})."
                )
    if found and bare is not None:
        found.append(
            f"Whoever has the weights walks around every guard: asked without one, the target says"
            f" {with_error(bare.value, bare.stderr)}."
        )
    return found


def matrix(view: View) -> list[Chart]:
    """Rows by attacks, darker where more comes back; in parts where there are many attacks."""
    headings = attack_headings(view)
    wide = math.ceil(len(headings) / math.ceil(len(headings) / _WIDE)) if headings else 1  # parts of one size
    parts = [headings[at : at + wide] for at in range(0, len(headings), wide)]
    return [_matrix(view, f"matrix{place}", part) for place, part in enumerate(parts) if len(part) > 1]


def _matrix(view: View, name: str, headings: Sequence[Heading]) -> Chart:
    rows = [row for row in view.rows if _leaks(view, row)]
    values = [[f.value if (f := row.figure(h.name)) else math.nan for h in headings] for row in rows]
    with figure(2.6 + 0.36 * len(headings), 2.2 + 0.26 * len(rows)) as drawn:
        axes = drawn.subplots()
        axes.grid(visible=False)
        for y, row in enumerate(values):
            for x, value in enumerate(row):
                if math.isnan(value):
                    axes.text(x, y, "·", ha="center", va="center", color=SOFT)
                    continue
                axes.scatter([x], [y], s=150 * max(value, 0.01), marker="s", color=colour(1), linewidths=0)
        axes.set(xlim=(-0.6, len(headings) - 0.4), ylim=(len(rows) - 0.4, -0.6))
        axes.set_xticks(range(len(headings)), labels=[short(h.title, 28) for h in headings], rotation=60, ha="right",
                        rotation_mode="anchor", fontsize=9)  # fmt: skip
        axes.set_yticks(range(len(rows)), labels=[f"{row.number} {short(row.title, 20)}" for row in rows], fontsize=9)
        alt = "; ".join(
            f"{row.title}: " + ", ".join("n/a" if math.isnan(v) else plain(v) for v in told)
            for row, told in zip(rows, values, strict=True)
        )
        return finished(drawn, name, "What comes back under each attack", alt,
                        "The larger a square, the more of the true answers comes back (ROUGE-L).")  # fmt: skip


def _leaks(view: View, row: Row) -> dict[str, Measured]:
    found = {heading.name: row.figure(heading.name) for heading in attack_headings(view)}
    return {name: leak for name, leak in found.items() if leak is not None}


def _worst_cells(view: View, row: Row) -> tuple[Cell, ...]:
    leaks, calm = _leaks(view, row), row.figure(FORGETTING)
    name, worst = max(leaks.items(), key=lambda each: each[1].value)
    average = math.fsum(leak.value for leak in leaks.values()) / len(leaks)
    more = "n/a" if calm is None else counted(sum(_exceeds(leak, calm) for leak in leaks.values()))
    before = Cell("n/a") if calm is None else Cell(plain(calm.value), error_of(calm.stderr))
    return (
        Cell(f"{row.number} {row.title}"), before, Cell(f"{view.heading(name).title} ({_access(view, name)})"),
        Cell(plain(worst.value), error_of(worst.stderr), counted(worst.n), worst.note), Cell(plain(average)),
        Cell(f"{more} of {counted(len(leaks))}"),
    )  # fmt: skip


def _leak_cell(row: Row, name: str) -> Cell:
    leak = row.figure(name)
    return Cell("n/a", why=row.why(name)) if leak is None else Cell(plain(leak.value), error_of(leak.stderr))


def _exceeds(one: Measured, other: Measured) -> bool:
    return one.value - other.value > math.hypot(interval(one), interval(other))


def _access(view: View, name: str) -> str:
    known = view.catalogue.attacks.get(name.removeprefix(ATTACKED))
    return known.access if known else Access.QUESTIONS
