"""What the processes hold and do, looked at all the time: memory, files, processor, and the proxy's own figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.topology import Proxy

_LAG = "letheward_event_loop_lag_seconds_bucket"
_STALLS = "letheward_event_loop_stalls_total"
_NUMBERS = ("letheward_requests_in_flight", "letheward_judging_waiting", "letheward_entries", "letheward_revision")
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """One process at one moment."""

    rss: float  # MiB
    files: int
    threads: int
    cpu: float  # seconds since it began


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. ``processes``: by name and id; ``lag``: how many looks at the event loops were at most so late."""

    at: float  # seconds since the beginning
    streams: int
    processes: Mapping[str, Held]
    numbers: Mapping[str, float] = field(default_factory=dict)
    lag: Mapping[float, float] = field(default_factory=dict)
    stalls: Mapping[str, float] = field(default_factory=dict)


class Sampler:
    """Takes samples. ``roots``: named processes; of ``proxy`` its workers, each by itself."""

    def __init__(self, proxy: Proxy, roots: Callable[[], Mapping[str, int]], streams: Callable[[], int]) -> None:
        self._proxy = proxy
        self._roots = roots
        self._streams = streams
        self._began = time.monotonic()
        self._several = False
        self.samples: list[Sample] = []

    async def watch(self, every: float) -> None:
        """Look until cancelled."""
        async with httpx.AsyncClient(
            base_url=self._proxy.url, headers=self._proxy.headers, timeout=30, trust_env=False
        ) as admin:
            while True:
                self.samples.append(await self._sample(admin))
                await asyncio.sleep(every)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    async def _sample(self, admin: httpx.AsyncClient) -> Sample:
        at, streams = self.seconds, self._streams()
        processes = self._processes()
        try:
            text = (await admin.get("/metrics")).raise_for_status().text
        except httpx.HTTPError:
            return Sample(at, streams, processes)
        return Sample(at, streams, processes, *_read(text))

    def _processes(self) -> dict[str, Held]:
        named = {f"{name} {pid}": pid for name, pid in self._roots().items()}
        try:
            children = psutil.Process(self._proxy.pid).children()
        except psutil.NoSuchProcess:
            return {}
        # Of several workers the one above them only keeps them; it and multiprocessing's tracker serve nobody.
        workers = [c.pid for c in children if _is_worker(c)]
        self._several = self._several or bool(workers)  # which end before the one above them does
        workers = workers if self._several else [self._proxy.pid]
        named |= {f"proxy {pid}": pid for pid in workers}
        return {name: held for name, pid in named.items() if (held := _held(pid)) is not None}


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _held(pid: int) -> Held | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            cpu = process.cpu_times()
            rss = process.memory_info().rss / _MIB
            return Held(round(rss, 2), process.num_fds(), process.num_threads(), round(cpu.user + cpu.system, 2))
    except psutil.Error:
        return None


def _read(text: str) -> tuple[dict[str, float], dict[float, float], dict[str, float]]:
    numbers: dict[str, float] = {}
    lag: dict[float, float] = {}
    stalls: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == _LAG:
                lag[float(sample.labels["le"])] = sample.value
            elif sample.name == _STALLS:
                stalls[sample.labels["cause"]] = sample.value
            elif sample.name in _NUMBERS:
                name = sample.name.removeprefix("letheward_")
                numbers[name] = numbers.get(name, 0.0) + sample.value
    return numbers, lag, stalls
