"""Forgetting against utility and against time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from benchmarks.comparison.report.breakeven import deletion_seconds, run_seconds
from benchmarks.comparison.report.catalogue import Heading
from benchmarks.comparison.report.drawing import (
    INK,
    SOFT,
    Chart,
    family_colour,
    family_marker,
    figure,
    finished,
    logarithmic,
    number_points,
    short,
)
from benchmarks.comparison.report.numbers import duration, with_error
from benchmarks.comparison.report.view import FORGETTING, UTILITY, Row, View, interval
from benchmarks.metrics.metric import Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def against_utility(view: View) -> Chart | None:
    """Forgetting against utility, with 95 % intervals, and those that no other surpasses in both."""
    forget, keep = _pair(view)
    return _trade(view, forget, "utility", f"{keep.title} (higher is better)", lambda row: row.figure(keep.name),
                  "The line joins the methods that no other surpasses in both; telling less than the retained model"
                  " counts for no more than telling as little.") if forget and keep else None  # fmt: skip


def against_cost(view: View) -> Chart | None:
    """Forgetting against the seconds of a deletion, on a logarithmic scale."""

    def seconds(row: Row) -> Measured | None:
        found = deletion_seconds(row.outcome.cost) if row.kind == "guard" else run_seconds(row.outcome.cost)
        return Measured(found, math.nan, 1) if found else None

    forget, _ = _pair(view)
    return _trade(view, forget, "cost", "seconds for a deletion (log, lower is better)", seconds,
                  "For a guard the time of one deletion, for a method that changes weights that of a run."
                  " Those whose time is not known are left out.") if forget else None  # fmt: skip


def _pair(view: View) -> tuple[Heading | None, Heading | None]:
    def first(name: str, about: str) -> Heading | None:
        own = [h for h in view.headings if any(row.figure(h.name) for row in view.methods)]
        return next((h for h in own if h.name == name), next((h for h in own if h.about == about), None))

    return first(FORGETTING, "forgetting"), first(UTILITY, "utility")


def _trade(
    view: View, forget: Heading, name: str, across: str, x: Callable[[Row], Measured | None], caption: str
) -> Chart | None:
    found = [(row, at, told) for row in view.rows if (at := x(row)) and (told := row.figure(forget.name))]
    if sum(row.kind != "yardstick" for row, *_ in found) < 2:
        return None
    title = f"{forget.title} against {name}"
    with figure(5.2, 4.2) as drawn:
        axes = drawn.subplots()
        for row, at, told in found:
            _point(axes, row, at, told)
        _reference(axes, view, forget)
        if name == "utility":
            front = _front(view, forget, found)
            axes.plot([at.value for _, at, _ in front], [told.value for *_, told in front], color=SOFT, lw=1, zorder=1)
        axes.set(xlabel=across, ylabel=f"{forget.title} (told)")
        if name == "cost":
            axes.set_xscale("log")
            logarithmic(axes.xaxis)
        axes.margins(0.1)
        _legend(drawn, view, found)
        number_points(axes, [(at.value, told.value, str(row.number)) for row, at, told in found], drawn)
        tips = {f"point-{row.number}": _tip(row, at, told) for row, at, told in found}
        alt = "; ".join(_tip(row, at, told) for row, at, told in found)
        return finished(drawn, name, title, alt, f"{caption} Numbers are those of the rows above.", tips)


def _point(axes: Axes, row: Row, at: Measured, told: Measured) -> None:
    yardstick = row.kind == "yardstick"
    shade = INK if yardstick else family_colour(row.card.family)
    drawn = axes.errorbar(
        at.value, told.value, xerr=interval(at) or None, yerr=interval(told) or None, color=shade, elinewidth=1,
        marker="+" if yardstick else family_marker(row.card.family), markersize=8 if yardstick else 6, linestyle="none",
    )  # fmt: skip
    drawn.lines[0].set_gid(f"point-{row.number}")


def _reference(axes: Axes, view: View, forget: Heading) -> None:
    never = view.retained.figure(forget.name) if view.retained else None
    if never:
        axes.axhline(never.value, color=INK, lw=0.9, ls="--", zorder=0)


def _front(
    view: View, forget: Heading, found: Sequence[tuple[Row, Measured, Measured]]
) -> list[tuple[Row, Measured, Measured]]:
    never = view.retained.figure(forget.name) if view.retained else None
    least = never.value if never else -math.inf
    upward = forget.better == "high"

    def telling(told: Measured) -> float:
        return -told.value if upward else max(told.value, least)

    own = [each for each in found if each[0].kind != "yardstick"]
    front = [
        each for each in own
        if not any(
            other[1].value >= each[1].value and telling(other[2]) <= telling(each[2])
            and (other[1].value, -telling(other[2])) != (each[1].value, -telling(each[2]))
            for other in own
        )
    ]  # fmt: skip
    return sorted(front, key=lambda each: (each[1].value, each[2].value))


def _legend(drawn: Figure, view: View, found: Iterable[tuple[Row, Measured, Measured]]) -> None:
    from matplotlib.lines import Line2D

    families = dict.fromkeys(row.card.family for row, *_ in found if row.kind != "yardstick")
    marks = [
        Line2D([], [], color=family_colour(f), marker=family_marker(f), ls="none", label=short(f)) for f in families
    ]
    if any(row.kind == "yardstick" for row, *_ in found):
        marks.append(Line2D([], [], color=INK, marker="+", ls="none", markersize=8, label="target, retained"))
    if view.retained and view.retained.outcome.figures:
        marks.append(Line2D([], [], color=INK, lw=0.9, ls="--", label="as the retained"))
    drawn.legend(handles=marks, loc="outside lower center", ncols=3, fontsize=10, columnspacing=1.2)


def _tip(row: Row, at: Measured, told: Measured) -> str:
    where = with_error(at.value, at.stderr) if math.isfinite(at.stderr) else duration(at.value)
    return f"{row.number} {row.title}: {where}, told {with_error(told.value, told.stderr)}"
