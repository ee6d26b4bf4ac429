"""The whole proxy in this process, before a model server that tells everything."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from benchmarks.leaks.answers import HARMLESS, Told, stream, whole
from benchmarks.leaks.canaries import CANARIES
from classifiers.registry import create_encoder
from guard.eco import Eco
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Store
from server.access.setup import AccessConfig
from server.app import create_app
from server.proxy import Proxy, ProxyConfig
from server.upstream import Endpoint, Upstream

LIST = "canaries"


@dataclass
class Teller(httpx.AsyncBaseTransport):
    """Answers whatever it is asked with ``told``, in pieces of ``cut`` bytes. ``asked``: how often."""

    told: Told = HARMLESS
    cut: int = 1
    asked: int = 0
    bodies: list[Any] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One answer."""
        self.asked += 1
        if request.method == "GET":
            models = orjson.dumps({"object": "list", "data": [{"id": "m", "object": "model", "max_model_len": 2048}]})
            return httpx.Response(200, stream=_Cut(models, len(models)), headers={"content-type": "application/json"})
        body = orjson.loads(await request.aread())
        self.bodies = [*self.bodies[-9:], body]
        path = request.url.path
        if body.get("stream"):
            content, kind = b"".join(stream(path, self.told)), "text/event-stream"
        else:
            content, kind = orjson.dumps(whole(path, self.told)), "application/json"
        return httpx.Response(200, stream=_Cut(content, self.cut), headers={"content-type": kind})


class _Cut(httpx.AsyncByteStream):
    def __init__(self, content: bytes, size: int) -> None:
        self._content = content
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._content), self._size):
            yield self._content[at : at + self._size]


@dataclass(frozen=True, slots=True)
class House:
    """The proxy, its lists and what stands behind it."""

    client: httpx.AsyncClient
    teller: Teller
    manager: SnapshotManager

    def act(self, policy: Any) -> None:
        """Guard with ``policy`` from now on. Blocking."""
        current = self.manager.current.lists.get(LIST, ForgetList(LIST))
        if current.policy != policy or LIST not in self.manager.current.lists:
            self.manager.change(lambda s: s.put_list(ForgetList(LIST, policy=policy)))


def entries() -> Iterator[Entry]:
    """The canaries as entries."""
    for i, canary in enumerate(CANARIES):
        yield Entry(str(i), LIST, subject=canary.subject, question=canary.question, answer=canary.answer,
                    scope="subject")  # fmt: skip


@asynccontextmanager
async def house(model_folder: Path, *, check_answers: bool = True) -> AsyncIterator[House]:
    """Build it; ``model_folder`` has the tokenizer and weights that ECO needs."""
    with tempfile.TemporaryDirectory() as folder:
        manager = SnapshotManager(Store.open(f"sqlite:///{folder}/lists.db"), create_encoder("minilm-int8"))
        manager.change(lambda s: s.put_list(ForgetList(LIST)))
        manager.change(lambda s: s.add_entries(LIST, list(entries())))
        teller = Teller()
        upstream = Upstream(
            lambda: Endpoint("http://model", None), connect_timeout=5, read_timeout=30, transport=teller
        )
        config = ProxyConfig(check_answers=check_answers)
        proxy = Proxy(manager, upstream, eco=Eco(model_folder), config=config, reveal=lambda _: False)
        app = create_app(
            proxy=proxy, upstream=upstream, manager=manager, access=AccessConfig("none"), max_body_bytes=1_000_000,
        )  # fmt: skip
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://proxy", timeout=60) as client:
                yield House(client, teller, manager)
        finally:
            await upstream.close()
            manager.close()
