"""Connections to the model server that are refused, hang, or are there for one side alone."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import CLEAN, TELLING, Exchange, chunked, events, raw, saying


@fault("model server gone, then back on its port")
async def refused(house: House) -> None:
    """Nobody listens."""
    await house.model.stop()
    for stream in (False, True):
        await house.ask(stream=stream)
    await house.change()
    await house.model.start()


@fault("model server that takes the request and never answers")
async def silent(house: House) -> None:
    """Until the proxy's own patience ends."""
    house.model.act = raw(b"", "hold")
    await asyncio.gather(*(house.ask(stream=stream) for stream in (False, True) for _ in range(4)))


@fault("half-open: stream that stops after some words, its connection open")
async def stalled(house: House) -> None:
    """Of a clean stream and of one that tells."""
    for pieces in (CLEAN, TELLING):
        response = chunked(events(pieces))
        for part in (2, 3):
            house.model.act = raw(response[: len(response) * part // 4], "hold")
            await house.ask(stream=True)


@fault("half-open: headers that stop in the middle")
async def half_headers(house: House) -> None:
    """The status line alone, and half a header."""
    for said in (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Ty"):
        house.model.act = raw(said, "hold")
        await house.ask()


@fault("model server that closes its idle connections between requests")
async def idle_closed(house: House) -> None:
    """Politely (FIN) and not (RST): the pool must notice before it uses one."""
    for _ in range(5):
        await house.ask()
        house.model.drop()
        await asyncio.sleep(0.05)
        await house.ask()


@fault("model server whose pooled connections die without a word")
async def idle_dead(house: House) -> None:
    """It resets at the first byte of the next request on each: one error for each at most, and never twice."""

    async def act(exchange: Exchange) -> None:
        exchange.reset()

    await asyncio.gather(*(house.ask() for _ in range(4)))
    house.model.act = act
    await asyncio.gather(*(house.ask() for _ in range(4)))
    house.model.act = saying(CLEAN)
    await house.ask()


@fault("model server whose queue of connections is full (SYN unanswered)", own=True)
async def unreachable(house: House) -> None:
    """As where a host is gone: nothing refuses, nothing answers."""
    port = int(house.model.url.rpartition(":")[2])
    await house.model.stop()
    with socket.socket() as full:
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind(("127.0.0.1", port))
        full.listen(0)
        held = []
        for _ in range(4):  # until no more are taken
            sock = socket.socket()
            sock.setblocking(False)
            with suppress(BlockingIOError):
                sock.connect(("127.0.0.1", port))
            held.append(sock)
        await house.ask()
        await house.ask(stream=True)
        for sock in held:
            sock.close()
    await house.model.start()
