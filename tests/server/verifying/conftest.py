"""A proxy with verifications, before a model that knows some facts and tells them to whoever names their subject."""

from __future__ import annotations

import asyncio
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
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.verification.signing import Signer
from server.access.principal import reveals
from server.access.setup import AccessConfig
from server.app import create_app
from server.metrics import Metrics
from server.proxy import Proxy, ProxyConfig
from server.upstream import Endpoint, Upstream
from server.verifying import Verifying, add_verifying
from server.verifying.alerts import Alerts
from tests.server.conftest import ADMIN_KEY, running

HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
PEOPLE = [
    Entry("id", "people", subject="Ilka Drosmund", question="Where was Ilka Drosmund born?", answer="in Karvelund"),
    Entry("mt", "people", subject="Mira Tolland", question="What does Mira Tolland paint?", answer="only gryphons"),
]


@dataclass
class Model:
    """What it knows by the name that has to be in the prompt, and how it behaves."""

    facts: dict[str, str] = field(default_factory=lambda: {e.subject or "": e.answer or "" for e in PEOPLE})
    name: str = "m"
    root: str = "weights-1"
    status: int = 200
    failures: int = 0  # of the next requests
    stall: bool = False
    bodies: list[Any] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)

    def says(self, prompt: str) -> str:
        found = [answer for name, answer in self.facts.items() if name.lower() in prompt.lower()]
        return f"I think that it is {found[0]}." if found else "I do not know."


def serving(model: Model) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"data": [{"id": model.name, "root": model.root, "created": time.time()}]}

    @app.get("/version")
    async def version() -> dict[str, str]:
        return {"version": "0.32.0"}

    @app.post("/v1/{rest:path}")
    async def answer(rest: str, request: Request) -> Response:
        body = orjson.loads(await request.body())
        model.bodies.append(body)
        model.asked.set()
        while model.stall:  # noqa: ASYNC110 - a scripted stall
            await asyncio.sleep(0.01)
        if model.failures:
            model.failures -= 1
            return JSONResponse({"error": {"message": "busy"}}, 503)
        if model.status != 200:
            return JSONResponse({"error": {"message": "no"}}, model.status)
        text = model.says(body.get("prompt") or str(body.get("messages")))
        if body.get("stream"):
            return StreamingResponse(_stream(text, "prompt" in body), media_type="text/event-stream")
        choice = {"index": 0, "text": text, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return JSONResponse({"id": "1", "choices": [choice]})

    return app


async def _stream(text: str, completion: bool) -> AsyncIterator[bytes]:
    for word in text.split(" "):
        piece = {"text": f"{word} "} if completion else {"delta": {"content": f"{word} "}}
        yield b"data: " + orjson.dumps({"choices": [{"index": 0, **piece}]}) + b"\n\n"
    yield b"data: [DONE]\n\n"


@dataclass
class Place:
    """A running proxy, what stands behind it, and what it alerts of."""

    url: str
    model: Model
    manager: SnapshotManager
    client: httpx.Client
    signer: Signer
    alerts: list[dict[str, Any]]

    def verify(self, name: str = "people", **body: Any) -> dict[str, Any]:
        """A verification from its begin to its end."""
        small = {"per_kind": 1, "samples": 1, "most_neighbours": 4, "tolerance": 0.2}
        response = self.client.post(f"/admin/v1/lists/{name}/verify", json=small | body)
        assert response.status_code == 202, response.text
        return self.ended(response.json()["id"])

    def ended(self, id: str) -> dict[str, Any]:
        return self.until(lambda: self.get(f"/verifications/{id}"), lambda v: v["state"] not in ("waiting", "running"))

    def get(self, path: str, **options: Any) -> Any:
        response = self.client.get(f"/admin/v1{path}", **options)
        assert response.status_code == 200, response.text
        return response.json()

    def until(self, look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + 300
        while not good(found := look()):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def metric(self, name: str) -> float | None:
        lines = self.client.get("/metrics").text.splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)), None)


@pytest.fixture
def people(manager: SnapshotManager) -> SnapshotManager:
    manager.change(lambda s: s.put_list(ForgetList("people", policy="refuse")))
    manager.change(lambda s: s.add_entries("people", PEOPLE))
    return manager


Open = Callable[..., Any]


@pytest.fixture
def opened(people: SnapshotManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Starts a proxy; to be used as a context."""
    monkeypatch.setattr("server.verifying.asking._WAIT", 0.01)

    @contextmanager
    def start(access: AccessConfig | None = None, **config: Any) -> Iterator[Place]:
        model = Model()
        alerts: list[dict[str, Any]] = []

        def told(request: httpx.Request) -> httpx.Response:
            alerts.append(orjson.loads(request.content))
            return httpx.Response(204)

        signer = Signer.of_file(tmp_path / "signing.key", make=True)
        with running(serving(model)) as url:
            endpoint = Endpoint(url, "inner-key")
            upstream = Upstream(lambda: endpoint, connect_timeout=2, read_timeout=20)
            proxy = Proxy(
                people, upstream, eco=None, reveal=reveals, config=ProxyConfig(**config), metrics=Metrics(people)
            )
            app = create_app(
                proxy=proxy, upstream=upstream, manager=people, access=access or AccessConfig(ADMIN_KEY),
                max_body_bytes=1_000_000,
            )  # fmt: skip
            webhook = Alerts(signer, "http://alerts", httpx.MockTransport(told))
            add_verifying(app, Verifying(people, proxy, signer, webhook), tick=0.2)
            with running(app) as front, httpx.Client(base_url=front, timeout=30, headers=HEADERS) as client:
                yield Place(front, model, people, client, signer, alerts)

    return start


@pytest.fixture
def place(opened: Open) -> Iterator[Place]:
    with opened() as place:
        yield place
