"""What a large import costs clients that stream meanwhile: dropped requests, first tokens, whole answers.

Usage: python -m benchmarks.import_load [--entries 10000] [--workers 2] [--store sqlite] [--json FILE]

Clients stream from a scripted model, whose words leave at known times, through the proxy: before, during and after an
import by the admin API. What the import costs is the ratio of the times during it to those before and after, beside
the ratio of before to after, which is noise.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import orjson
import typer

from benchmarks.data.traffic import unrelated
from benchmarks.estimate import machine
from benchmarks.postgres import cluster
from benchmarks.topology import Proxy, proxy, scripted

LIST = "imported"
_WORDS, _INTERVAL = 20, 0.02  # of an answer; seconds
_FIRST = (
    "Amar Beli Coru Dovan Esti Faro Galen Hira Ivo Jorun Kesa Lumo Marek Nuri Orla Pavo Quin Rasa Sorin Tavi".split()
)
_LAST = "abel brun cort dahl enge fors gren holm iver jorn kvist lund mork nord ovre park quist rask sund tveit".split()


@dataclass(frozen=True, slots=True)
class Answer:
    """One streamed answer. Seconds from the request to its first word, to its end, and the longest wait for a word.

    ``fault``: why it is not complete; empty where it is.
    """

    first: float
    whole: float
    gap: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """The answers of a phase, in milliseconds."""

    name: str
    requests: int
    dropped: int
    first_p50: float
    first_p99: float
    whole_p50: float
    whole_p99: float
    gap_p99: float
    faults: dict[str, int]

    @classmethod
    def of(cls, name: str, answers: Sequence[Answer]) -> Phase:
        """Of a phase's answers."""
        good = [a for a in answers if not a.fault]
        first = np.percentile([1000 * a.first for a in good], [50, 99])
        whole = np.percentile([1000 * a.whole for a in good], [50, 99])
        gap = np.percentile([1000 * a.gap for a in good], 99)
        a, b, c, d, e = (round(float(v), 1) for v in (*first, *whole, gap))
        faults = Counter(a.fault for a in answers if a.fault)
        return cls(name, len(answers), faults.total(), a, b, c, d, e, dict(faults))


def main(
    entries: Annotated[int, typer.Option(min=1)] = 10_000,
    workers: Annotated[int, typer.Option(min=1)] = 2,
    clients: Annotated[int, typer.Option(min=1, help="That stream all the time.")] = 4,
    seconds: Annotated[float, typer.Option(min=1, help="Before the import, and after it.")] = 60,
    store: Annotated[str, typer.Option(help="sqlite or postgres.")] = "sqlite",
    learning: Annotated[bool, typer.Option(help="Fit the head and thresholds after changes.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure; prints a table. Nothing is asserted: run it on a quiet machine."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="letheward-bench-") as folder:
        phases, took = asyncio.run(_measure(Path(folder), entries, workers, clients, seconds, store, learning=learning))
    before, during, after = phases
    typer.echo(
        f"{entries} entries in {took:.1f} s ({entries / took:.0f}/s), {workers} workers, {clients} clients, {store}"
    )
    typer.echo("| | requests | dropped | first p50 ms | p99 | whole p50 ms | p99 | longest gap p99 ms |")
    typer.echo("|---|---|---|---|---|---|---|---|")
    for p in phases:
        typer.echo(f"| {p.name} | {p.requests} | {p.dropped} | {p.first_p50} | {p.first_p99} | {p.whole_p50} | "
                   f"{p.whole_p99} | {p.gap_p99} |")  # fmt: skip
    for p in phases:
        for fault, count in p.faults.items():
            typer.echo(f"dropped {p.name} the import, {count} times: {fault}")
    ratios = _ratios(before, during, after)
    for name, (cost, noise) in ratios.items():
        typer.echo(f"{name}: during / (before and after) = {cost:.2f}; noise, after / before = {noise:.2f}")
    typer.echo(f"{machine()}; load average {load:.2f} before, {os.getloadavg()[0]:.2f} after")
    if json_file:
        spec = {"entries": entries, "workers": workers, "clients": clients, "store": store, "learning": learning,
                "machine": machine(), "load_before": round(load, 2), "import_seconds": round(took, 1)}  # fmt: skip
        json_file.parent.mkdir(parents=True, exist_ok=True)
        body = {"spec": spec, "phases": [asdict(p) for p in phases], "ratios": ratios}
        json_file.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def _ratios(before: Phase, during: Phase, after: Phase) -> dict[str, tuple[float, float]]:
    found = {}
    for name in ("first_p50", "first_p99", "whole_p50", "whole_p99"):
        a, b, c = (getattr(p, name) for p in (before, during, after))
        found[name.replace("_", " ")] = (round(2 * b / (a + c), 3), round(c / a, 3))
    return found


async def _measure(
    folder: Path, entries: int, workers: int, clients: int, seconds: float, store: str, *, learning: bool
) -> tuple[list[Phase], float]:
    async with AsyncExitStack() as stack:
        url = stack.enter_context(cluster()).url() if store == "postgres" else f"sqlite:///{folder}/lists.db"
        upstream = await stack.enter_async_context(scripted(_WORDS, _INTERVAL))
        place = await stack.enter_async_context(
            proxy(upstream, folder / "proxy", workers, url, learning=str(learning).lower(), scorer="rule")
        )
        admin = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"{place.url}/admin/v1", headers=place.headers, timeout=3600, trust_env=False)
        )
        (await admin.put(f"/lists/{LIST}?wait=all", json={"policy": "refuse"})).raise_for_status()
        prompts = unrelated(500, 0)
        await _streaming(place, clients, prompts, asyncio.create_task(asyncio.sleep(3)))  # warm
        before = await _streaming(place, clients, prompts, asyncio.create_task(asyncio.sleep(seconds)))
        began = time.perf_counter()
        importing = asyncio.create_task(_import(admin, entries))
        during = await _streaming(place, clients, prompts, importing)
        took = time.perf_counter() - began
        await importing
        after = await _streaming(place, clients, prompts, asyncio.create_task(asyncio.sleep(seconds)))
    named = (("before", before), ("during", during), ("after", after))
    return [Phase.of(name, answers) for name, answers in named], took


async def _import(admin: httpx.AsyncClient, count: int) -> None:
    lines = b"".join(orjson.dumps(entry(i)) + b"\n" for i in range(count))
    headers = {"Content-Type": "application/x-ndjson"}
    done = (
        (await admin.post(f"/lists/{LIST}/import?wait=all", content=lines, headers=headers)).raise_for_status().json()
    )
    if done["added"] != count or done["in_force"]["behind"]:
        raise RuntimeError(f"the import did not do what it should: {done}")


def entry(number: int) -> dict[str, str]:
    """An entry of a made-up person; all have other names."""
    last = "".join(_LAST[number // len(_LAST) ** i % len(_LAST)] for i in range(3)).capitalize()
    name = f"{_FIRST[number % len(_FIRST)]} {last}"
    question = f"In which town did {name} open a workshop?"
    return {
        "id": f"e{number}",
        "subject": name,
        "question": question,
        "answer": f"In {last}by, in {1900 + number % 99}.",
    }


async def _streaming(place: Proxy, clients: int, prompts: Sequence[str], until: asyncio.Task[None]) -> list[Answer]:
    """What ``clients`` get that ask one after the other, until a task ends."""
    found: list[Answer] = []

    async def client(number: int) -> None:
        async with httpx.AsyncClient(base_url=place.url, headers=place.headers, timeout=60, trust_env=False) as http:
            turn = number
            while not until.done():
                found.append(await _ask(http, prompts[turn % len(prompts)]))
                turn += clients

    await asyncio.gather(*(client(i) for i in range(clients)))
    return found


async def _ask(http: httpx.AsyncClient, prompt: str) -> Answer:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    began = last = time.perf_counter()
    first, gap, fault = 0.0, 0.0, "the stream ended without [DONE]"
    try:
        async with http.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.is_error:
                fault = f"{response.status_code}: {(await response.aread()).decode()[:300]}"
            async for line in response.aiter_lines():
                if not line.startswith("data:"):
                    continue
                now = time.perf_counter()
                first, gap = first or now - began, max(gap, now - last if first else 0.0)
                last = now
                if line == "data: [DONE]":
                    fault = ""
                elif '"error"' in line:
                    fault = line[:300]
    except httpx.TransportError as error:
        fault = type(error).__name__
    return Answer(first, time.perf_counter() - began, gap, fault)


if __name__ == "__main__":
    typer.run(main)
