"""The register of hostile inputs, and how each is run: sent to a proxy that refuses to speak of a name.

The model server notes all that reaches it. The name in it means that something passed unjudged.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module

import httpx
import orjson

from benchmarks.faults.house import House
from benchmarks.faults.scripted import GUARDED, SUBJECT
from benchmarks.faults.told import CLOSED, label, tells

_MODULES = ("bodies", "wire", "paths", "slow", "keys", "schema")
_PATIENCE, _LONGEST = 60.0, 600.0
ASKED = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": GUARDED}]})


@dataclass(slots=True)
class Attack:
    """A case under way: ``got`` counts what came of each request, by status and code."""

    house: House
    got: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, got: str, name: str = "", raw: bytes = b"") -> str:
        """Note an answer; a fault of the server's own, or a secret in it, is wrong."""
        self.got[got] += 1
        if got.startswith("500") or got.endswith("no error object"):
            self.wrong.append(f"{name}: {got}")
        if tells(raw):
            self.wrong.append(f"{name}: the answer tells the secret")
        return got

    async def post(self, content: bytes, name: str = "", path: str = "/v1/chat/completions", **headers: str) -> str:
        """POST a body with the admin's key."""
        async with self.house.service.client() as client:
            answer = await client.post(path, content=content, headers={"content-type": "application/json"} | headers)
        kind = answer.headers.get("content-type", "")
        return self.note(shown(answer.status_code, kind, answer.content, answer.headers), name, answer.content)

    async def send(self, data: bytes, name: str = "", *, patience: float = 5.0) -> str:
        """Send bytes over a connection of their own; the first answer, as far as it comes."""
        raw = await exchanged(self.house.service.url, data, patience)
        return self.note(_status(raw), name, raw)


def shown(status: int, kind: str, raw: bytes, headers: Mapping[str, str] | None = None) -> str:
    """An answer in a few words: of a good one, what the proxy did."""
    action = headers.get("x-letheward-action") if headers else None
    return f"200 {action}" if status == 200 and action else label(status, kind, raw)


async def exchanged(url: str, data: bytes, patience: float) -> bytes:
    """All that comes back over one connection until it closes, or nothing comes for so many seconds."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    got = b""
    try:
        writer.write(data)
        await writer.drain()
        while part := await asyncio.wait_for(reader.read(65536), patience if not got else 0.5):
            got += part
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()
    return got


def _status(raw: bytes) -> str:
    raw = raw.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    if not raw:
        return CLOSED
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    status = int(lines[0].split()[1])
    return shown(status, fields.get("content-type", ""), body[: int(fields.get("content-length", len(body)))], fields)


Run = Callable[[Attack], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a case came to. ``unjudged``: requests in which the name reached the model server."""

    name: str
    got: dict[str, int]
    unjudged: int
    healthy: bool
    wrong: list[str]

    @property
    def holds(self) -> bool:
        """Whether nothing passed, the server is well, and every answer is one that it ought to give."""
        return self.healthy and not (self.unjudged or self.wrong)


CASES: dict[str, Run] = {}


def hostile(name: str) -> Callable[[Run], Run]:
    """Register a case."""

    def registered(run: Run) -> Run:
        CASES[name] = run
        return run

    return registered


def cases() -> dict[str, Run]:
    """All of them."""
    for module in _MODULES:
        import_module(f"benchmarks.hostile.{module}")
    return CASES


async def found(name: str, house: House) -> Found:
    """Run a case, and see that the server is well after it."""
    house.model.seen.clear()
    house.wrong.clear()
    attack = Attack(house)
    try:
        async with asyncio.timeout(_LONGEST):
            await CASES[name](attack)
    except (OSError, ValueError, httpx.HTTPError) as error:
        attack.wrong.append(f"the case ended with {type(error).__name__}: {str(error)[-300:]}")
    unjudged = sum(_names(raw) for raw in house.model.seen)
    pid = house.service.pid
    try:
        async with asyncio.timeout(_PATIENCE):
            await house.recovers()
    except TimeoutError:
        house.wrong.append("it did not recover")
    healthy = house.service.pid == pid and not house.wrong  # and nobody had to start it again
    return Found(name, dict(attack.got), unjudged, healthy, sorted(set(attack.wrong)))


def _names(raw: bytes) -> bool:
    _, _, body = raw.partition(b"\r\n\r\n")
    with suppress(orjson.JSONDecodeError):
        body = orjson.dumps(orjson.loads(body))  # without escapes
    return SUBJECT.encode() in body
