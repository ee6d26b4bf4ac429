"""A process that is out of memory, or whose native code panicked, says so in the client's words and ends."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from guard.snapshot import SnapshotManager
from server.access.setup import AccessConfig
from server.app import create_app
from server.last_resort import LastResort, exhausts
from server.proxy import Proxy, ProxyConfig
from server.upstream import Endpoint, Upstream
from tests.server.conftest import running


class Panic(BaseException):
    """As Rust's libraries raise it."""


SPENT = (MemoryError(), Panic("of native code"), OSError(errno.ENOMEM, "none"), RuntimeError("can't start new thread"),
         BaseExceptionGroup("of tasks", [ValueError(), MemoryError()]))  # fmt: skip
USUAL = (ValueError(), RuntimeError("else"), OSError(errno.ENOENT, "none"), asyncio.CancelledError(), SystemExit(1))


class Raising:
    """Raises ``error``, after ``first`` bytes of an answer if there are any."""

    def __init__(self, error: BaseException, first: bytes = b"") -> None:
        self._error, self._first = error, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        if self._first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
        raise self._error


def _broken() -> None:
    raise Panic("again")


@contextmanager
def served(app: ASGIApp, works: Callable[[], object] = _broken) -> Iterator[tuple[httpx.Client, list[str]]]:
    """A client of ``app``, and how often it gave up."""
    given_up: list[str] = []
    with running(LastResort(app, lambda: given_up.append("once"), works)) as url, httpx.Client(base_url=url) as client:
        yield client, given_up


@pytest.mark.parametrize("error", SPENT, ids=repr)
def test_who_has_no_answer_yet_gets_an_error_in_the_shape_of_the_api(error: BaseException) -> None:
    with served(Raising(error)) as (client, given_up):
        for path in ("/v1/chat/completions", "/v1/models"):
            told = client.get(path)
            assert (told.status_code, told.json()["error"]["code"]) == (503, "out_of_memory")
            assert told.headers["retry-after"] == "2"
        told = client.get("/v1/messages")
        assert (told.status_code, told.json()["type"]) == (503, "error")
        assert len(given_up) == 3


@pytest.mark.parametrize(("error", "ends"), [(Panic(), False), (MemoryError(), True)], ids=repr)
def test_a_text_that_makes_a_library_panic_ends_no_worker_that_still_works(error: BaseException, ends: bool) -> None:
    with served(Raising(error), works=lambda: None) as (client, given_up):
        assert client.get("/v1/models").status_code == 503
        assert bool(given_up) == ends


def test_an_answer_that_has_begun_ends_as_a_broken_one() -> None:
    with served(Raising(MemoryError(), b"It is")) as (client, given_up):
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/v1/chat/completions")
        assert given_up == ["once"]


@pytest.mark.parametrize("error", USUAL, ids=repr)
def test_other_failures_end_no_process(error: BaseException) -> None:
    assert not exhausts(error)


def test_a_fault_of_one_request_is_the_next_ones_business() -> None:
    with served(Raising(ValueError("a fault"))) as (client, given_up):
        assert client.get("/v1/models").status_code == 500
        assert given_up == []


@pytest.mark.parametrize("error", [MemoryError(), Panic()], ids=repr)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_request_whose_judging_fails_for_want_of_memory_goes_to_no_model(
    manager: SnapshotManager, error: BaseException, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise error

    upstream = Upstream(lambda: Endpoint("http://127.0.0.1:9", "inner-key"), connect_timeout=1, read_timeout=1)
    proxy = Proxy(manager, upstream, eco=None, reveal=lambda _: False, config=ProxyConfig())
    monkeypatch.setattr(type(proxy.judge), "judge", failing)
    app = create_app(proxy=proxy, upstream=upstream, manager=manager, access=AccessConfig("key"), max_body_bytes=10_000)
    with served(app) as (client, given_up):
        asked = {
            "model": "m",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "Where was Zorvan Pelk born?"}],
        }
        told = client.post(path, json=asked)
        assert told.status_code == 503
        assert "memory" in told.json()["error"]["message"]
        assert given_up == ["once"]
