"""The harness of other people's tests, on made-up test files, before two small servers that differ in one path."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.compat import Found, Pair, chosen, compare, report
from benchmarks.compatible import exceptions
from benchmarks.compatible.asked import Asked
from benchmarks.compatible.runs import Outcome, Scratch

_FILE = """
import pytest
import pytest_asyncio
import urllib.request
from tests.utils import RemoteOpenAIServer

MODEL = "some/model"

@pytest.fixture(scope="module")
def server():
    assert open(MODEL + "/config.json").read()
    with RemoteOpenAIServer(MODEL, ["--dtype", "float16", "--lora-modules", "own=/nowhere"]) as remote:
        yield remote

def ask(server, path):
    return urllib.request.urlopen(server.url_for("v1", path)).read()

@pytest.mark.parametrize("name", [MODEL, "own"])
def test_answered(server, name):
    assert ask(server, "models")

@pytest_asyncio.fixture
async def client(server):
    async with server.get_async_client() as made:
        yield made

@pytest.mark.asyncio
async def test_waited_for(client):
    assert (await client.models.list()).data == []

def test_only_bare(server):
    assert ask(server, "batch") == b"bare"

def test_cannot(server):
    assert ask(server, "nothing")

def test_at_the_second_try(server):
    assert ask(server, "seldom")

def test_needs_no_server():
    raise RuntimeError("is not run")

def test_own_flag():
    with RemoteOpenAIServer(MODEL, ["--max-logprobs", "-1"]) as remote:
        assert ask(remote, "models")

def test_vision():
    RemoteOpenAIServer("eyes", ["--limit-mm-per-prompt", "3"])
"""
_AT = "tests/part/test_made_up.py::"


class _Answering(BaseHTTPRequestHandler):
    bare = True
    asked: set[str] = set()  # noqa: RUF012 - of the class

    def do_GET(self) -> None:
        path = self.path.removeprefix("/v1/")
        seldom = path == "seldom" and path in self.asked
        self.asked.add(path)
        there = path == "models" or seldom or (path == "batch" and self.bare)
        self.send_response(200 if there else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"bare" if path == "batch" else b'{"data": [], "object": "list"}')

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Scripted:
    """Counts what is started."""

    def __init__(self, direct: str, proxied: str) -> None:
        self.urls = direct, proxied
        self.begun: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    @asynccontextmanager
    async def started(self, asked: Asked, names: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
        self.begun.append((asked.needs, tuple(names)))
        yield self.urls


@pytest.fixture
def servers() -> Iterator[_Scripted]:
    made = [
        ThreadingHTTPServer(("127.0.0.1", 0), type("H", (_Answering,), {"bare": bare, "asked": set()}))
        for bare in (True, False)
    ]
    for one in made:
        threading.Thread(target=one.serve_forever, daemon=True).start()
    yield _Scripted(*(f"http://127.0.0.1:{one.server_port}" for one in made))
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    part = tmp_path / "source" / "tests" / "part"
    part.mkdir(parents=True)
    (part / "test_made_up.py").write_text(_FILE)
    (part / "test_other.py").write_text("def test_nothing(): ...\n")
    (part.parent / "utils.py").write_text("raise RuntimeError('starts servers')\n")
    (part.parent / "conftest.py").write_text("raise RuntimeError('needs a GPU')\n")
    return tmp_path / "source"


@pytest.fixture
def scratch(source: Path, tmp_path: Path) -> Scratch:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    return Scratch.make(source, tmp_path / "scratch", model)


def test_every_test_runs_on_both_sides_with_the_server_that_it_asks_for(
    source: Path, scratch: Scratch, servers: _Scripted
) -> None:
    files = chosen(source, ["part"])
    assert files == ["tests/part/test_made_up.py"]
    found = asyncio.run(compare(scratch, files, servers, re.compile(""), reruns=1))
    kinds = {test.removeprefix(_AT): pair.kind for test, pair in found.pairs.items()}
    assert kinds == {
        "test_answered[some/model]": "both",
        "test_answered[own]": "both",
        "test_waited_for": "both",
        "test_own_flag": "both",
        "test_only_bare": "exception",
        "test_cannot": "neither",
        "test_at_the_second_try": "neither",
    }
    assert found.left_out == {_AT + "test_vision": "asks for --limit-mm-per-prompt=3"}
    assert sorted(needs for needs, _ in servers.begun) == [(), ("--max-logprobs=-1",)]
    assert all(set(names) >= {"some/model", "own"} for _, names in servers.begun)
    assert "404" in found.pairs[_AT + "test_only_bare"].proxied.error


def test_a_test_that_fails_on_one_side_is_tried_again(source: Path, scratch: Scratch, servers: _Scripted) -> None:
    servers.urls = (servers.urls[0], servers.urls[0])  # the second to ask is answered
    found = asyncio.run(compare(scratch, chosen(source, ["part"]), servers, re.compile("second_try"), reruns=1))
    assert [pair.kind for pair in found.pairs.values()] == ["both"]


def test_an_exception_without_a_reason_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exceptions, "EXPLAINED", {"batch": "no such endpoint"})
    pair = Pair(Outcome("passed"), Outcome("failed", "E 404 at http://127.0.0.1:1/v1"))
    found = Found({"a::test_batch": pair, "a::test_chat": pair, "a::test_fine": Pair(*[Outcome("passed")] * 2)}, {})
    assert found.unexplained == ["a::test_chat"]
    told = "\n".join(report(found))
    assert "| a | 1 | 2 | 0 | 0 | 0 |" in told
    assert "Exceptions, 1: no such endpoint" in told
    assert "NOT EXPLAINED, 1" in told
    assert found.plain()["exceptions"]["a::test_chat"] == [None, "E 404 at http://SERVER/v1"]


@pytest.mark.parametrize(
    ("arguments", "needs", "lacks"),
    [
        (["--max_model_len", "100", "--seed=3", "--max-logprobs", "-1"], ("--max-logprobs=-1",), ()),
        (["--enable-auto-tool-choice", "--tool-call-parser", "hermes"], (), ()),
        (["--tool-call-parser", "other", "--runner=pooling"], (), ("--runner=pooling", "--tool-call-parser=other")),
    ],
)
def test_of_a_servers_arguments_those_count_that_change_answers(
    arguments: list[str], needs: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    asked = Asked.of("m", arguments)
    assert (asked.needs, asked.lacks) == (needs, lacks)
    assert Asked.heard(asked.told()) == asked


def test_a_model_is_called_by_every_name_that_clients_use() -> None:
    adapters = ["--lora-modules", "one=/a", '{"name": "two", "path": "/b"}', "--served-model-name", "x", "y"]
    asked = Asked.of("m", adapters, {"VLLM_SOME": "1", "OTHER": "2"})
    assert asked.names == ("m", "one", "two", "x", "y")
    assert asked.environment == (("VLLM_SOME", "1"),)
