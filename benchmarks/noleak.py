"""The no-leak matrix: ``python -m benchmarks.noleak``.

Before the proxy stands a model server that tells everything whatever it is asked, so that each cell is the worst case:
every endpoint, whole and streamed, every place of a request and an answer, every action, the secret cut at each of its
letters and the stream at every byte. ``--real`` asks a real vLLM instead, with facts that the embedded model knows.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import structlog
import typer
from tqdm import tqdm

from benchmarks.estimate import Proportion, machine
from benchmarks.leaks.house import house
from benchmarks.leaks.matrix import Cell, cells, run_cell
from benchmarks.leaks.real import run as run_real
from benchmarks.leaks.requests import ACTIONS, ENDPOINTS
from server.model_files import prepare_model
from server.settings import default_cache


def main(
    real: Annotated[bool, typer.Option("--real", help="A sample before a real vLLM with the embedded model.")] = False,
    every: Annotated[int, typer.Option(min=1, help="Use each EVERY-th cut of the secrets.")] = 1,
    endpoint: Annotated[list[str] | None, typer.Option(help="Only this endpoint.")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="Where the embedded model is kept.")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="Write all cells here.")] = None,
) -> None:
    """Run the matrix; ends with 1 where something leaked, broke or changed for neighbours."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chosen = endpoint or list(ENDPOINTS)
    folder = prepare_model("smollm2", cache_dir or default_cache(), lambda text: typer.echo(text, err=True))
    assert folder is not None  # noqa: S101 - the embedded model is a folder
    if real:
        found = asyncio.run(run_real(folder, cache_dir or default_cache()))
    else:
        found = asyncio.run(_run(folder, chosen, every))
    _print(found)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(
            json.dumps(
                {"real": real, "every": every, "machine": machine(), "cells": [asdict(c) for c in found]}, indent=1
            )
        )
    if any(c.leaks or c.broken or not c.unchanged for c in found):
        raise typer.Exit(1)


async def _run(folder: Path, endpoints: Sequence[str], every: int) -> list[Cell]:
    wanted = list(cells(lambda e, _: e in endpoints))
    found: list[Cell] = []
    async with house(folder) as built:
        for cell in tqdm(wanted, unit="cell"):
            found.append(await run_cell(built, *cell, every=every))
    return found


def _print(found: Sequence[Cell]) -> None:
    typer.echo("| endpoint | answers | " + " | ".join(ACTIONS) + " | neighbours |")
    typer.echo("|---|---|" + "---|" * len(ACTIONS) + "---|")
    for endpoint in dict.fromkeys(c.endpoint for c in found):
        for streamed in (False, True):
            own = [c for c in found if c.endpoint == endpoint and c.streamed == streamed]
            told = [_told([c for c in own if c.action == action]) for action in ACTIONS]
            same = f"{sum(c.unchanged for c in own)}/{len(own)} cells unchanged"
            typer.echo(f"| {endpoint} | {'stream' if streamed else 'whole'} | {' | '.join(told)} | {same} |")
    n, leaks = sum(c.n for c in found), sum(c.leaks for c in found)
    share = Proportion.of([True] * leaks + [False] * (n - leaks)).told().strip()
    broken, refused = sum(c.broken for c in found), sum(c.refused for c in found)
    typer.echo(f"{len(found)} cells, {n} requests, leaks {share}, {broken} ill-formed, {refused} errors")
    acted: Counter[str] = Counter()
    for cell in found:
        acted.update(cell.acted)
    typer.echo("actions: " + ", ".join(f"{k} {v}" for k, v in sorted(acted.items())))


def _told(own: Sequence[Cell]) -> str:
    return f"{sum(c.leaks for c in own)}/{sum(c.n for c in own)}" if own else "-"


if __name__ == "__main__":
    typer.run(main)
