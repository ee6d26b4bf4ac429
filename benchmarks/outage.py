"""Postgres away for a minute: do requests go on, are changes refused clearly, does it mend itself?

Usage: python -m benchmarks.outage [--seconds 60] [--proxies 2] [--workers 2] [--json FILE]

Every worker is asked a question that a list wants forgotten, and one that it does not, again and again: before Postgres
is stopped, while it is away, and after it is started. Changes are tried all the while. Counted are the answers, the
statuses of the changes, and how long after the start the first change was accepted and judged by in every worker.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import typer

from benchmarks.estimate import machine
from benchmarks.postgres import cluster
from benchmarks.topology import Line, lines, proxy, scripted

LIST = "outage"
_GUARDED, _OTHER = "Where was Zorvan Pelk born?", "How do I boil an egg?"
_PAUSE, _BETWEEN = 0.05, 1.0  # seconds between questions over one connection, and between changes
_DEADLINE = 120.0
_COLUMNS = ("name", "guarded", "others", "wrong", "p50_ms", "p99_ms", "changes")


@dataclass(slots=True)
class Phase:
    """What was answered in a phase. ``changes``: by status and code; ``wrong``: answers that were not as they ought."""

    name: str
    guarded: int = 0
    others: int = 0
    wrong: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    ms: list[float] = field(default_factory=list)

    def told(self) -> dict[str, object]:
        """As JSON, with percentiles in place of the times."""
        p50, p99 = (round(float(v), 1) for v in np.percentile(self.ms or [0.0], [50, 99]))
        return {k: v for k, v in asdict(self).items() if k != "ms"} | {"p50_ms": p50, "p99_ms": p99}


def main(
    seconds: Annotated[float, typer.Option(min=1, help="For which Postgres is away.")] = 60,
    proxies: Annotated[int, typer.Option(min=1)] = 2,
    workers: Annotated[int, typer.Option(min=1, help="Of each proxy.")] = 2,
    around: Annotated[float, typer.Option(min=1, help="Seconds before and after it.")] = 10,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure; prints a table."""
    with tempfile.TemporaryDirectory(prefix="letheward-bench-") as folder:
        phases, accepted, everywhere = asyncio.run(_measure(Path(folder), seconds, proxies, workers, around))
    told = [phase.told() for phase in phases]
    typer.echo("| Postgres | guarded | others | wrong | p50 ms | p99 ms | changes |\n|---|---|---|---|---|---|---|")
    for p in told:
        typer.echo("| " + " | ".join(str(p[k] or 0) for k in _COLUMNS) + " |")
    typer.echo(
        f"after the start: {accepted:.2f} s to the first change, {everywhere:.2f} s until all workers judged by it"
    )
    typer.echo(f"{machine()}; load average {os.getloadavg()[0]:.2f}")
    if json_file:
        spec = {"seconds": seconds, "proxies": proxies, "workers": workers, "machine": machine()}
        body = {"spec": spec, "phases": told, "accepted_s": accepted, "everywhere_s": everywhere}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


async def _measure(
    folder: Path, seconds: float, proxies: int, workers: int, around: float
) -> tuple[list[Phase], float, float]:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(cluster())
        upstream = await stack.enter_async_context(scripted())
        found: list[Line] = []
        for i in range(proxies):
            place = await stack.enter_async_context(
                proxy(upstream, folder / f"proxy{i}", workers, server.url(), learning="false")
            )
            found += await stack.enter_async_context(lines(place, workers))
        admin = found[0].client
        (await admin.put(f"/admin/v1/lists/{LIST}", json={"policy": "refuse"})).raise_for_status()
        entry = {"id": "e", "subject": "Zorvan Pelk", "answer": "Karachi", "scope": "subject"}
        made = await admin.post(f"/admin/v1/lists/{LIST}/entries?wait=all", json={"entries": [entry]})
        made.raise_for_status()
        before = await _phase("there", found, around)
        await asyncio.to_thread(server.stop)
        away = await _phase("away", found, seconds)
        await asyncio.to_thread(server.start)
        started = time.perf_counter()
        await _accepted(admin)
        accepted = time.perf_counter() - started
        await asyncio.gather(*(_judged(line) for line in found))
        everywhere = time.perf_counter() - started
        after = await _phase("there again", found, around)
        return [before, away, after], accepted, everywhere


async def _phase(name: str, found: list[Line], seconds: float) -> Phase:
    phase = Phase(name)
    until = time.perf_counter() + seconds
    await asyncio.gather(_changes(phase, found[0], until), *(_ask(phase, line, until) for line in found))
    return phase


async def _ask(phase: Phase, line: Line, until: float) -> None:
    while time.perf_counter() < until:
        for question, wanted in ((_GUARDED, "refuse"), (_OTHER, "pass")):
            began = time.perf_counter()
            answer = await line.ask(question)
            phase.ms.append(1000 * (time.perf_counter() - began))
            action = answer.headers.get("x-letheward-action", "")
            if (answer.status_code, action) != (200, wanted):
                wrong = f"{answer.status_code} {action}"
                phase.wrong[wrong] = phase.wrong.get(wrong, 0) + 1
            elif wanted == "pass":
                phase.others += 1
            else:
                phase.guarded += 1
        await asyncio.sleep(_PAUSE)


async def _changes(phase: Phase, line: Line, until: float) -> None:
    # Over a connection of its own, so that no question waits behind a change.
    async with httpx.AsyncClient(base_url=line.client.base_url, headers=line.client.headers, timeout=60) as own:
        while time.perf_counter() < until:
            answer = await own.patch(f"/admin/v1/lists/{LIST}", json={"description": f"at {time.time()}"})
            code = "" if answer.is_success else answer.json()["error"]["code"]
            said = f"{answer.status_code} {code}".strip()
            phase.changes[said] = phase.changes.get(said, 0) + 1
            await asyncio.sleep(_BETWEEN)


async def _accepted(admin: httpx.AsyncClient) -> None:
    entry = {"id": "later", "subject": "Mirela Drosmund", "answer": "Lahore", "scope": "subject"}

    async def accepted() -> bool:
        return (await admin.post(f"/admin/v1/lists/{LIST}/entries", json={"entries": [entry]})).is_success

    await _until(accepted, "no change was accepted")


async def _judged(line: Line) -> None:
    async def judged() -> bool:
        answer = await line.ask("Where was Mirela Drosmund born?")
        return bool(answer.headers.get("x-letheward-action") == "refuse")

    await _until(judged, f"worker {line.worker} did not judge by the change")


async def _until(done: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    deadline = time.perf_counter() + _DEADLINE
    while not await done():
        if time.perf_counter() >= deadline:
            raise RuntimeError(f"{otherwise} within {_DEADLINE:.0f} s of the start")
        await asyncio.sleep(_PAUSE)


if __name__ == "__main__":
    typer.run(main)
