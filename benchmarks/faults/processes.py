"""The service's own processes killed, out of memory, or stopped while they answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from pathlib import Path

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import CLEAN, GUARDED, Exchange, chunked, events, saying


@fault("worker killed (kill -9), one of two, under load", own=True, settings={"workers": "2"})
async def worker_killed(house: House) -> None:
    """Those whose connection it held see it close; nobody else sees anything, and it is replaced."""
    house.closed = True
    worker = _workers(house)[0]
    asking = [asyncio.create_task(_again(house, 10)) for _ in range(4)]
    await asyncio.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    await asyncio.gather(*asking)
    await _replaced(house, worker)


async def _replaced(house: House, worker: int) -> None:
    deadline = asyncio.get_running_loop().time() + 60
    while len(now := _workers(house)) < 2 or worker in now:
        if asyncio.get_running_loop().time() > deadline:
            house.wrong.append("the worker was not replaced")
            return
        await asyncio.sleep(0.1)


async def _again(house: House, times: int) -> None:
    for i in range(times):
        await house.ask(GUARDED if i % 2 else "Hello")
        await house.change()


def _workers(house: House) -> list[int]:
    """Those that hold more than what keeps track of shared memory."""
    return [pid for pid in house.service.children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@fault("service killed (kill -9) while changes come in, and started again", own=True)
async def service_killed(house: House) -> None:
    """Whatever was acknowledged must be there."""
    house.closed = True
    for _ in range(3):
        changing = [asyncio.create_task(_changes(house)) for _ in range(4)]
        await asyncio.sleep(0.4)
        await house.service.end(signal.SIGKILL)
        for task in changing:
            task.cancel()
        await asyncio.gather(*changing, return_exceptions=True)
        await house.service.start()


async def _changes(house: House) -> None:
    while await house.change(5) == "change 201":
        pass


@fault("out of memory: the service may take no more (RLIMIT_AS)", own=True)
async def no_memory(house: House) -> None:
    """Large requests fail, or end the process; nothing may pass unjudged, and what is broken inside is replaced."""
    house.closed = True
    long = " ".join(f"word{i}" for i in range(8_000))
    for more in (8, 48, 160):  # MiB: where it fails is chance
        pid = house.service.pid
        limit = _pages(pid, 0) + (more << 20), resource.RLIM_INFINITY
        before = resource.prlimit(pid, resource.RLIMIT_AS, limit)
        await asyncio.gather(*(house.ask(f"{long} {GUARDED}") for _ in range(12)))
        await house.ask(GUARDED)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, before)
        await house.recovers()


@fault("out of memory: a worker of two may take no more (RLIMIT_AS)", own=True, settings={"workers": "2"})
async def worker_no_memory(house: House) -> None:
    """It ends by itself or is ended, and is replaced; meanwhile the other answers."""
    house.closed = True
    worker = _workers(house)[0]
    limit = _pages(worker, 0) + (48 << 20), resource.RLIM_INFINITY
    resource.prlimit(worker, resource.RLIMIT_AS, limit)
    long = " ".join(f"word{i}" for i in range(8_000))
    for _ in range(4):
        await asyncio.gather(*(house.ask(f"{long} {GUARDED}") for _ in range(12)))
        if worker not in _workers(house):
            break
    else:
        os.kill(worker, signal.SIGTERM)  # what failed in it left it well; it is to give its memory back all the same
    await _replaced(house, worker)


@fault("out of memory: the kernel kills a worker of two", own=True, settings={"workers": "2"})
async def killed_for_memory(house: House) -> None:
    """The kernel's way is SIGKILL, here to the larger of the two, in the middle of a large request."""
    house.closed = True
    long = " ".join(f"word{i}" for i in range(8_000))
    asking = [asyncio.create_task(house.ask(f"{long} {GUARDED}")) for _ in range(4)]
    await asyncio.sleep(0.2)
    largest = max(_workers(house), key=lambda pid: _pages(pid, 1))
    os.kill(largest, signal.SIGKILL)
    await asyncio.gather(*asking)


@fault("service frozen for some seconds (SIGSTOP), then going on", own=True)
async def frozen(house: House) -> None:
    """As a machine is that is moved, or swaps."""
    asking = [asyncio.create_task(_again(house, 3)) for _ in range(3)]
    await asyncio.sleep(0.05)
    os.kill(house.service.pid, signal.SIGSTOP)
    await asyncio.sleep(4)
    os.kill(house.service.pid, signal.SIGCONT)
    await asyncio.gather(*asking)


@fault("service told to stop (SIGTERM) in the middle of a stream", own=True)
async def stopped(house: House) -> None:
    """What runs comes to its end."""
    began = asyncio.Event()

    async def act(exchange: Exchange) -> None:
        response = chunked(events(CLEAN))
        await exchange.send(response[:300])
        began.set()
        await asyncio.sleep(1)
        await exchange.send(response[300:])

    house.model.act = act
    asking = asyncio.create_task(house.ask(stream=True))
    await began.wait()
    await house.service.end()
    if await asking != "200 whole stream":
        house.wrong.append(f"the stream: {asking.result()}")
    house.model.act = saying(CLEAN)
    await house.service.start()


def _pages(pid: int, column: int) -> int:
    """Bytes of a process: 0 is its whole address space, 1 what is in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[column]) * resource.getpagesize()
