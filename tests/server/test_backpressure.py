"""More than the proxy, its clients or the detector can take: 429 at the door, and nothing grows without bound."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
from fastapi import FastAPI, Request
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import StreamingResponse

from server.access.admission import Capacity
from tests.server.conftest import ADMIN_KEY, Build, House, running

CHAT = "/v1/chat/completions"
LONG = " ".join(f"x{i} = f(y{i}[{i}])" for i in range(1_500))  # takes the detector seconds


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _metric(house: House, name: str, **labels: str) -> float:
    text = house.client.get("/metrics", headers={"Authorization": f"Bearer {ADMIN_KEY}"}).text
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return sum(s.value for s in samples if s.name == f"letheward_{name}" and s.labels == labels)


def _body(content: str, **fields: Any) -> bytes:
    return orjson.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **fields})


@contextmanager
def _connected(house: House, path: str, length: int) -> Iterator[socket.socket]:
    """A request of which only the head was sent."""
    host, port = house.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        raw.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        yield raw


def _told(raw: socket.socket) -> tuple[int, dict[str, str], Any]:
    with raw.makefile("rb") as file:
        status = int(file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := file.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, orjson.loads(file.read(int(headers["content-length"])))


def test_what_is_over_the_number_of_requests_at_a_time_is_told_to_come_again(build: Build) -> None:
    with build(capacity=Capacity(concurrent=2)) as house, ThreadPoolExecutor() as threads:
        house.script.hold_stream = True
        held = [threads.submit(house.chat, "Who is it?", stream=True) for _ in range(2)]
        _until(lambda: len(house.script.bodies) == 2)
        # Its body is not waited for, and Anthropic's clients are told in their form.
        with _connected(house, CHAT, 1_000_000) as raw:
            status, headers, told = _told(raw)
        assert (status, headers["retry-after"]) == (429, "1")
        assert (told["error"]["type"], told["error"]["code"]) == ("rate_limit_error", "server_busy")
        with _connected(house, "/v1/messages", 1_000_000) as raw:
            status, headers, told = _told(raw)
        assert (status, headers["retry-after"]) == (429, "1")
        assert (told["type"], told["error"]["type"]) == ("error", "rate_limit_error")
        # Whoever operates it still can.
        assert house.client.get("/health").status_code == 200
        assert _metric(house, "turned_away_total", why="open") == 2
        house.script.release.set()
        assert [f.result(60).status_code for f in held] == [200, 200]
        assert house.chat("Who is it?").status_code == 200


def test_clients_that_go_away_make_room(build: Build) -> None:
    with build(capacity=Capacity(concurrent=1)) as house:
        house.script.hold_stream = True
        for _ in range(3):
            with house.client.stream("POST", CHAT, content=_body("Who is it?", stream=True)) as response:
                assert response.status_code == 200
            assert house.script.cancelled.wait(60)
            house.script.cancelled.clear()
            _until(lambda: _metric(house, "requests_in_flight") == 1)  # which is the question itself

        def held() -> bool:
            """Whether a request whose body does not come has taken the place: the one before may not have left yet."""
            with _connected(house, CHAT, 1_000):
                return house.chat("Who is it?").status_code == 429

        _until(held)
        house.script.hold_stream = False
        _until(lambda: house.chat("Who is it?").status_code == 200)


def test_what_is_over_the_number_that_wait_for_the_detector_is_told_to_come_again(build: Build) -> None:
    with build(capacity=Capacity(waiting=1), detector_workers=1) as house, ThreadPoolExecutor() as threads:
        small = _body("Who is it?")
        with _connected(house, CHAT, len(small)) as came_in_before:
            _until(lambda: _metric(house, "requests_in_flight") == 2)
            first = threads.submit(house.chat, LONG)
            _until(lambda: _metric(house, "judging_running") == 1)
            second = threads.submit(house.chat, LONG)
            _until(lambda: _metric(house, "judging_waiting") == 1)
            at_the_door = house.chat("Who is it?")
            came_in_before.sendall(small)
            status, headers, told = _told(came_in_before)
        assert (at_the_door.status_code, at_the_door.headers["retry-after"]) == (429, "1")
        assert (status, headers["retry-after"], told["error"]["code"]) == (429, "1", "server_busy")
        assert [first.result(60).status_code, second.result(60).status_code] == [200, 200]
        assert _metric(house, "turned_away_total", why="waiting") == 2
        assert house.chat("Who is it?").status_code == 200


def test_of_an_answer_that_its_client_does_not_read_no_more_is_asked_for(build: Build) -> None:
    sent, events = [0], 4000
    event = b"data: " + orjson.dumps(
        {"choices": [{"index": 0, "delta": {"content": "on "}}], "system_fingerprint": "x" * 65536}
    )

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(events):
            sent[0] += 1
            yield event + b"\n\n"
            await asyncio.sleep(0)
        yield b"data: [DONE]\n\n"

    app = FastAPI()

    @app.post(CHAT)
    async def answer(request: Request) -> StreamingResponse:
        await request.body()
        return StreamingResponse(stream(), media_type="text/event-stream")

    with running(app) as upstream, build(upstream_url=upstream) as house:
        asked = house.client.stream("POST", CHAT, content=_body("Say it.", stream=True))
        with asked as response:
            _until(lambda: sent[0] > 0 and _still(sent))
            assert sent[0] < events / 2  # the rest waits at the model server: 250 MiB in all
            got = b"".join(response.iter_raw())
        assert got.count(b"on ") == events
        assert got.endswith(b"data: [DONE]\n\n")


def _still(sent: list[int]) -> bool:
    before = sent[0]
    threading.Event().wait(1)
    return sent[0] == before


def test_an_answer_stays_whole_for_a_client_that_reads_slowly(house: House) -> None:
    house.script.pieces = [f"word{i % 7} " for i in range(3000)]
    raw = b""
    with httpx.stream("POST", house.url + CHAT, content=_body("Say it.", stream=True), timeout=60) as response:
        for chunk in response.iter_raw(512):
            raw += chunk
    assert raw == house.script.sent[-1]
