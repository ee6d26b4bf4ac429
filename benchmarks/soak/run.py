"""One run: the service started, put under load, disturbed, and told to stop while streams are open."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from benchmarks.leaks.canaries import CANARIES
from benchmarks.soak.churn import LIST, Churn
from benchmarks.soak.driver import Driver
from benchmarks.soak.log import read_log
from benchmarks.soak.model import Model
from benchmarks.soak.result import Ended, Result, Spec
from benchmarks.soak.sampling import Sampler
from benchmarks.soak.traffic import Mix
from benchmarks.topology import Proxy, proxy

POLICIES = ("refuse", "template", "dragon", "icul")  # a list and a canary each; ECO needs a model's weights
_SAMPLES = 360  # at most, of a run
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_SETTLE = 1.0  # seconds between the last request's beginning and SIGTERM: what was sent was taken by then

Progress = Callable[[Driver, Sampler], object]


async def soak(spec: Spec, folder: Path, progress: Progress) -> Result:
    """Make a run; SIGINT or SIGTERM ends its load early. ``progress`` is called every second."""
    mix = Mix(spec.words, spec.interval)
    model = Model(spec.interval)
    await model.start()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stopping.set)
    home = folder / "proxy"
    settings = {"shutdown_timeout": str(2 * mix.longest + 60)}
    try:
        async with proxy(model.url, home, spec.workers, f"sqlite:///{folder}/lists.db", **settings) as place:
            await _lists(place)
            return await _loaded(spec, mix, model, place, home / "serve.log", stopping, progress)
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
        await model.stop()


async def _lists(place: Proxy) -> None:
    async with httpx.AsyncClient(base_url=place.url, headers=place.headers, timeout=120, trust_env=False) as admin:
        for policy, canary in zip(POLICIES, CANARIES, strict=True):
            entry = {"subject": canary.subject, "question": canary.question, "answer": canary.answer,
                     "scope": "subject"}  # fmt: skip
            (await admin.put(f"/admin/v1/lists/{policy}", json={"policy": policy})).raise_for_status()
            path = f"/admin/v1/lists/{policy}/entries?wait=all"
            (await admin.post(path, json={"entries": [entry]})).raise_for_status()
        (await admin.put(f"/admin/v1/lists/{LIST}?wait=all", json={"policy": "refuse"})).raise_for_status()


async def _loaded(
    spec: Spec, mix: Mix, model: Model, place: Proxy, log: Path, stopping: asyncio.Event, progress: Progress
) -> Result:
    driver = Driver(place.url, mix, spec.seed, model.disturbed)
    sampler = Sampler(place, lambda: {"model": model.pid, "clients": os.getpid()}, lambda: driver.open)
    churn = Churn(place, random.Random(f"{spec.seed} churn"))  # noqa: S311 - a test's choices
    began, zero = time.time(), time.monotonic()
    async with _beside(sampler.watch(max(1.0, spec.seconds / _SAMPLES))):
        load = asyncio.create_task(driver.run(spec.streams, spec.rate, spec.ramp))
        async with _beside(churn.go_on(spec.churn), _restarts(model, spec)):
            while sampler.seconds < spec.seconds and not stopping.is_set() and not load.done():
                progress(driver, sampler)
                await asyncio.sleep(min(1.0, max(0.0, spec.seconds - sampler.seconds)))
        stopped_at = sampler.seconds
        driver.end()
        await asyncio.sleep(_SETTLE)
        ended = await _stopped(place, driver, load)
    restarts = [each - zero for each in model.restarts]
    return Result(spec, began, stopped_at, stopping.is_set(), sampler.samples, driver.seen, churn.churned, restarts,
                  ended, read_log(log))  # fmt: skip


async def _restarts(model: Model, spec: Spec) -> None:
    for _ in range(spec.restarts):
        await asyncio.sleep(spec.seconds / (spec.restarts + 1))
        await asyncio.shield(asyncio.ensure_future(model.restart()))


async def _stopped(place: Proxy, driver: Driver, load: asyncio.Task[None]) -> Ended:
    """Tell the service to stop while streams are open, and see them end."""
    opened, since = driver.open, time.monotonic()
    place.process.send_signal(signal.SIGTERM)
    await load
    try:
        status = await asyncio.wait_for(place.process.wait(), 60)
    except TimeoutError:
        status = None
        place.process.kill()
    return Ended(opened, time.monotonic() - since, status)


@asynccontextmanager
async def _beside(*work: object) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(each) for each in work]  # type: ignore[call-overload]
    try:
        yield
    finally:
        failed = [task for task in tasks if task.done() and not task.cancelled() and task.exception()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                if task not in failed:
                    await task
    for task in failed:
        await task
