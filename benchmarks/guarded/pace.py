"""What checking answers adds to the pace of a stream, against a scripted model."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from tqdm import tqdm

from benchmarks.guarded.scripted import MODEL, tokens
from benchmarks.guarded.serving import Place
from benchmarks.guarded.timing import Figure, quantile, stream

DIRECT, PLAIN, GUARDED = "direct", "answers unchecked", "answers checked"
P50_TARGET = 1.0  # ms that the output guard may add between tokens
_seeds = itertools.count(1)


@dataclass
class Pace:
    """What was seen of one way to the model, in milliseconds."""

    delays: list[float] = field(default_factory=list)  # from a token's leaving the model to its reaching the client
    gaps: list[float] = field(default_factory=list)  # between a token's coming and the next one's
    lost: int = 0  # tokens that never came


@asynccontextmanager
async def scripted() -> AsyncIterator[Place]:
    """The scripted model in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.guarded.scripted"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        address = await process.stdout.readline() if process.stdout else b""
        yield Place(address.decode().strip(), "any", MODEL)
    finally:
        process.terminate()
        await process.wait()


async def paces(
    model: Place, ways: Mapping[str, Place], texts: Sequence[str], prompts: Sequence[str], interval: float
) -> dict[str, Pace]:
    """Stream every text each way in turn; token times of the model and of the client are compared one by one."""
    seen = {name: Pace() for name in ways}
    async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
        for text, prompt in zip(tqdm(texts, desc="pace", file=sys.stderr), prompts, strict=True):
            script = {"text": text, "interval": interval}
            (await client.put(f"{model.url}/script", json=script)).raise_for_status()
            for name, place in ways.items():
                await _one(client, model, place, text, prompt, seen[name])
    return seen


async def _one(client: httpx.AsyncClient, model: Place, place: Place, text: str, prompt: str, pace: Pace) -> None:
    seed = next(_seeds)
    answer = await stream(client, place, prompt, seed=seed)
    left: list[int] = (await client.get(f"{model.url}/sent/{seed}")).json()
    came = answer.released(list(itertools.accumulate(map(len, tokens(text)))))
    pace.delays += [(there - here) / 1e6 for here, there in zip(left, came, strict=False)]
    pace.gaps += [(later - sooner) / 1e6 for sooner, later in itertools.pairwise(came)]
    pace.lost += len(left) - len(came)


async def rates(
    model: Place, ways: Mapping[str, Place], text: str, prompts: Sequence[str], at_once: int
) -> dict[str, float]:
    """Requests a second with ``at_once`` streams, from a model that streams ``text`` as fast as it can."""
    found: dict[str, float] = {}
    async with httpx.AsyncClient(timeout=120, trust_env=False, limits=httpx.Limits(max_connections=64)) as client:
        (await client.put(f"{model.url}/script", json={"text": text, "interval": 0.0})).raise_for_status()
        for name, place in ways.items():
            turn = asyncio.Semaphore(at_once)

            async def one(place: Place, prompt: str, turn: asyncio.Semaphore = turn) -> None:
                async with turn:
                    await stream(client, place, prompt, seed=0)

            await asyncio.gather(*(one(place, prompt) for prompt in prompts[:at_once]))  # warm
            began = time.monotonic()
            await asyncio.gather(*(one(place, prompt) for prompt in prompts))
            found[name] = len(prompts) / (time.monotonic() - began)
    return found


def pace_figures(seen: Mapping[str, Pace], interval: float) -> Iterator[Figure]:
    """Delays and gaps each way, and what the proxy and the check of answers add."""
    part = f"stream, a token every {interval * 1000:g} ms"
    for name, pace in seen.items():
        for share in (0.5, 0.99):
            yield Figure(part, f"{name}: delay of a token, p{share * 100:g}", quantile(pace.delays, share), "ms",
                         len(pace.delays))  # fmt: skip
        late = sum(delay > interval * 1000 for delay in pace.delays)
        yield Figure(part, f"{name}: tokens that wait for the next or longer", 100 * late / len(pace.delays), "%",
                     len(pace.delays))  # fmt: skip
        yield Figure(part, f"{name}: longest delay of a token", max(pace.delays), "ms", len(pace.delays))
        yield Figure(part, f"{name}: tokens that never came", float(pace.lost), "", len(pace.delays))
    for name, before in ((GUARDED, PLAIN), (GUARDED, DIRECT), (PLAIN, DIRECT)):
        for share in (0.5, 0.99):
            for what in ("delays", "gaps"):
                one, other = getattr(seen[name], what), getattr(seen[before], what)
                target = P50_TARGET if (share, name, before) == (0.5, GUARDED, PLAIN) else None
                told = "delay" if what == "delays" else "time between tokens"
                yield Figure(part, f"{name} over {before}: {told}, p{share * 100:g}",
                             quantile(one, share) - quantile(other, share), "ms", len(one), target=target)  # fmt: skip


def rate_figures(found: Mapping[str, float], at_once: int, count: int) -> Iterator[Figure]:
    """Requests a second each way, and the proxy's share of the direct rate."""
    part = f"{at_once} stream{'s' if at_once > 1 else ''} at once"
    for name, rate in found.items():
        yield Figure(part, name, rate, "requests/s", count)
    for name in (PLAIN, GUARDED):
        yield Figure(part, f"{name}: share of direct", found[name] / found[DIRECT], "×", count)
