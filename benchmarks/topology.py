"""A service as it is deployed, as processes of this machine: proxies of several workers, one Postgres, a model server.

The model server is scripted, and light: what is measured is the proxy. It answers at once, or word by word.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

_STARTUP = 600.0
_FREE = 16  # connections that one may open until each worker has taken one


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running ``letheward serve``."""

    url: str
    key: str
    pid: int
    process: asyncio.subprocess.Process

    @property
    def headers(self) -> dict[str, str]:
        """The admin's."""
        return {"Authorization": f"Bearer {self.key}"}


def model(words: int, interval: float) -> Starlette:
    """A model server whose streams have so many words, one every ``interval`` seconds."""

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "m", "object": "model"}]})

    async def chat(request: Request) -> Response:
        if (await request.json()).get("stream"):
            return StreamingResponse(_stream(words, interval), media_type="text/event-stream")
        message = {"role": "assistant", "content": "It is not known."}
        return JSONResponse({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    return Starlette(routes=[Route("/v1/models", models), Route("/v1/chat/completions", chat, methods=["POST"])])


# Words of ordinary prose: of what looks like code, or a name, the guard of answers holds more back.
_SAID = "the weather is mild in spring and many people walk along the river with their friends at the weekend".split()


async def _stream(words: int, interval: float) -> AsyncIterator[bytes]:
    for i in range(words):
        delta = f'{{"choices":[{{"index":0,"delta":{{"content":"{_SAID[i % len(_SAID)]} "}}}}]}}'
        yield f"data: {delta}\n\n".encode()
        await asyncio.sleep(interval)
    yield b"data: [DONE]\n\n"


@asynccontextmanager
async def scripted(words: int = 20, interval: float = 0.02) -> AsyncIterator[str]:
    """The model server on a free port, in this process."""
    server = uvicorn.Server(uvicorn.Config(model(words, interval), host="127.0.0.1", port=0, log_level="critical"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def proxy(upstream: str, folder: Path, workers: int, store: str, **settings: str) -> AsyncIterator[Proxy]:
    """``letheward serve`` with its own cache folder, as on a host of its own.

    Raises:
        RuntimeError: it does not come up; the message ends with its log.
    """
    folder.mkdir(parents=True)  # noqa: ASYNC240 - a moment
    key, output = f"lw-admin-{secrets.token_urlsafe(24)}", folder / "serve.log"
    own = {"admin_key": key, "database_url": store, "workers": str(workers), "cache_dir": str(folder), "port": "0",
           "upstream": upstream, "sample_list": "false", "log_level": "warning"} | settings  # fmt: skip
    environment = os.environ | {f"LETHEWARD_{name.upper()}": value for name, value in own.items()}
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server.cli", "serve", stdout=file, stderr=file, env=environment,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield Proxy(await _announced(process, output), key, process.pid, process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 120)


async def _announced(process: asyncio.subprocess.Process, output: Path) -> str:
    deadline = time.monotonic() + _STARTUP
    while time.monotonic() < deadline and process.returncode is None:
        told = _told(output)
        if found := re.search(r"Point a client at +(\S+)/v1", told):
            return found[1]
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the proxy did not come up:\n{_told(output)[-3000:]}")


def _told(output: Path) -> str:
    return output.read_text(errors="replace")


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that one worker has accepted, and answers for as long as it is open."""

    worker: str
    client: httpx.AsyncClient

    async def ask(self, content: str, **fields: Any) -> httpx.Response:
        """A chat completion."""
        body = {"model": "m", "messages": [{"role": "user", "content": content}], "max_tokens": 4, **fields}
        return await self.client.post("/v1/chat/completions", json=body)


@asynccontextmanager
async def lines(place: Proxy, workers: int) -> AsyncIterator[list[Line]]:
    """One connection to each worker of a proxy.

    Raises:
        RuntimeError: some worker takes none.
    """
    found: dict[str, Line] = {}
    async with AsyncExitStack() as stack:
        for _ in range(_FREE * workers):
            limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=3600)
            client = httpx.AsyncClient(
                base_url=place.url, headers=place.headers, limits=limits, timeout=60, trust_env=False
            )
            await stack.enter_async_context(client)
            told = (await client.get("/admin/v1/workers")).raise_for_status().json()
            found.setdefault(told["answered_by"], Line(told["answered_by"], client))
            if len(found) == workers:
                yield list(found.values())
                return
        raise RuntimeError(f"only {len(found)} of {workers} workers take connections")


def memory(pid: int) -> float:
    """MiB that a process and its children hold, shared pages counted once (PSS)."""
    pids, found = [pid], 0
    while pids:
        own = pids.pop()
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        pids += map(int, children)
        found += int(re.search(r"^Pss: +(\d+)", Path(f"/proc/{own}/smaps_rollup").read_text(), re.M)[1])  # type: ignore[index]
    return found / 1024
