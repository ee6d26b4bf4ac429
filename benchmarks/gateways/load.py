"""Load by wrk, and by streams: what a client sees, and what the gateway spends on it."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np

from benchmarks.gateways.places import Way, cpu_seconds
from benchmarks.gateways.prompts import body
from benchmarks.gateways.upstream import MODEL
from benchmarks.guarded.serving import Place
from benchmarks.guarded.timing import Stream, stream
from benchmarks.topology import memory

_SCRIPT = Path(__file__).with_name("load.lua")
_LONGEST = "30s"  # that a request may take
_MOST_SECONDS = 30  # of a burst
_LOOK, _MOST_REST, _IDLE = 0.2, 20.0, 0.2  # seconds; seconds; share of a core


@dataclass(frozen=True, slots=True)
class Cell:
    """One load: ``prompts`` of a kind, ``clients`` at a time."""

    prompts: str
    clients: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One burst of a cell, one way. Milliseconds; ``cpu``: seconds of the gateway's processes; ``mib``: its memory."""

    p50: float
    p95: float
    p99: float
    requests: int
    seconds: float
    cpu: float
    mib: float


class Wrk:
    """Runs wrk over the bodies of a folder.

    Raises:
        RuntimeError: wrk is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._command = shutil.which("wrk") or ""
        if not self._command:
            raise RuntimeError("the load comes from wrk, which is not installed (Debian: apt-get install wrk)")

    def keep(self, name: str, prompts: Sequence[str]) -> None:
        """Prompts to be sent in turn by that name."""
        (self._folder / name).write_bytes(b"\n".join(map(body, prompts)) + b"\n")

    async def burst(self, way: Way, cell: Cell, bodies: str, seconds: int) -> Seen:
        """Load for ``seconds``.

        Raises:
            RuntimeError: an answer was an error, or a connection broke.
        """
        began = cpu_seconds(way.pid)
        process = await asyncio.create_subprocess_exec(
            self._command, "-t1", f"-c{cell.clients}", f"-d{seconds}s", "--timeout", _LONGEST, "-s", str(_SCRIPT),
            f"{way.url}/v1/chat/completions", "--", str(self._folder / bodies), *([way.key] if way.key else []),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told = (await process.communicate())[0].decode(errors="replace")
        cpu = cpu_seconds(way.pid) - began
        found = json.loads(told.strip().splitlines()[-1])
        used = memory(way.pid)
        await idle(way)
        if not found["requests"] and seconds < _MOST_SECONDS:  # a slow machine, or a long prompt
            return await self.burst(way, cell, bodies, 4 * seconds)
        if found["faults"] or found["broken"] or not found["requests"]:
            raise RuntimeError(f"{way.name}, {cell}: {told[-1000:]}")
        return Seen(found["p50"], found["p95"], found["p99"], found["requests"], found["seconds"], cpu, used)


async def idle(way: Way) -> None:
    """Wait, but not for ever, until a gateway has done with what the clients of the last burst left behind."""
    for _ in range(round(_MOST_REST / _LOOK)):
        began = cpu_seconds(way.pid)
        await asyncio.sleep(_LOOK)
        if cpu_seconds(way.pid) - began < _IDLE * _LOOK:
            return


@dataclass(frozen=True, slots=True)
class Pace:
    """Streams, one way: milliseconds to the first text, and between the pieces after it."""

    first: list[float]
    gaps: list[float]


async def streams(way: Way, prompts: Sequence[str]) -> Pace:
    """One stream after the other."""
    place = Place(way.url, way.key or "any", MODEL)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        seen: list[Stream] = [await stream(client, place, prompt) for prompt in prompts]
    gaps = [float(gap) / 1e6 for s in seen for gap in np.diff([when for when, _ in s.arrivals])]
    return Pace([s.first for s in seen], gaps)
