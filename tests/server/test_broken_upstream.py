"""A model server that answers with what is no answer: nothing it says goes out unread, and no client waits in vain."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from guard.output import Hit
from server.answers import AsItCame, Release
from server.dialects import chat
from server.sse import Event
from tests.server.conftest import Build, House

TOLD = "Zorvan Pelk was born in Karachi."


@contextmanager
def answering(response: bytes) -> Iterator[str]:
    """Sends ``response`` to whoever asks, and closes the connection."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(response)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def _asked(build: Build, response: bytes, **fields: object) -> httpx.Response:
    with answering(response) as url, build(upstream_url=url) as house:
        answer: httpx.Response = house.chat("What is there to see?", **fields)
        return answer


@pytest.mark.parametrize("status", ["201 Created", "206 Partial", "302 Found", "304 Not Modified", "999 Odd"])
def test_a_status_that_is_neither_answer_nor_error_is_502(build: Build, status: str) -> None:
    answer = _asked(build, f"HTTP/1.1 {status}\r\nContent-Length: {len(TOLD)}\r\n\r\n{TOLD}".encode())
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
    assert "Karachi" not in answer.text


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' * 300 + b"1" + b"}" * 300])
def test_an_answer_too_deep_to_read_is_502(build: Build, body: bytes) -> None:
    answer = _asked(build, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")


def test_a_gateways_page_is_an_error_of_openais_shape(build: Build) -> None:
    page = b"<html>nginx at 10.0.0.7</html>"
    head = b"HTTP/1.1 503 Away\r\nRetry-After: 7\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page)
    answer = _asked(build, head + page)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_error")
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("application/json", "7")


@pytest.mark.parametrize("said", ["", 'data: {"choices": [{"index": 0, "delta": {"content": "It is"}}]}\n\n'])
def test_a_stream_that_ends_with_its_connection_and_no_end_ends_with_an_error(build: Build, said: str) -> None:
    answer = _asked(build, f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{said}".encode(), stream=True)
    last = answer.text.strip().rpartition("\n\n")[2].removeprefix("data: ")
    assert json.loads(last)["error"]["code"] == "upstream_error"


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": None, "said": TOLD}, {"choices": TOLD}, {"choices": [TOLD]}, {"choices": [{"note": TOLD}]},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}}], "note": TOLD},
        {"choices": [{"index": 0, "delta": {"content": TOLD}}]},
    ],
)  # fmt: skip
def test_what_is_said_where_nothing_should_be_is_read(house: House, answer: dict[str, object]) -> None:
    house.policy("refuse")
    house.script.answer = answer
    got = house.chat("What is there to see?")
    assert got.status_code == 200
    assert "Karachi" not in got.text


# What a client asks, and where a whole answer and an event hold a text: in place of TEXT.
ASKED = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "What is there to see?"}]},
    "/v1/completions": {"prompt": "What is there to see?"},
    "/v1/responses": {"input": "What is there to see?"},
    "/v1/messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "What is there to see?"}]},
    "/v1/other": {"input": "What is there to see?"},
}
WHOLE = {
    "/v1/chat/completions": '{"choices": [{"index": 0, "message": {"content": TEXT}}]}',
    "/v1/completions": '{"choices": [{"index": 0, "text": TEXT}]}',
    "/v1/responses": '{"id": "r", "object": "response", "output": [{"type": "message", "content":'
    ' [{"type": "output_text", "text": TEXT}]}]}',
    "/v1/messages": '{"type": "message", "content": [{"type": "text", "text": TEXT}]}',
    "/v1/other": '{"said": {"text": TEXT}}',
}
EVENT = {
    "/v1/chat/completions": '{"choices": [{"index": 0, "delta": {"content": TEXT}}]}',
    "/v1/completions": '{"choices": [{"index": 0, "text": TEXT}]}',
    "/v1/responses": '{"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": TEXT}',
    "/v1/messages": '{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}}',
    "/v1/other": '{"said": {"text": TEXT}}',
}
ESCAPED = "".join(f"\\u{ord(c):04x}" for c in TOLD)


def _said(build: Build, path: str, told: str, *, stream: bool) -> str:
    """What a client gets that asks at ``path`` a model server which answers with ``told``, a JSON document."""
    kind, body = ("event-stream", f"data: {told}\n\ndata: [DONE]\n\n") if stream else ("json", told)
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/{kind}\r\nContent-Length: {len(body)}"
    with answering(f"{head}\r\n\r\n{body}".encode()) as url, build(upstream_url=url, routes=("/v1/other",)) as house:
        house.policy("refuse")
        answer: httpx.Response = house.client.post(path, json={"model": "m", "stream": stream, **ASKED[path]})
        return answer.text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ASKED)
def test_of_a_key_that_stands_twice_goes_out_what_was_read(build: Build, path: str, stream: bool) -> None:
    form = (EVENT if stream else WHOLE)[path]
    key = form[: form.index(": TEXT")].rpartition(" ")[2].lstrip("{")
    told = _said(build, path, form.replace("TEXT", f'"{TOLD}", {key}: "so it is"'), stream=stream)
    assert "so it is" in told
    assert "Karachi" not in told


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ASKED)
def test_of_an_object_that_stands_twice_goes_out_what_was_read(build: Build, path: str, stream: bool) -> None:
    form = (EVENT if stream else WHOLE)[path]
    twice = "{" + form.replace("TEXT", f'"{TOLD}"')[1:-1] + ", " + form.replace("TEXT", '"so it is"')[1:]
    told = _said(build, path, twice, stream=stream)
    assert "so it is" in told
    assert "Karachi" not in told


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("beside", ["NaN", "-Infinity", '"\\ud83d"', "[" * 400 + "]" * 400, "1e999"])
def test_what_only_some_clients_can_read_is_read_or_goes_to_none(build: Build, beside: str, stream: bool) -> None:
    form = (EVENT if stream else WHOLE)["/v1/chat/completions"].replace("TEXT", f'"{ESCAPED}"')
    told = _said(build, "/v1/chat/completions", form[:-1] + f', "usage": {beside}}}', stream=stream)
    assert "Karachi" not in told
    assert ESCAPED not in told


@pytest.mark.parametrize("key", ["top_logprobs", "top_\\u006cogprobs"])
@pytest.mark.parametrize("stream", [False, True])
def test_alternatives_to_tokens_are_taken_out_however_their_key_is_spelt(build: Build, key: str, stream: bool) -> None:
    position = f'{{"token": "so", "logprob": 0, "{key}": [{{"token": "{TOLD}", "logprob": -1}}]}}'
    form = (EVENT if stream else WHOLE)["/v1/chat/completions"].replace("TEXT", '"so it is"')
    told = form[:-3] + f', "logprobs": {{"content": [{position}]}}}}]}}'
    json.loads(told)
    got = _said(build, "/v1/chat/completions", told, stream=stream)
    assert "so it is" in got
    assert "Karachi" not in got


class Looked(Release):
    """Counts how often the waiting events are looked through."""

    looks = 0

    def _clear(self) -> int:
        self.looks += 1
        return super()._clear()


class Silent:
    """A watch of which nothing has been asked."""

    hit: Hit | None = None

    def add(self, channel: str, text: str, *, json: bool = False) -> None:
        """Nothing is said in comments."""


def test_comments_without_end_before_a_text_are_not_looked_through_each_time() -> None:
    release = Looked(Watched(chat, Silent()), chat.ending({}), AsItCame())  # type: ignore[arg-type]

    async def taken() -> None:
        for _ in range(1000):
            await release.take(Event(b":\n\n"))
            assert release.ready() == []

    asyncio.run(taken())
    assert release.looks == 0


class Watched:
    """The release's view of an answer: its dialect and its watch."""

    def __init__(self, dialect: object, watch: Silent) -> None:
        self.dialect, self.watch = dialect, watch

    def add(self, pieces: object) -> dict[str, int]:
        """No text comes."""
        return {}
