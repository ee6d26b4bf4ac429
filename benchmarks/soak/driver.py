"""The clients: so many streams open at all times, and others that come and go beside them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.soak.client import Answer, ask
from benchmarks.soak.outcome import FAULTS, Outcome, outcome
from benchmarks.soak.traffic import Ask, Mix, long, short

_KEPT = 50  # faults of which more than the number is kept
_AGAIN = 5.0  # seconds, at most, before a place whose stream failed is taken again
_SHOWN = 400  # bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """One answer that was not as it should be. What was asked is made up."""

    at: float
    kind: str
    endpoint: str
    streamed: bool
    outcome: Outcome
    status: int
    seconds: float
    end: str  # of the answer


@dataclass(slots=True)
class Seen:
    """What came of all requests."""

    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)  # by kind of request
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    first: list[float] = field(default_factory=list)  # seconds to the first byte of each usual stream
    bytes: int = 0

    def of(self, *wanted: Outcome) -> int:
        """How many requests ended in one of these ways."""
        return sum(count for (_, came), count in self.outcomes.items() if came in wanted)

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.outcomes.values())


class Driver:
    """Asks, until it is told to begin nothing more.

    ``disturbed``: whether the model server was killed since a moment of ``time.monotonic``.
    """

    def __init__(self, url: str, mix: Mix, seed: int, disturbed: Callable[[float], bool]) -> None:
        address = urlsplit(url)
        self._host, self._port = str(address.hostname), address.port or 80
        self._mix = mix
        self._seed = seed
        self._disturbed = disturbed
        self._ending = asyncio.Event()
        self._began = time.monotonic()
        self.open = 0  # streams
        self.seen = Seen()

    def end(self) -> None:
        """Begin nothing more; what is under way goes on."""
        self._ending.set()

    async def run(self, streams: int, rate: float, ramp: float) -> None:
        """Keep ``streams`` open, all of them after ``ramp`` seconds, and ask ``rate`` other questions a second."""
        async with asyncio.TaskGroup() as tasks:
            for place in range(streams):
                tasks.create_task(self._stream(place, ramp * place / streams))
            tasks.create_task(self._visits(rate))

    async def _stream(self, place: int, after: float) -> None:
        chance = random.Random(f"{self._seed} {place}")  # noqa: S311 - a test's choices
        await self._rest(after)
        while not self._ending.is_set():
            self.open += 1
            try:
                answer = await self._one(long(chance, self._mix))
            finally:
                self.open -= 1
            if answer.status != 200:
                again = float(answer.headers.get("retry-after", 0)) + chance.random() * _AGAIN
                await self._rest(again)

    async def _visits(self, rate: float) -> None:
        """Ask at a pace of its own, whether earlier questions are answered or not."""
        chance = random.Random(f"{self._seed} visits")  # noqa: S311
        async with asyncio.TaskGroup() as tasks:
            while rate and not self._ending.is_set():
                tasks.create_task(self._one(short(chance, self._mix)))
                await self._rest(chance.expovariate(rate))

    async def _rest(self, seconds: float) -> None:
        """As long, or until the end."""
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return

    async def _one(self, what: Ask) -> Answer:
        began = time.monotonic()
        answer = await ask(self._host, self._port, what.method, what.path, what.body, what.reading)
        self._note(what, answer, began)
        return answer

    def _note(self, what: Ask, answer: Answer, began: float) -> None:
        came = outcome(what, answer, disturbed=self._disturbed(began))
        seen = self.seen
        seen.outcomes[what.kind, came] += 1
        seen.statuses[answer.status] += 1
        seen.bytes += len(answer.body)
        if what.kind == "stream" and answer.first is not None:
            seen.first.append(answer.first)
        if came in FAULTS and len(seen.faults) < _KEPT:
            now = time.monotonic()
            end = answer.body[-_SHOWN:].decode("utf-8", "replace")
            seen.faults.append(
                Fault(round(now - self._began, 1), what.kind, what.endpoint, what.streamed, came, answer.status,
                      round(now - began, 2), end)
            )  # fmt: skip
