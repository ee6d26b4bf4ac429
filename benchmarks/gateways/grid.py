"""The grid: every load, every way in turn, round by round, so that what else the machine does hits all alike."""

from __future__ import annotations

import statistics
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from benchmarks.gateways.load import Cell, Pace, Seen, Wrk, streams
from benchmarks.gateways.places import Way, asked_about, letheward, litellm, upstream
from benchmarks.gateways.prompts import KINDS, unflagged

FLAGGED = "flagged"
ENTRIES = (10, 10_000)
_PROMPTS = 200  # of a kind
_STREAMS = 20  # of each way in a round


@dataclass(frozen=True, slots=True)
class Grid:
    """What is measured. ``litellm``: its command, where it is installed; ``settings``: of Letheward."""

    entries: Sequence[int] = ENTRIES
    clients: Sequence[int] = (1, 16, 64)
    seconds: int = 2  # of a burst
    rounds: int = 2
    streams: int = _STREAMS
    litellm: Path | None = None
    interval: float = 0.01  # seconds between the tokens of a stream
    settings: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    @property
    def cells(self) -> list[Cell]:
        """Every load: all lengths one at a time, and more at a time for short ones, the mix and flagged ones."""
        alone = [Cell(kind, self.clients[0]) for kind in (*KINDS, FLAGGED)]
        return alone + [Cell(kind, many) for many in self.clients[1:] for kind in ("short", "mix", FLAGGED)]


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen of every way."""

    seen: dict[tuple[str, Cell], list[Seen]]
    paces: dict[str, Pace]

    def median(self, way: str, cell: Cell, of: str) -> float | None:
        """The median over rounds of one value; None where it was not measured."""
        rounds = self.seen.get((way, cell))
        return statistics.median(getattr(s, of) for s in rounds) if rounds else None


@asynccontextmanager
async def ways(grid: Grid, folder: Path, cache: Path) -> AsyncIterator[list[Way]]:
    """All ways to one model server, running."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(upstream(grid.interval))
        found = [model]
        if grid.litellm is not None:
            found.append(await stack.enter_async_context(litellm(grid.litellm, model, folder / "litellm")))
        for entries in (None, *grid.entries):
            own = folder / f"letheward-{entries or 'off'}"
            place = letheward(model, own, cache, entries, grid.settings)
            found.append(await stack.enter_async_context(place))
        yield found


async def measured(grid: Grid, folder: Path, places: Sequence[Way]) -> Found:
    """Load every way with every cell; the first round's beginning warms."""
    wrk = Wrk(folder)
    for kind in (*KINDS, "mix"):
        wrk.keep(kind, unflagged(kind, _PROMPTS, grid.seed))
    for entries in grid.entries:
        wrk.keep(f"{FLAGGED}-{entries}", asked_about(entries, _PROMPTS))
    texts = unflagged("short", grid.streams, grid.seed)
    for way in places:  # what is loaded when it is first needed
        await streams(way, texts[:3])
        await wrk.burst(way, Cell("short", 4), "short", 1)
    seen: dict[tuple[str, Cell], list[Seen]] = {}
    paces = {way.name: Pace([], []) for way in places}
    for _ in range(grid.rounds):
        for cell in tqdm(grid.cells, desc="loads", file=sys.stderr):
            for way in places:
                if cell.prompts != FLAGGED or way.entries:
                    bodies = f"{FLAGGED}-{way.entries}" if cell.prompts == FLAGGED else cell.prompts
                    seen.setdefault((way.name, cell), []).append(await wrk.burst(way, cell, bodies, grid.seconds))
        for way in places:
            pace = await streams(way, texts)
            paces[way.name].first.extend(pace.first)
            paces[way.name].gaps.extend(pace.gaps)
    return Found(seen, paces)
