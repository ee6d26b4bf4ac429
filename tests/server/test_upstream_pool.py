"""Several model servers behind the proxy.

Scripted, not vLLM: these tests need servers that refuse, hang up and come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from server.errors import ApiError
from server.upstream import Upstream, read_whole
from server.upstream_pool import Endpoint, Member, Pool, PoolCollector
from tests.server.conftest import running

NOWHERE = "http://127.0.0.1:1"
BODY = {"model": "m", "messages": []}


@dataclass
class Server:
    """One model server: what it serves and how it answers."""

    models: tuple[str, ...] = ("m",)
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    open: asyncio.Event | None = None  # a stream goes on when it is set
    url: str = ""

    def app(self) -> Starlette:
        async def models(_: Request) -> Response:
            if self.status != 200:
                return JSONResponse({}, self.status)
            return JSONResponse({"object": "list", "data": [{"id": m, "object": "model"} for m in self.models]})

        async def chat(request: Request) -> Response:
            self.bodies.append(await request.body())
            if self.status != 200:
                return JSONResponse({"error": {"message": "scripted"}}, self.status)
            return StreamingResponse(self._words(), media_type="text/event-stream")

        return Starlette(routes=[Route("/v1/models", models), Route("/v1/chat/completions", chat, methods=["POST"])])

    async def _words(self) -> AsyncIterator[bytes]:
        yield b"data: one\n\n"
        yield b"data: [DONE]\n\n"


@pytest.fixture
def servers() -> Iterator[Callable[..., list[Server]]]:
    with ExitStack() as stack:

        def start(*wanted: Server) -> list[Server]:
            for server in wanted:
                server.url = stack.enter_context(running(server.app()))
            return list(wanted)

        yield start


def _upstream(*urls: str, pool: Pool | None = None) -> Upstream:
    return Upstream(pool or Pool.over([Endpoint(u, None) for u in urls]), connect_timeout=2, read_timeout=10)


async def _ask(upstream: Upstream, **fields: object) -> int:
    response = await upstream.send("POST", "/v1/chat/completions", BODY | fields)
    await read_whole(response)
    return response.status_code


async def test_requests_go_to_the_least_loaded(servers: Callable[..., list[Server]]) -> None:
    first, second = servers(Server(), Server())
    upstream = _upstream(first.url, second.url)
    held = [await upstream.send("POST", "/v1/chat/completions", BODY) for _ in range(6)]
    assert (len(first.bodies), len(second.bodies)) == (3, 3)
    assert [m.in_flight for m in upstream.pool.members] == [3, 3]
    for response in held:
        await response.aclose()
        await response.aclose()
    assert [m.in_flight for m in upstream.pool.members] == [0, 0]
    await upstream.close()


async def test_a_server_that_is_gone_costs_no_request(servers: Callable[..., list[Server]]) -> None:
    (there,) = servers(Server())
    upstream = _upstream(NOWHERE, there.url)
    assert [await _ask(upstream) for _ in range(6)] == [200] * 6
    gone = upstream.pool.members[0]
    assert not upstream.pool.up(gone)
    assert gone.outcomes["unreachable"] == gone.retried == 1  # it was left out after the first
    await upstream.close()


async def test_a_server_that_says_503_is_not_asked_the_next_time(servers: Callable[..., list[Server]]) -> None:
    full, free = servers(Server(status=503), Server())
    upstream = _upstream(full.url, free.url)
    assert [await _ask(upstream) for _ in range(6)] == [200] * 6
    assert len(full.bodies) == 1
    await upstream.close()


@pytest.mark.parametrize("status", [400, 404, 429, 500, 502])
async def test_an_answer_of_another_kind_is_the_answer(servers: Callable[..., list[Server]], status: int) -> None:
    failing, other = servers(Server(status=status), Server(status=status))
    upstream = _upstream(failing.url, other.url)
    assert await _ask(upstream) == status
    assert len(failing.bodies) + len(other.bodies) == 1
    await upstream.close()


async def test_a_request_that_may_have_begun_is_not_sent_twice(servers: Callable[..., list[Server]]) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    broken = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    (other,) = servers(Server())
    upstream = _upstream(other.url, broken)
    with pytest.raises(ApiError) as caught:
        await _ask(upstream)
    assert (caught.value.status, other.bodies) == (502, [])
    server.close()
    await upstream.close()


async def test_where_none_takes_it_the_client_is_told(servers: Callable[..., list[Server]]) -> None:
    upstream = _upstream(NOWHERE, "http://127.0.0.1:2")
    with pytest.raises(ApiError) as caught:
        await _ask(upstream)
    assert (caught.value.status, caught.value.code) == (503, "upstream_unavailable")
    (full,) = servers(Server(status=503))
    assert await _ask(_upstream(full.url)) == 503


async def test_a_model_is_asked_where_it_is_served(servers: Callable[..., list[Server]]) -> None:
    first, second = servers(Server(models=("m", "both")), Server(models=("n", "both")))
    upstream = _upstream(first.url, second.url)
    await upstream.look()
    for _ in range(3):
        assert await _ask(upstream, model="n") == 200
    assert (len(first.bodies), len(second.bodies)) == (0, 3)
    raw = b'{"model": "m", "messages": []}'
    await read_whole(await upstream.send("POST", "/v1/chat/completions", raw))
    assert first.bodies == [raw]
    listed = await read_whole(await upstream.send("GET", "/v1/models"))
    assert [m["id"] for m in httpx.Response(200, content=listed).json()["data"]] == ["m", "both", "n"]
    await upstream.close()


async def test_a_server_that_is_well_again_gets_requests_again(servers: Callable[..., list[Server]]) -> None:
    first, second = servers(Server(status=503), Server())
    upstream = _upstream(first.url, second.url)
    await upstream.look()
    assert [upstream.pool.up(m) for m in upstream.pool.members] == [False, True]
    first.status = 200
    await upstream.look()
    assert [upstream.pool.up(m) for m in upstream.pool.members] == [True, True]
    await upstream.close()


def test_a_server_that_fails_is_left_out_for_longer_each_time() -> None:
    now = 0.0
    members = [Member(name, lambda: Endpoint(NOWHERE, None)) for name in "ab"]
    pool = Pool(members, clock=lambda: now)
    out = []
    for _ in range(8):
        pool.failed(members[0])
        out.append(members[0].out_until - now)
        assert {pool.choose(None) for _ in range(4)} == {members[1]}
        now = members[0].out_until
        assert {pool.choose(None) for _ in range(4)} == set(members)
    assert out == [1, 2, 4, 8, 16, 30, 30, 30]
    pool.answered(members[0])
    pool.failed(members[0])
    assert members[0].out_until - now == 1


async def test_the_metrics_name_the_servers_without_their_keys(servers: Callable[..., list[Server]]) -> None:
    (there,) = servers(Server())
    port = there.url.rpartition(":")[2]
    upstream = _upstream(f"http://someone:secret@127.0.0.1:{port}", NOWHERE)
    assert [await _ask(upstream) for _ in range(2)] == [200, 200]
    registry = CollectorRegistry()
    registry.register(PoolCollector(upstream.pool))
    told = generate_latest(registry).decode()
    assert "secret" not in told
    assert f'letheward_upstream_requests_total{{outcome="answered",upstream="127.0.0.1:{port}"}} 2.0' in told
    assert 'letheward_upstream_up{upstream="127.0.0.1:1"} 0.0' in told
    assert 'letheward_upstream_retries_total{upstream="127.0.0.1:1"} 1.0' in told
    await upstream.close()
