"""A run's curves: memory, open files, streams and how late the event loops were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.soak.result import Result
from benchmarks.soak.sampling import Sample

_LATE = ((0.01, "over 10 ms"), (0.05, "over 50 ms"), (0.25, "over 250 ms"))


def draw(result: Result, file: Path) -> None:
    """Write them; the file's ending says in which format.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 11), layout="constrained")
    memory, files, streams, late = figure.subplots(4, 1, sharex=True)
    for axes, title, value in (
        (memory, "memory, MiB (RSS)", lambda held: held.rss), (files, "open files", lambda held: held.files),
    ):  # fmt: skip
        for name, line in _by_process(result.samples, value).items():
            axes.plot(*line, label=name, linewidth=1)
        axes.set_title(title, loc="left", fontsize=10)
        axes.legend(fontsize=7, ncols=4)
    streams.plot([s.at / 60 for s in result.samples], [s.streams for s in result.samples], linewidth=1)
    streams.set_title("open streams", loc="left", fontsize=10)
    _draw_late(late, result.samples)
    late.set_xlabel("minutes")
    for axes in (memory, files, streams, late):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        for restart in result.restarts:
            axes.axvline(restart / 60, color="grey", linewidth=0.6, linestyle=":")
        axes.axvline(result.stopped_at / 60, color="black", linewidth=0.8, linestyle="--")
    figure.suptitle(
        f"{result.spec.streams} streams, {result.spec.workers} workers; dotted: the model server restarts, "
        "dashed: SIGTERM", fontsize=10,
    )  # fmt: skip
    figure.savefig(file, dpi=110)


def _by_process(samples: Sequence[Sample], value: Callable[[Any], float]) -> dict[str, tuple[list[float], list[float]]]:
    """The model server and the clients as one line each, whichever process they were."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for sample in samples:
        for name, held in sample.processes.items():
            own = name if name.startswith("proxy") else name.split()[0]
            line = lines.setdefault(own, ([], []))
            line[0].append(sample.at / 60)
            line[1].append(value(held))
    return lines


def _draw_late(axes: Any, samples: Sequence[Sample]) -> None:
    """Share of looks at the event loops, between two samples, at which they were late."""
    seen = [s for s in samples if s.lag]
    for limit, label in _LATE:
        at, shares = [], []
        for before, after in pairwise(seen):
            looks = after.lag[float("inf")] - before.lag[float("inf")]
            if looks > 0:
                late = looks - (after.lag[limit] - before.lag[limit])
                at.append(after.at / 60)
                shares.append(100 * late / looks)
        axes.plot(at, shares, label=label, linewidth=1)
    axes.set_title("event loops late, % of looks", loc="left", fontsize=10)
    axes.legend(fontsize=7, ncols=3)
