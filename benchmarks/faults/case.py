"""The register of faults, and how each is run: change, break, see what clients get, mend, see what is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from benchmarks.faults.house import House
from benchmarks.faults.scripted import INNER_KEY, model_server
from benchmarks.faults.service import NotUp, Service

Run = Callable[[House], Awaitable[None]]
_MODULES = ("streams", "answers", "sockets", "stores", "postgres", "processes", "files", "clock")
_LONGEST = 600.0  # seconds of a case


@dataclass(frozen=True, slots=True)
class Case:
    """One fault. ``own``: it needs a service of its own; ``slow``: only where every case is wanted.

    ``missing``: what this machine lacks for it, or nothing.
    """

    name: str
    run: Run
    own: bool = False
    slow: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    missing: Callable[[], str | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Found:
    """What a case came to. ``recovers``: seconds from its end until all is well; ``lost``: acknowledged changes."""

    name: str
    got: dict[str, int]
    leaked: list[str]
    lost: int
    recovers: float
    seconds: float
    wrong: list[str]
    left_out: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing leaked, nothing was lost and nobody got what they ought not to."""
        return not (self.leaked or self.lost or self.wrong)


CASES: dict[str, Case] = {}


def fault(name: str, **options: Any) -> Callable[[Run], Run]:
    """Register a case."""

    def registered(run: Run) -> Run:
        CASES[name] = Case(name, run, **options)
        return run

    return registered


def cases() -> dict[str, Case]:
    """All of them."""
    for module in _MODULES:
        import_module(f"benchmarks.faults.{module}")
    return CASES


@asynccontextmanager
async def house(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncIterator[House]:
    """A proxy in ``folder`` before a model server, with a list that guards a secret."""
    async with model_server() as model:
        service = Service(model.url, INNER_KEY, folder / "service", settings or {})
        try:
            await service.start()
            built = House(service, model, folder)
            await built.prepare()
            yield built
        finally:
            await service.end()


async def found(case: Case, place: House) -> Found:
    """Run a case."""
    own = replace(place, got=type(place.got)(), wrong=[], leaked=[], closed=False)
    began = time.monotonic()
    await own.change()
    own.got.clear()  # of that change nobody needs to hear
    try:
        async with asyncio.timeout(_LONGEST):
            await case.run(own)
    except (OSError, AssertionError, ValueError, httpx.HTTPError, NotUp) as error:
        own.wrong.append(f"the case ended with {type(error).__name__}: {str(error)[-300:]}")
    recovers = await own.recovers()
    try:
        lost = await own.lost()
    except httpx.HTTPError as error:
        own.wrong.append(f"the lists cannot be read afterwards: {type(error).__name__}")
        lost = len(own.acknowledged)
    own.search_log()
    place.acknowledged[:] = own.acknowledged
    place._searched = own._searched
    return Found(case.name, dict(own.got), sorted(set(own.leaked)), lost, recovers, time.monotonic() - began,
                 sorted(set(own.wrong)))  # fmt: skip


def left_out(case: Case, why: str) -> Found:
    """A case that could not be run here."""
    return Found(case.name, {}, [], 0, 0.0, 0.0, [], why)
