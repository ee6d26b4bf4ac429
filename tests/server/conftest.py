"""The proxy on a real socket before a scripted upstream, where tests need faults or exact bodies.

Scripted, not vLLM: these tests need an upstream that breaks, stalls or repeats what it was sent. What
vLLM makes of the requests is tested in tests/e2e.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from classifiers.registry import create_encoder
from classifiers.types import Encoder
from guard.eco import Eco
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Store
from guard.verification.signing import Signer
from server.access.principal import reveals
from server.access.setup import AccessConfig
from server.app import create_app
from server.clients import Client
from server.eco_fitting import Fitting
from server.metrics import Metrics
from server.proxy import Proxy, ProxyConfig
from server.tracing import NO_TRACING, Tracing
from server.upstream import Endpoint, Upstream
from server.verifying import Verifying, add_verifying
from server.verifying.alerts import Alerts

ADMIN_KEY = "test-admin-key"


@dataclass
class Script:
    """What the upstream was sent, and how it behaves."""

    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    text: str = "It is not known."
    texts: list[str] = field(default_factory=list)  # of the next answers, before ``text``
    pieces: list[str] = field(default_factory=list)  # of a stream; else the words of its text
    spaced: bool = False  # the words of a stream keep their spaces
    answer: dict[str, Any] | None = None  # a whole answer in place of the usual
    sent: list[bytes] = field(default_factory=list)  # the answers
    echo_errors: bool = False  # an error repeats the request
    stall: bool = False
    break_stream: bool = False
    hold_stream: bool = False
    started: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> Any:
        return self.bodies[-1]


def scripted(script: Script) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "m", "object": "model", "created": 0, "owned_by": "vllm"}]}

    @app.post("/{rest:path}")
    async def answer(rest: str, request: Request) -> Response:
        body = orjson.loads(await request.body())
        script.bodies.append(body)
        script.headers.append(dict(request.headers))
        script.started.set()
        if script.status != 200:
            told = str(body) if script.echo_errors else "scripted"
            return JSONResponse({"error": {"message": told, "code": script.status}}, script.status)
        if script.stall:
            try:
                while not await request.is_disconnected():  # noqa: ASYNC110 - a scripted stall
                    await asyncio.sleep(0.01)
            finally:
                script.cancelled.set()
        if script.answer is not None and not body.get("stream"):
            return JSONResponse(script.answer)
        text = script.texts.pop(0) if script.texts else script.text
        if body.get("stream"):
            return StreamingResponse(_stream(script, text), media_type="text/event-stream")
        said = {"text": text} if rest == "v1/completions" else {"message": {"role": "assistant", "content": text}}
        answer = JSONResponse({"id": "1", "choices": [{"index": 0, **said, "finish_reason": "stop"}]})
        script.sent.append(bytes(answer.body))
        return answer

    return app


async def _stream(script: Script, text: str) -> AsyncIterator[bytes]:
    script.sent.append(b"")
    try:
        for i, word in enumerate(script.pieces or (re.findall(r"\S+\s*", text) if script.spaced else text.split())):
            event = b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}) + b"\n\n"
            script.sent[-1] += event
            yield event
            if i == 0 and script.break_stream:
                raise ConnectionError("scripted")
            while i == 0 and script.hold_stream and not script.release.is_set():  # noqa: ASYNC110 - released from another thread
                await asyncio.sleep(0.01)
        script.sent[-1] += b"data: [DONE]\n\n"
        yield b"data: [DONE]\n\n"
    except (asyncio.CancelledError, GeneratorExit):
        script.cancelled.set()
        raise


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve ``app`` on a free loopback port."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return create_encoder("minilm-int8")


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    yield script
    script.release.set()


@pytest.fixture
def manager(tmp_path: Path, encoder: Encoder) -> SnapshotManager:
    manager = SnapshotManager(Store.open(f"sqlite:///{tmp_path}/lists.db"), encoder)
    manager.change(lambda s: s.put_list(ForgetList("facts")))
    entry = Entry("zp", "facts", subject="Zorvan Pelk", answer="Karachi", scope="subject")
    manager.change(lambda s: s.add_entries("facts", [entry]))
    return manager


@dataclass
class House:
    """A running proxy and what stands behind it."""

    url: str
    script: Script
    manager: SnapshotManager
    client: httpx.Client

    def chat(self, content: Any, **fields: Any) -> httpx.Response:
        body = {"model": "m", "messages": [{"role": "user", "content": content}], **fields}
        return self.client.post("/v1/chat/completions", json=body)

    def policy(self, policy: str, **fields: Any) -> None:
        self.manager.change(lambda s: s.put_list(ForgetList("facts", policy=policy, **fields)))  # type: ignore[arg-type]


Build = Callable[..., Any]


@pytest.fixture
def build(manager: SnapshotManager, checkpoint: Path, script: Script, tmp_path: Path) -> Build:
    """Starts a proxy with changed settings; to be used as a context."""

    @contextmanager
    def start(
        *, client_keys: tuple[str, ...] = (), clients: tuple[Client, ...] = (), routes: tuple[str, ...] = (),
        access: AccessConfig | None = None,
        eco: bool = True, upstream_url: str | None = None,
        read_timeout: float = 20, metrics_public: bool = False, window: int = 1000,
        tracing: Tracing = NO_TRACING, require_if_match: bool = False, documents_by_model: bool = False, **config: Any,
    ) -> Iterator[House]:  # fmt: skip
        with running(scripted(script)) as url:
            endpoint = Endpoint(upstream_url or url, "inner-key")
            upstream = Upstream(lambda: endpoint, connect_timeout=2, read_timeout=read_timeout)
            rows = Eco(checkpoint) if eco else None
            proxy = Proxy(
                manager, upstream, eco=rows, reveal=reveals, config=ProxyConfig(**config),
                metrics=Metrics(manager, enforcing=config.get("enforce", True), window=window), tracing=tracing,
            )  # fmt: skip
            app = create_app(
                proxy=proxy, upstream=upstream, manager=manager, routes=routes,
                access=access or AccessConfig(ADMIN_KEY, (*map(Client, client_keys), *clients)),
                max_body_bytes=1_000_000, metrics_public=metrics_public,
                fitting=Fitting(manager, proxy.judge, upstream, rows, tmp_path / "eco-fits"),
                require_if_match=require_if_match, documents_by_model=documents_by_model,
            )  # fmt: skip
            signer = Signer.of_file(tmp_path / "signing.key", make=True)
            add_verifying(app, Verifying(manager, proxy, signer, Alerts(signer)))
            with running(app) as front, httpx.Client(base_url=front, timeout=30) as client:
                yield House(front, script, manager, client)

    return start


@pytest.fixture
def house(build: Build) -> Iterator[House]:
    with build() as house:
        yield house


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(house: House, tmp_path: Path) -> Run:
    """The command line against the running proxy."""
    return command_line(house.url, tmp_path)


def command_line(url: str, home: Path, timeout: float = 60) -> Run:
    """The command line against a proxy."""

    def command(*arguments: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {"LETHEWARD_URL": url, "LETHEWARD_ADMIN_KEY": ADMIN_KEY, "HOME": str(home)}
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *arguments],
            env=environment, input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return command
