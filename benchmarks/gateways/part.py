"""The part ``gateways`` of `python -m benchmarks.overhead`: runs the grid, and tells and keeps what it comes to."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from benchmarks.estimate import machine
from benchmarks.gateways.grid import Grid, measured, ways
from benchmarks.gateways.plot import draw
from benchmarks.gateways.report import loads, paces, ratios, table


async def run(grid: Grid, cache: Path) -> dict[str, Any]:
    """Measure. ``cache``: Letheward's folder, which keeps the vectors of entries from one run to the next."""
    if grid.litellm is None:
        typer.echo("LiteLLM is not measured: give its command with --litellm, or run `make bench-gateways`", err=True)
    before = os.getloadavg()[0]
    cache.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a moment
    with tempfile.TemporaryDirectory(prefix="letheward-bench-") as folder:
        async with ways(grid, Path(folder), cache) as places:
            found = await measured(grid, Path(folder), places)
    rows = loads(found)
    spec = asdict(grid) | {"litellm": grid.litellm is not None, "machine": machine(), "load_before": round(before, 2),
                           "load_after": round(os.getloadavg()[0], 2)}  # fmt: skip
    return {"spec": spec, "loads": rows, "streams": paces(found), "ratios": ratios(rows)}


def tell(report: dict[str, Any], json_file: Path | None, plot: Path | None) -> None:
    """Print tables, and write the files that were asked for."""
    for name in ("loads", "streams", "ratios"):
        if report[name]:
            typer.echo(f"{name}\n\n{table(report[name])}")
    spec = report["spec"]
    typer.echo(f"{spec['machine']}; load average {spec['load_before']} before, {spec['load_after']} after")
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if plot:
        draw(report["loads"], plot)


def command_of(given: Path | None) -> Path | None:
    """LiteLLM's command: the one that was given, else the one on the path."""
    found = shutil.which(str(given)) if given else shutil.which("litellm")
    return Path(found).absolute() if found else None
