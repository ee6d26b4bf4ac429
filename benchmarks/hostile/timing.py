"""Can a client tell by time alone that a name is on a list, where the answer does not say so?

Usage: python -m benchmarks.hostile.timing [--n 400] [--json FILE]

The model server is scripted and answers at once, so that all there is to see is the proxy's own time: before a real
model the same difference drowns in the model's. Compared are, in turns, questions of equal form: on names that a list
watches (policy monitor: every answer is the model's own), on names that it does not know, and on names that are nearly
those of the list. A guess by the best threshold of time, found on half of the pairs, is scored on the other half.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import numpy.typing as npt
import typer
from scipy.stats import binomtest

from benchmarks.estimate import machine
from benchmarks.faults.case import house

_ON = (
    "Mirela Drosmund",
    "Tavish Orlemann",
    "Quenby Fastrale",
    "Isaura Pelkmond",
    "Bodil Krasnagor",
    "Odalys Wintermeer",
)
_OFF = (
    "Marisa Drostmann",
    "Tobias Ollerhead",
    "Quincy Fairdale",
    "Isolde Palmgard",
    "Bertil Kronborg",
    "Odette Winterbourn",
)
_NEAR = (
    "Mirela Dresmond",
    "Tavisha Orleman",
    "Quenby Farstale",
    "Isaura Palkmond",
    "Bodil Krasnager",
    "Odalis Wintermoor",
)
_FORMS = ("Where was {} born?", "What is {} known for?", "Who taught {} to play?", "Which prize did {} win?")
_POLICIES = ("monitor", "template")
_SAMPLES = 1000

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one class against names not on the list. ``ms``: of medians, with a bootstrap interval of 95 %.

    ``accuracy``: of guesses by one request's time, with an exact interval; 0.5 is chance.
    """

    policy: str
    compared: str
    n: int
    median_ms: float
    median_off_ms: float
    ms: float
    ms_low: float
    ms_high: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


def main(
    n: Annotated[int, typer.Option(min=40, help="Questions of each class.")] = 400,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory(prefix="letheward-timing-") as folder:
        found = asyncio.run(_measured(Path(folder), n))
    typer.echo("policy    compared with names not on the list          n   difference of medians, ms    guessed right")
    for each in found:
        typer.echo(
            f"{each.policy:9} {each.compared:32} {each.n:9} {each.ms:+9.2f} ({each.ms_low:+.2f} to {each.ms_high:+.2f})"
            f"   {each.accuracy:.1%} ({each.accuracy_low:.1%} to {each.accuracy_high:.1%})"
        )
    if json_file is not None:
        told = {"machine": machine(), "differences": [asdict(each) for each in found]}
        json_file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


async def _measured(folder: Path, n: int) -> list[Difference]:
    found = []
    async with house(folder) as place, place.service.client() as client:
        entries = [{"subject": name, "answer": "Lahore", "scope": "subject"} for name in _ON]
        for policy in _POLICIES:
            (await client.put("/admin/v1/lists/timed", json={"policy": policy})).raise_for_status()
            if policy == _POLICIES[0]:
                (await client.post("/admin/v1/lists/timed/entries", json={"entries": entries})).raise_for_status()
            times = await _times(place.service.url, n)
            found += [_difference(policy, kind, times[kind], times["off"]) for kind in ("on", "near")]
    return found


async def _times(url: str, n: int) -> dict[str, list[float]]:
    """Milliseconds of each question, the classes in turns, in an order that chance decides; as a client without key."""
    chance = random.Random(0)  # noqa: S311 - an order
    names = {"on": _ON, "off": _OFF, "near": _NEAR}
    times: dict[str, list[float]] = {kind: [] for kind in names}
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        for i in range(-20, n):  # the first warm up
            kinds = list(names)
            chance.shuffle(kinds)
            which, form = chance.randrange(len(_ON)), chance.choice(_FORMS)
            for kind in kinds:
                body = {"model": "m", "messages": [{"role": "user", "content": form.format(names[kind][which])}]}
                began = time.perf_counter()
                (await client.post("/v1/chat/completions", json=body)).raise_for_status()
                if i >= 0:
                    times[kind].append(1000 * (time.perf_counter() - began))
    return times


def _difference(policy: str, kind: str, seen: Sequence[float], off: Sequence[float]) -> Difference:
    a, b = np.asarray(seen), np.asarray(off)
    generator = np.random.default_rng(0)
    picks = generator.integers(0, len(a), (_SAMPLES, len(a)))  # pairs stay together: both drift with the machine
    drawn = np.median(a[picks], axis=1) - np.median(b[picks], axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    half = len(a) // 2
    threshold, over = _threshold(a[:half], b[:half])
    right = int(np.sum((a[half:] > threshold) == over) + np.sum((b[half:] > threshold) != over))
    interval = binomtest(right, 2 * (len(a) - half)).proportion_ci(0.95)
    name = {"on": "names on the list", "near": "names nearly on the list"}[kind]
    return Difference(
        policy, name, len(a), float(np.median(a)), float(np.median(b)), float(np.median(a) - np.median(b)),
        float(low), float(high), right / (2 * (len(a) - half)), float(interval.low), float(interval.high),
    )  # fmt: skip


def _threshold(a: Times, b: Times) -> tuple[float, bool]:
    """The time that parts them best, and whether ``a`` is above it."""
    best = (0.0, 0.0, True)
    for at in np.unique(np.concatenate([a, b])):
        share = (np.mean(a > at) + np.mean(b <= at)) / 2
        best = max(best, (float(share), float(at), True), (float(1 - share), float(at), False))
    return best[1], best[2]


if __name__ == "__main__":
    typer.run(main)
