"""The loads as a chart: added time and requests a second of each gateway, by prompt length and clients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.comparison.report.drawing import figure, logarithmic
from benchmarks.gateways.places import DIRECT
from benchmarks.gateways.report import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(rows: Sequence[Row], file: Path) -> None:
    """Write the chart to ``file``, in the form that its name ends with.

    Raises:
        RuntimeError: matplotlib is not installed.
    """
    rows = [row for row in rows if row["way"] != DIRECT]
    with figure(9.0, 7.0) as drawn:
        above, below = drawn.subplots(2, 1, sharex=True)
        _bars(above, rows, "added_p50", "added at p50, ms")
        _bars(below, rows, "per_worker", "requests/s, one worker")
        above.legend(frameon=False)
        file.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(file)


def _bars(axes: Axes, rows: Sequence[Row], of: str, title: str) -> None:
    ways = list(dict.fromkeys(row["way"] for row in rows))
    cells = list(dict.fromkeys((row["prompts"], row["clients"]) for row in rows))
    width = 0.8 / len(ways)
    for i, way in enumerate(ways):
        own = {(row["prompts"], row["clients"]): float(row[of]) for row in rows if row["way"] == way and row.get(of)}
        at = [(j + i * width, own[cell]) for j, cell in enumerate(cells) if cell in own]
        axes.bar([x for x, _ in at], [y for _, y in at], width, label=way)
    middle = 0.4 - width / 2
    axes.set_xticks([j + middle for j in range(len(cells))], [f"{prompts}\n{many} at once" for prompts, many in cells])
    axes.set_yscale("log")
    logarithmic(axes.yaxis)
    axes.set_ylabel(title)
