"""Clients that take their time: many connections that never finish asking, and some that never read."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from benchmarks.faults.scripted import CLEAN, events, raw, saying, until_closed
from benchmarks.hostile.case import ASKED, Attack, hostile

_MANY = 400
_HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_PATIENCE = 60.0  # seconds in which each must have been closed


async def _slow(attack: Attack, head: bytes, drop: bytes, name: str) -> None:
    """So many connections that send a few bytes a second; others are served, and these are closed."""
    host, _, port = attack.house.service.url.removeprefix("http://").partition(":")
    held = [await asyncio.open_connection(host, int(port)) for _ in range(_MANY)]
    ends = [asyncio.create_task(_end(reader)) for reader, _ in held]
    for _, writer in held:
        writer.write(head)
    began = time.monotonic()
    while time.monotonic() < began + _PATIENCE and not all(end.done() for end in ends):
        for end, (_, writer) in zip(ends, held, strict=True):
            if not end.done():
                writer.write(drop)
        await attack.post(ASKED, f"{name}: another client")
        await asyncio.sleep(0.5)
    left = sum(not end.done() for end in ends)
    for end, (_, writer) in zip(ends, held, strict=True):
        end.cancel()
        writer.close()
    attack.note(f"{_MANY - left} of {_MANY} closed")
    if left:
        attack.wrong.append(f"{name}: {left} connections were held for {_PATIENCE:.0f} s and more")


async def _end(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        await reader.read(-1)


@hostile("slowloris: 400 connections whose headers never end")
async def slow_headers(attack: Attack) -> None:
    """A header byte each half second."""
    await _slow(attack, _HEAD + b"X: ", b"a", "headers")


@hostile("400 connections whose bodies never end")
async def slow_bodies(attack: Attack) -> None:
    """A byte each half second."""
    await _slow(attack, _HEAD + b"Content-Length: 1000000\r\n\r\n{", b" ", "bodies")


@hostile("400 connections that never say a word")
async def silent(attack: Attack) -> None:
    """Nothing at all."""
    await _slow(attack, b"", b"", "silent")


@hostile("100 clients that never read their streams")
async def unread(attack: Attack) -> None:
    """Each is sent what fills every buffer; others are served."""
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
    many = events(CLEAN)[: -len(b"data: [DONE]\n\n")] * 2000
    attack.house.model.act = raw(until_closed(many), "hold")
    host, _, port = attack.house.service.url.removeprefix("http://").partition(":")
    held = [await asyncio.open_connection(host, int(port), limit=1024) for _ in range(100)]
    for _, writer in held:
        writer.write(_HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await asyncio.sleep(3)
    attack.house.model.act = saying(CLEAN)
    for _ in range(5):
        await attack.post(ASKED)
    for _, writer in held:
        writer.transport.abort()
