"""One serving process: its parts put together, and uvicorn over them, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from server.assembly import Parts, Shared, assemble
from server.bounded_http import BoundedHttp
from server.config import load_settings
from server.lag import watch_loop
from server.last_resort import Exhausted, LastResort
from server.metrics import Metrics
from server.reloading import Reloading
from server.settings import Settings
from server.settling import keep_settling
from server.upstream import Upstream
from server.upstream_pool import Endpoint, Locate, Pool

_KEEP_ALIVE = 75  # seconds
_SWITCH = 0.0005  # seconds after which a thread that computes lets the event loop go on; Python's own is ten times that
_COLLECT = (700, 10, 200)  # the last is Python's times twenty: see ``settling``
_CONNECTIONS = 1 << 20  # to model servers: no bound, for the number of requests has one, which can be changed
_MORE = 10  # seconds beyond running answers' own limit before a worker that gave up is killed
_KEEP_METRICS = 1.0  # seconds between what the other workers can show of this one's metrics


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker serves. It travels to another process, so it holds nothing that lives in one.

    ``sockets`` listen already, and every worker accepts from them. ``folder``: the model's tokenizer and weights.
    ``options``: those of the command line, which go before a file that changes. ``shared``: with all workers.
    """

    settings: Settings
    endpoints: tuple[Endpoint, ...]
    folder: Path | None
    sockets: tuple[socket.socket, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    shared: Shared = field(default_factory=Shared)


async def prepared(job: Job, name: str | None = None, locate: Locate | None = None) -> Parts:
    """A worker's parts; ``locate`` stands in for the job's endpoints where the model server comes and goes.

    Raises:
        StoreError: the lists cannot be read.
        ValueError: a setting names what is not there.
    """
    return await asyncio.to_thread(assemble, job.settings, _upstream(job, locate), job.folder, name, job.shared)


def heed_stop(serving: asyncio.Event) -> None:
    """Have SIGTERM cancel this task until ``serving``: what starts must not stay behind.

    From then on uvicorn hears it, lets running answers end, and says it again: nothing may die of that before all is
    put in order.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine

    def stop() -> None:
        if not serving.is_set():
            task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)


async def serve_parts(parts: Parts, job: Job, up: Callable[[], None]) -> None:
    """Serve until a signal says to stop; calls ``up`` when requests are accepted.

    Raises:
        Exhausted: it is out of memory, or broken inside.
    """
    exhausted = False

    def give_up() -> None:
        nonlocal exhausted
        if not exhausted:
            signal.alarm(round(job.settings.shutdown_timeout) + _MORE)  # what is broken inside may not come to its end
        server.should_exit = exhausted = True

    sys.setswitchinterval(_SWITCH)
    gc.set_threshold(*_COLLECT)
    _allow_files()
    config = uvicorn.Config(
        LastResort(parts.app, give_up, lambda: _encode(parts)), log_config=None, log_level="warning",
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=round(job.settings.shutdown_timeout), http=BoundedHttp, ws="none",
        # By default uvicorn believes whoever comes from loopback, who then has as many addresses as he likes.
        proxy_headers=bool(job.settings.trusted_proxies), forwarded_allow_ips=list(job.settings.trusted_proxies),
    )  # fmt: skip
    server = uvicorn.Server(config)
    parts.app.state.stopping = lambda: server.should_exit  # what takes minutes ends then, and goes on later
    beside = [asyncio.create_task(_when_started(server, up))]
    upstream = parts.upstreams[0]
    if upstream.pool.several:
        await upstream.look()
        beside.append(asyncio.create_task(upstream.watch(job.settings.upstream_check)))
    await asyncio.to_thread(parts.workers.start)
    metrics = parts.proxy.metrics
    hot = parts.hot(job.settings)
    reloading = Reloading(job.settings, lambda: load_settings(job.options), hot, metrics.config_valid)
    beside.append(asyncio.create_task(reloading.watch()))
    beside.append(asyncio.create_task(watch_loop(metrics)))
    beside.append(asyncio.create_task(keep_settling(parts.settling, lambda: parts.proxy.admission.open == 0)))
    if job.shared.metrics is not None:
        beside.append(asyncio.create_task(_kept(metrics)))
    try:
        await server.serve(list(job.sockets))
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    if exhausted:
        raise Exhausted


def listening(host: str, port: int) -> tuple[socket.socket, ...]:
    """Bound sockets for every address of ``host``; 0 takes one free port for all.

    Raises:
        OSError: an address is in use, or is not this machine's.
    """
    made: list[socket.socket] = []
    try:
        for family, address in _addresses(host):
            # The protocol is named, as else asyncio does not know that its connections are TCP, and leaves Nagle's
            # algorithm on: the second piece of an answer then waits 40 ms for a client that acknowledges late.
            sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            made.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((address, port))
            port = sock.getsockname()[1]
    except OSError as error:
        for sock in made:
            sock.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return tuple(made)


def _addresses(host: str) -> Sequence[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    usual = [(family, str(address[0])) for family, *_, address in found if family in (socket.AF_INET, socket.AF_INET6)]
    return sorted(set(usual), key=usual.index)


def _upstream(job: Job, locate: Locate | None) -> Upstream:
    where = locate or Pool.over(job.endpoints)
    settings = job.settings
    return Upstream(
        where,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_connections=_CONNECTIONS,
    )


def _encode(parts: Parts) -> None:
    parts.manager.current.detector.setup.encoder.encode(["Does it still work?"])


def _allow_files() -> None:
    """As many as the system lets this process have: each answer under way holds two sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _kept(metrics: Metrics) -> None:
    while True:
        await asyncio.to_thread(metrics.keep)
        await asyncio.sleep(_KEEP_METRICS)


async def _when_started(server: uvicorn.Server, up: Callable[[], None]) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    up()
