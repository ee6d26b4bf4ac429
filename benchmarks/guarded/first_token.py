"""Time to the first token of a guarded chat over that of the bare model's."""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx
from tqdm import tqdm

from benchmarks.guarded.serving import Place
from benchmarks.guarded.timing import Figure, bootstrap, quantile, stream

_DETECTOR = re.compile(r"^letheward_detector_seconds_sum\{.*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same prompt asked of the bare model and through the proxy, milliseconds to the first character."""

    bare: float
    proxy: float
    detection: float  # what the detector's stages took of ``proxy``
    action: str

    @property
    def beyond(self) -> float:
        """The proxy's time without detection."""
        return self.proxy - self.detection


async def pairs(bare: Place, guarded: Place, prompts: Sequence[str], name: str, max_tokens: int = 4) -> list[Pair]:
    """Each prompt asked of both, one at a time, in turns who comes first."""
    found: list[Pair] = []
    async with httpx.AsyncClient(timeout=600, trust_env=False) as client:
        for number, prompt in enumerate(tqdm(prompts, desc=name, file=sys.stderr)):
            options = {"max_tokens": max_tokens, "temperature": 0}
            times: dict[Place, float] = {}
            detected, action = 0.0, ""
            for place in (bare, guarded) if number % 2 else (guarded, bare):
                before = await _detected(client, guarded) if place is guarded else 0.0
                answer = await stream(client, place, prompt, **options)
                times[place] = answer.first
                if place is guarded:
                    detected, action = await _detected(client, guarded) - before, answer.action
            found.append(Pair(times[bare], times[guarded], detected, action))
    return found


def figures(name: str, found: Sequence[Pair], target: float | None = None) -> Iterator[Figure]:
    """The ratio of medians and the times that it is made of."""
    part = f"first token, {name}"
    yield bootstrap(part, "over the bare call, without detection", "×", found, _ratio, target=target)
    yield bootstrap(part, "over the bare call, with detection", "×", found, _whole_ratio)
    for told, values in (("bare", [p.bare for p in found]), ("through the proxy", [p.proxy for p in found]),
                         ("detection", [p.detection for p in found])):  # fmt: skip
        yield bootstrap(part, f"{told}, p50", "ms", values, statistics.median)
        yield Figure(part, f"{told}, p99", quantile(values, 0.99), "ms", len(values))


def _ratio(found: Sequence[Pair]) -> float:
    return statistics.median(p.beyond for p in found) / statistics.median(p.bare for p in found)


def _whole_ratio(found: Sequence[Pair]) -> float:
    return statistics.median(p.proxy for p in found) / statistics.median(p.bare for p in found)


async def _detected(client: httpx.AsyncClient, place: Place) -> float:
    """Milliseconds that the detector's stages took since the proxy began."""
    response = await client.get(f"{place.url}/metrics", headers=place.headers)
    response.raise_for_status()
    return 1000 * sum(float(value) for value in _DETECTOR.findall(response.text))
