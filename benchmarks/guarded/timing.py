"""Times of streams, and figures made of them."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from benchmarks.guarded.serving import Place


@dataclass(frozen=True, slots=True)
class Stream:
    """One streamed answer. Times in nanoseconds of the monotonic clock."""

    began: int
    action: str
    arrivals: tuple[tuple[int, int], ...]  # (when, characters of the answer until then), only where it grew

    @property
    def first(self) -> float:
        """Milliseconds to the first character; NaN where none came."""
        return (self.arrivals[0][0] - self.began) / 1e6 if self.arrivals else math.nan

    def released(self, ends: Sequence[int]) -> list[int]:
        """When each token, by where it ends in the answer, had come; those that never came are left out."""
        times: list[int] = []
        steps = iter(self.arrivals)
        when, length = next(steps, (0, 0))
        for end in ends:
            while length < end:
                try:
                    when, length = next(steps)
                except StopIteration:
                    return times
            times.append(when)
        return times


async def stream(client: httpx.AsyncClient, place: Place, prompt: str, **options: Any) -> Stream:
    """Ask ``prompt`` in a chat and note when the answer comes.

    Raises:
        RuntimeError: the answer is an error.
    """
    body = {"model": place.model, "messages": [{"role": "user", "content": prompt}], "stream": True, **options}
    arrivals: list[tuple[int, int]] = []
    length, rest = 0, b""
    began = time.monotonic_ns()
    async with client.stream("POST", f"{place.url}/v1/chat/completions", json=body, headers=place.headers) as response:
        if response.is_error:
            raise RuntimeError(f"{response.status_code}: {(await response.aread())[:500]!r}")
        async for chunk in response.aiter_raw():
            now = time.monotonic_ns()
            *events, rest = (rest + chunk).split(b"\n\n")
            grown = sum(map(_characters, events))
            if grown:
                length += grown
                arrivals.append((now, length))
        return Stream(began, response.headers.get("x-letheward-action", ""), tuple(arrivals))


def _characters(event: bytes) -> int:
    data = event.removeprefix(b"data: ")
    if not event.startswith(b"data: ") or data == b"[DONE]":
        return 0
    choices = orjson.loads(data).get("choices") or [{}]
    return len(choices[0].get("delta", {}).get("content") or "")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95 % interval, where it has one."""

    part: str
    name: str
    value: float
    unit: str
    n: int
    low: float | None = None
    high: float | None = None
    target: float | None = None  # met at or below

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        given = {k: getattr(self, k) for k in ("part", "name", "unit", "n", "target")}
        rounded = {k: _rounded(getattr(self, k)) for k in ("value", "low", "high")}
        return {**given, **rounded, "met": None if self.target is None else self.value <= self.target}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def bootstrap(
    part: str, name: str, unit: str, items: Sequence[Any], of: Callable[[Sequence[Any]], float], *,
    target: float | None = None, seed: int = 0, rounds: int = 2000,
) -> Figure:  # fmt: skip
    """``of(items)`` with the percentile interval over resampled items (Efron, 1979)."""
    rng = random.Random(seed)  # noqa: S311 - resampling, not a secret
    again = sorted(of(rng.choices(items, k=len(items))) for _ in range(rounds))
    low, high = again[round(0.025 * rounds)], again[round(0.975 * rounds) - 1]
    return Figure(part, name, of(items), unit, len(items), low, high, target)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    if len(values) < 2:
        return values[0] if values else math.nan
    return statistics.quantiles(values, n=1000, method="inclusive")[min(998, max(0, round(share * 1000) - 1))]


def markdown(figures: Sequence[dict[str, Any]]) -> str:
    """The report's JSON as a table for a README."""
    lines: list[tuple[str, ...]] = [("", "", "measured", "target"), ("---",) * 4]
    for f in figures:
        between = "" if f["low"] is None else f" ({f['low']:.3g} to {f['high']:.3g})"
        goal = "" if f["target"] is None else f"≤ {f['target']:g} {'met' if f['met'] else 'missed'}"
        lines.append((f["part"], f["name"], f"{f['value']:.3g} {f['unit']}{between}, n = {f['n']}", goal))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
