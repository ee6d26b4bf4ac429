"""A thousand streams for half an hour, or a night: memory, files, event loops, changes, restarts and a clean end.

Usage: python -m benchmarks.soak --minutes 30 [--streams 1000] [--workers 2] [--json FILE] [--plot FILE] [--seed 0]

A real ``letheward serve`` with its workers; a scripted model server, which is killed and started again; clients that
stream over every API, read slowly, go away, ask for what is protected, or send what is no request; entries that come
and go; and at the end SIGTERM with all streams open. Everything runs on one machine, so the model's pace is what keeps
the load within it: the summary has the pace and the share of a core that each process took. Ends with 1 where something
does not hold.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from benchmarks.soak.driver import Driver
from benchmarks.soak.outcome import FAULTS
from benchmarks.soak.plot import draw
from benchmarks.soak.report import failed, plain, shown
from benchmarks.soak.result import Spec
from benchmarks.soak.run import Progress, soak
from benchmarks.soak.sampling import Sampler
from benchmarks.soak.verdict import checks


def main(
    minutes: Annotated[float, typer.Option(min=0.05, help="Of load; 480 is a night.")] = 30,
    streams: Annotated[int, typer.Option(min=1, help="Open at a time.")] = 1000,
    workers: Annotated[int, typer.Option(min=1, help="Of the proxy.")] = 2,
    interval: Annotated[float, typer.Option(min=0.0, help="Seconds between two words of a stream.")] = 1.0,
    words: Annotated[tuple[int, int], typer.Option(help="Of a stream, least and most.")] = (20, 60),
    rate: Annotated[float, typer.Option(min=0.0, help="Other questions a second.")] = 8,
    churn: Annotated[float, typer.Option(min=0.01, help="Seconds between changes of a list.")] = 2,
    restart_every: Annotated[float, typer.Option(min=0.0, help="Minutes; 0: the model server stays.")] = 6,
    seed: Annotated[int, typer.Option(help="Of what is asked.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write figures and curves here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the curves here: .svg or .png.")] = None,
) -> None:
    """Put a service under load and say whether it holds; Ctrl-C ends the load, and what was seen so far counts."""
    restarts = max(1, int(minutes / restart_every)) if restart_every else 0
    spec = Spec(minutes, streams, workers, interval, words, rate, churn, restarts, seed)
    with tempfile.TemporaryDirectory(prefix="letheward-soak-") as folder, _bar(spec) as progress:
        result = asyncio.run(soak(spec, Path(folder), progress))
    for line in shown(result):
        typer.echo(line)
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(plain(result)) + "\n", encoding="utf-8")
    if plot:
        plot.parent.mkdir(parents=True, exist_ok=True)
        draw(result, plot)
    raise typer.Exit(failed(checks(result)))


@contextmanager
def _bar(spec: Spec) -> Iterator[Progress]:
    with tqdm(total=round(spec.seconds), unit="s", desc="soak", file=sys.stderr, mininterval=1.0) as bar:

        def progress(driver: Driver, sampler: Sampler) -> None:
            held = sampler.samples[-1].processes if sampler.samples else {}
            memory = "+".join(f"{each.rss:.0f}" for name, each in held.items() if name.startswith("proxy"))
            stalls = sum(sampler.samples[-1].stalls.values()) if sampler.samples else 0
            faults = driver.seen.of(*FAULTS)
            bar.n = min(round(sampler.seconds), bar.total)
            bar.set_postfix_str(f"{driver.open} streams, {memory} MiB, {stalls:.0f} stalls, {faults} faults")

        yield progress


if __name__ == "__main__":
    typer.run(main)
