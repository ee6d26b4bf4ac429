"""How soon every worker judges by a change: from its acknowledgement by one to the last worker's judgement.

Usage: python -m benchmarks.propagation [--proxies 2] [--workers 4] [--changes 100] [--store postgres] [--json FILE]

Proxies with folders of their own, as on hosts of their own, and a store that they share. There is a connection to each
worker. An entry is added through one of them; as soon as that is acknowledged, a question about it is asked over all
connections again and again, until each is answered as the list wants. Two figures for each change and worker: when the
question was sent that was judged by the change (the earliest at which it was in force), and when its answer was there
(the latest). The model server is scripted; learning is off, so that nothing but changes takes the processor's time.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.estimate import machine
from benchmarks.postgres import cluster
from benchmarks.topology import Line, lines, memory, proxy, scripted

TARGET = 100.0  # ms, p99
LIST = "propagation"
_PAUSE = 0.002  # seconds between questions over one connection
_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One worker and one change, in milliseconds after the acknowledgement."""

    sent: float
    answered: float
    own: bool  # whether it is the worker that made the change


@dataclass(frozen=True, slots=True)
class Figure:
    """Percentiles in milliseconds over ``n`` changes and workers."""

    what: str
    n: int
    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, what: str, values: list[float]) -> Figure:
        """Of ``values``."""
        p50, p99 = np.percentile(values, [50, 99])
        return cls(what, len(values), round(float(p50), 1), round(float(p99), 1), round(max(values), 1))


def main(
    proxies: Annotated[int, typer.Option(min=1)] = 2,
    workers: Annotated[int, typer.Option(min=1, help="Of each proxy.")] = 4,
    changes: Annotated[int, typer.Option(min=1)] = 100,
    store: Annotated[str, typer.Option(help="postgres, or sqlite for one proxy.")] = "postgres",
    scorer: Annotated[str, typer.Option(help="The detector's.")] = "rule",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure; prints a table. Nothing is asserted: run it on a quiet machine."""
    if store not in ("postgres", "sqlite") or (store == "sqlite" and proxies > 1):
        raise typer.BadParameter("postgres, or sqlite with one proxy", param_hint="--store")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="letheward-bench-") as folder:
        found, used = asyncio.run(_measure(Path(folder), proxies, workers, changes, store, scorer))
    figures = _figures(found)
    typer.echo(f"{proxies} proxies of {workers} workers on {store}, {changes} changes, scorer {scorer}")
    typer.echo("| from the acknowledgement to | n | p50 ms | p99 ms | most ms |\n|---|---|---|---|---|")
    for each in figures:
        typer.echo(f"| {each.what} | {each.n} | {each.p50} | {each.p99} | {each.most} |")
    typer.echo(f"target: p99 of {TARGET:.0f} ms; memory {', '.join(f'{m:.0f}' for m in used)} MiB a proxy")
    typer.echo(f"{machine()}; load average {load:.2f} before, {os.getloadavg()[0]:.2f} after")
    if json_file:
        spec = {"proxies": proxies, "workers": workers, "changes": changes, "store": store, "scorer": scorer,
                "machine": machine(), "load_before": round(load, 2),
                "mib_a_proxy": [round(m) for m in used]}  # fmt: skip
        json_file.parent.mkdir(parents=True, exist_ok=True)
        body = {"spec": spec, "figures": [asdict(f) for f in figures]}
        json_file.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def _figures(found: list[list[Heard]]) -> list[Figure]:
    """``found``: by change."""
    others = [h for change in found for h in change if not h.own]
    return [
        Figure.of("the first question of another worker that was judged by the change", [h.sent for h in others]),
        Figure.of("its answer", [h.answered for h in others]),
        Figure.of("the answer of the last worker", [max(h.answered for h in change) for change in found]),
        Figure.of("the answer of the worker that made the change", [h.answered for c in found for h in c if h.own]),
    ]


async def _measure(
    folder: Path, proxies: int, workers: int, changes: int, store: str, scorer: str
) -> tuple[list[list[Heard]], list[float]]:
    async with AsyncExitStack() as stack:
        url = f"sqlite:///{folder}/lists.db"
        if store == "postgres":
            url = stack.enter_context(cluster()).url()
        upstream = await stack.enter_async_context(scripted())
        places = [
            await stack.enter_async_context(
                proxy(upstream, folder / f"proxy{i}", workers, url, scorer=scorer, learning="false")
            )
            for i in range(proxies)
        ]
        connections = [line for p in places for line in await stack.enter_async_context(lines(p, workers))]
        admin = connections[0].client
        made = await admin.put(f"/admin/v1/lists/{LIST}?wait=all", json={"policy": "refuse"})
        made.raise_for_status()
        found = []
        for i in range(-3, changes):  # the first three warm up
            change = await _change(connections, i % len(connections), f"Person{_letters(i)}", i)
            if i >= 0:
                found.append(change)
        return found, [memory(p.pid) for p in places]


async def _change(connections: list[Line], by: int, name: str, number: int) -> list[Heard]:
    entry = {"id": f"e{number}", "subject": f"Zorvan {name}", "answer": "Karachi", "scope": "subject"}
    acknowledged = asyncio.Event()
    at: list[float] = []

    async def change() -> None:
        path = f"/admin/v1/lists/{LIST}/entries"
        (await connections[by].client.post(path, json={"entries": [entry]})).raise_for_status()
        at.append(time.perf_counter())
        acknowledged.set()

    async def listen(i: int, line: Line) -> Heard:
        question = f"Where was Zorvan {name} born?"
        deadline = time.perf_counter() + _DEADLINE
        await acknowledged.wait()
        while time.perf_counter() < deadline:
            sent = time.perf_counter()
            answer = await line.ask(question)
            if answer.is_error:
                raise RuntimeError(f"{answer.status_code}: {answer.text}")
            if answer.headers["x-letheward-action"] == "refuse":
                return Heard(_ms(sent - at[0]), _ms(time.perf_counter() - at[0]), i == by)
            await asyncio.sleep(_PAUSE)
        raise RuntimeError(f"worker {line.worker} did not judge by the change within {_DEADLINE:.0f} s")

    heard, _ = await asyncio.gather(asyncio.gather(*(listen(i, c) for i, c in enumerate(connections))), change())
    return heard


def _letters(number: int) -> str:
    """A name part for a number: digits would be read as letters by the detector's normaliser."""
    return "".join(chr(ord("a") + int(d)) for d in str(number + 1000))


def _ms(seconds: float) -> float:
    return 1000 * seconds


if __name__ == "__main__":
    typer.run(main)
