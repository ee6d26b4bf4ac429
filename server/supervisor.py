"""Several workers on one socket: started together, replaced when they die, stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import structlog
import uvloop

from guard.presence import sign_off
from guard.store import Store, StoreError
from server.logs import configure
from server.managed import die_with_parent
from server.worker import Job, heed_stop, prepared, serve_parts
from server.workers import worker_id

log = structlog.get_logger("letheward.supervisor")

_BACK_OFF = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_STEADY = 60.0  # seconds up after which a death counts as the first again
_MORE = 5.0  # seconds beyond the workers' own limit before they are killed


class WorkerFailed(RuntimeError):
    """A worker did not come up."""


class Supervisor:
    """Runs ``job`` in ``count`` processes.

    They accept from the same sockets, so that one that dies loses no connections but those that it had.
    """

    def __init__(self, job: Job, count: int) -> None:
        self._job = job
        self._count = count
        self._context = get_context("spawn")  # forked copies of native threads would not run
        self._running: dict[int, SpawnProcess] = {}
        self._names: dict[int, str] = {}
        self._stopping = asyncio.Event()
        self._signal = 0

    async def run(self, up: Callable[[], None]) -> int:
        """Serve until SIGINT or SIGTERM; returns which. ``up`` is called when every worker accepts requests.

        Raises:
            WorkerFailed: one ended while it started, for the first time.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._tell, signal.SIGHUP)
        keepers: list[asyncio.Task[None]] = []
        try:
            await asyncio.gather(*(self._start(i) for i in range(self._count)))
            keepers = [asyncio.create_task(self._keep(i)) for i in range(self._count)]
            up()
            await self._stopping.wait()
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await self._end()
        return self._signal

    def _stop(self, number: int) -> None:
        if self._stopping.is_set():  # said twice: at once
            self._tell(signal.SIGKILL)
        self._signal = number
        self._stopping.set()

    def _tell(self, number: int) -> None:
        for process in self._running.values():
            if process.is_alive() and process.pid is not None:
                with contextlib.suppress(ProcessLookupError):  # a thread that waits for it was told first that it ended
                    os.kill(process.pid, number)

    async def _start(self, index: int) -> None:
        """Start a worker and wait until it serves, or the whole is stopped."""
        heard, told = self._context.Pipe(duplex=False)
        name = worker_id()
        process = self._context.Process(target=run_worker, args=(self._job, name, told), name=f"letheward-{index}")
        process.start()
        self._running[index], self._names[index] = process, name
        told.close()
        try:
            await _either(_readable(heard.fileno()), self._stopping)
            up = heard.poll() and _received(heard)
        finally:
            heard.close()
        if not up and not self._stopping.is_set():
            await asyncio.to_thread(process.join)
            raise WorkerFailed(f"a worker ended with status {process.exitcode} while it started; its message is above")
        log.info("worker_up", worker=index, pid=process.pid)

    async def _keep(self, index: int) -> None:
        """Replace a worker whenever it dies."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            process, since = self._running[index], loop.time()
            await _readable(process.sentinel)
            process.join()
            failures = 0 if loop.time() - since > _STEADY else failures
            pause = _BACK_OFF[min(failures, len(_BACK_OFF) - 1)]
            failures += 1
            await asyncio.to_thread(self._sign_off, self._names[index])
            log.error("worker_died", worker=index, pid=process.pid, status=process.exitcode, restart_in=pause)
            await asyncio.sleep(pause)
            try:
                await self._start(index)
            except WorkerFailed as error:
                log.error("worker_restart_failed", worker=index, error=str(error))

    def _sign_off(self, name: str) -> None:
        """For a worker that could not: nobody is to wait for it."""
        try:
            store = Store.open(self._job.settings.store_url)
            try:
                sign_off(store, [name])
            finally:
                store.close()
        except StoreError as error:
            log.warning("not_signed_off", worker=name, error=str(error))

    async def _end(self) -> None:
        self._tell(signal.SIGTERM)
        limit = self._job.settings.shutdown_timeout + _MORE
        ended = [asyncio.to_thread(p.join, limit) for p in self._running.values()]
        await asyncio.gather(*ended)
        self._tell(signal.SIGKILL)


def run_worker(job: Job, name: str, told: Connection) -> None:
    """The whole life of a worker's process."""
    die_with_parent()
    os.setsid()  # Ctrl-C is for the parent, which tells its workers
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # for those that do not listen for it
    configure(job.settings.log_level)
    try:
        uvloop.run(_work(job, name, told))
    except (RuntimeError, OSError, ValueError) as error:
        sys.stderr.write(f"letheward: a worker failed: {error}\n")
        raise SystemExit(1) from error
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise SystemExit(0) from None


async def _work(job: Job, name: str, told: Connection) -> None:
    serving = asyncio.Event()
    heed_stop(serving)
    parts = await prepared(job, name)

    def up() -> None:
        serving.set()
        told.send_bytes(b"up")

    try:
        await serve_parts(parts, job, up)
    finally:
        await parts.close()


def _received(heard: Connection) -> bool:
    try:
        return heard.recv_bytes() == b"up"
    except EOFError:
        return False


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def _either(first: object, event: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(first), asyncio.create_task(event.wait())]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
