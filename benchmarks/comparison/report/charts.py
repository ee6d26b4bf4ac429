"""The report's charts. Each shows figures that a table tells too, and is left out where there are too few of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from benchmarks.comparison.outcome import Cost
from benchmarks.comparison.report.breakeven import deletion_seconds, run_seconds
from benchmarks.comparison.report.catalogue import Heading
from benchmarks.comparison.report.drawing import (
    SOFT,
    Chart,
    colour,
    family_colour,
    family_marker,
    figure,
    finished,
    logarithmic,
    short,
)
from benchmarks.comparison.report.headline import chosen_guard, name_of
from benchmarks.comparison.report.numbers import counted, duration, plain
from benchmarks.comparison.report.tables import REQUESTS, step_headings, timed_against
from benchmarks.comparison.report.trade import against_cost, against_utility
from benchmarks.comparison.report.view import Row, View, interval
from benchmarks.metrics.metric import Measured

_DASHES = ("-", "--", ":", "-.")
_DELETIONS = tuple(sorted({round(10 ** (power / 8)) for power in range(25)}))  # 1 to 1000


def charts(view: View) -> dict[str, list[Chart]]:
    """By the part of the page that they stand in."""
    return {
        "trade": [c for c in (against_utility(view), against_cost(view)) if c],
        "even": [c for c in (break_even_chart(view),) if c],
        "radar": radars(view),
        "steps": steps(view),
    }


def break_even_chart(view: View) -> Chart | None:
    """Seconds spent over the number of deletions: the chosen guard with and without requests, and its rivals."""
    guard = chosen_guard(view)
    own = deletion_seconds(guard.outcome.cost) if guard else None
    if guard is None or own is None or not math.isfinite(guard.outcome.cost.seconds):
        return None
    added = guard.outcome.cost.request_seconds
    others = timed_against(view, guard)
    with figure(5.2, 3.9) as drawn:
        axes = drawn.subplots()
        for dash, requests in zip(_DASHES, REQUESTS if added else (0,), strict=False):
            fixed = guard.outcome.cost.seconds + requests * (added or 0)
            label = f"{short(guard.title)}, {counted(requests) if requests else 'no'} requests"
            axes.plot(
                _DELETIONS, [fixed + n * own for n in _DELETIONS], dash, color=family_colour("guard"), label=label
            )
        for number, row in enumerate(others):
            run = run_seconds(row.outcome.cost) or 0
            axes.plot(_DELETIONS, [n * run for n in _DELETIONS], _DASHES[number % 4], color=colour(number + 2),
                      label=short(name_of(row)), linewidth=2)  # fmt: skip
        axes.set(xscale="log", yscale="log", xlabel="deletions, each in a batch of its own", ylabel="seconds so far")
        logarithmic(axes.xaxis)
        logarithmic(axes.yaxis)
        drawn.legend(loc="outside lower center", ncols=2, fontsize=10, handlelength=2.6)
        alt = _even_alt(guard, others)
        return finished(drawn, "even", "Seconds spent over the number of deletions", alt,
                        "Where a guard's line lies below another's, the guard took less time so far.")  # fmt: skip


def radars(view: View) -> list[Chart]:
    """The key figures of each family, 1 being the best; none where fewer than three can be told."""
    scales = [(heading, scale) for heading in view.key if (scale := _scale(view, heading))]
    if len(scales) < 3:
        return []
    found = []
    for place, (family, rows) in enumerate(view.families):
        told = [row for row in rows if any(row.figure(heading.name) for heading, _ in scales)]
        if told:
            found.append(_radar(f"radar{place}", family, told, scales))
    return found


def steps(view: View) -> list[Chart]:
    """Key figures after each request of a sequential run."""
    rows = [row for row in view.rows if row.outcome.steps]
    return [_steps(f"steps{place}", heading, rows) for place, heading in enumerate(step_headings(view))]


def _even_alt(guard: Row, others: Sequence[Row]) -> str:
    cost: Cost = guard.outcome.cost
    own = (
        f"{guard.title}: {duration(cost.seconds)} to set up, {duration(cost.deletion_seconds)} for a deletion,"
        f" {duration(cost.request_seconds)} added to a request"
    )
    return "; ".join([own, *(f"{name_of(row)}: {duration(run_seconds(row.outcome.cost))} for a run" for row in others)])


def _scale(view: View, heading: Heading) -> Callable[[float], float] | None:
    """To 0 (worst) .. 1 (best); None where the metric has no better side or says the same of all."""
    values = [figure.value for row in view.rows if (figure := row.figure(heading.name)) and math.isfinite(figure.value)]
    if not values or heading.better == "" or not any(row.figure(heading.name) for row in view.methods):
        return None
    if heading.better == "retained":
        never = view.retained.figure(heading.name) if view.retained else None
        if never is None:
            return None
        middle, span = never.value, max(abs(value - never.value) for value in values) or 1.0
        return lambda value: max(0.0, 1 - abs(value - middle) / span)
    low, high = (0.0, 1.0) if all(0 <= value <= 1 for value in values) else (min(values), max(values))
    span = high - low or 1.0
    if heading.better == "low":
        return lambda value: min(1.0, max(0.0, (high - value) / span))
    return lambda value: min(1.0, max(0.0, (value - low) / span))


def _radar(
    name: str, family: str, rows: Sequence[Row], scales: Sequence[tuple[Heading, Callable[[float], float]]]
) -> Chart:
    angles = [2 * math.pi * place / len(scales) for place in range(len(scales))]
    tell = [(row, [scale(f.value) if (f := row.figure(h.name)) else math.nan for h, scale in scales]) for row in rows]
    with figure(4.4, 4.4 + 0.11 * len(rows)) as drawn:
        axes = drawn.subplots(subplot_kw={"projection": "polar"})
        for place, (row, values) in enumerate(tell):
            axes.plot([*angles, angles[0]], [*values, values[0]], _DASHES[place // 8 % 4], color=colour(place),
                      marker=".", lw=1.5, label=f"{row.number} {short(row.title, 18)}")  # fmt: skip
        axes.set_ylim(0, 1)
        axes.set_yticks([0.5, 1], labels=["½", "1"], fontsize=8)
        axes.set_xticks(angles, labels=[_wrapped(h.title) for h, _ in scales], fontsize=10)
        axes.spines["polar"].set_color(SOFT)
        axes.tick_params(axis="x", pad=9)
        drawn.legend(loc="outside lower center", ncols=2, fontsize=10, handlelength=1.6)
        alt = "; ".join(f"{row.title}: {_listed(values, scales)}" for row, values in tell)
        return finished(drawn, name, family.capitalize(), alt)


def _listed(values: Sequence[float], scales: Sequence[tuple[Heading, Callable[[float], float]]]) -> str:
    told = ("n/a" if math.isnan(value) else plain(value) for value in values)
    return ", ".join(f"{heading.title} {value}" for (heading, _), value in zip(scales, told, strict=True))


def _steps(name: str, heading: Heading, rows: Sequence[Row]) -> Chart:
    with figure(5.2, 3.9) as drawn:
        axes = drawn.subplots()
        lines = []
        for place, row in enumerate(rows):
            found = [(number, f) for number, step in enumerate(row.outcome.steps, start=1)
                     if isinstance(f := step.get(heading.name), Measured)]  # fmt: skip
            if found:
                lines.append(f"{row.title}: " + ", ".join(plain(f.value) for _, f in found))
            axes.errorbar(
                [number for number, _ in found], [f.value for _, f in found], yerr=[interval(f) for _, f in found],
                color=colour(place), ls=_DASHES[place // 8 % 4], elinewidth=1, ms=5,
                marker=family_marker(row.card.family), label=f"{row.number} {short(row.title, 20)}",
            )  # fmt: skip
        axes.set(xlabel="deletion requests so far", ylabel=heading.title)
        axes.set_xticks(range(1, 1 + max(len(row.outcome.steps) for row in rows)))
        drawn.legend(loc="outside lower center", ncols=2, fontsize=10)
        return finished(drawn, name, f"{heading.title} after each request", "; ".join(lines))


def _wrapped(title: str) -> str:
    words, lines = short(title, 36).split(" "), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) > 12:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
