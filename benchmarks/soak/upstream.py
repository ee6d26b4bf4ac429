"""The scripted model server, a process of its own that can be killed and started again at the same port.

Usage: python -m benchmarks.soak.upstream PORT SECONDS_A_WORD
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import uvicorn
from starlette.types import Receive, Scope, Send

from benchmarks.leaks.answers import Told, stream, whole
from benchmarks.soak.script import AFTER, PADDING, SLOWLY, Story, told
from server.managed import die_with_parent

_BACKLOG = 4096
_MODELS = {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "vllm",
                                       "max_model_len": 32768}]}  # fmt: skip


class Upstream:
    """The ASGI application. ``interval``: seconds between two words."""

    def __init__(self, interval: float) -> None:
        self._interval = interval

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if scope["method"] == "GET":
            await _send_whole(send, _MODELS)
            return
        asked = json.loads(body)
        answer = told(json.dumps(asked, ensure_ascii=False))
        pieces = answer.pieces if isinstance(answer, Story) else answer
        pace = answer.pace if isinstance(answer, Story) else ""
        interval = self._interval * {"slowly": SLOWLY, "at once": 0}.get(pace, 1)
        if pace == "after a while":
            await asyncio.sleep(self._interval * AFTER)
        if asked.get("stream"):
            await _send_stream(send, scope["path"], Told(pieces), interval, padded=pace == "at once")
        else:
            await asyncio.sleep(interval)
            await _send_whole(send, whole(scope["path"], Told(pieces)))


async def _read(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _send_whole(send: Send, answer: object) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_stream(send: Send, path: str, answer: Told, interval: float, *, padded: bool) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    padding: bytes = b'"chatcmpl-1%s"' % (b"-" * PADDING)  # in what is no text, so that nobody reads it
    for event in stream(path, answer):
        part: bytes = event.replace(b'"chatcmpl-1"', padding, 1) if padded else event
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(interval)
    await send({"type": "http.response.body", "body": b""})


def main() -> None:
    """Serve until killed, or whoever started it is gone."""
    die_with_parent()
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", int(sys.argv[1])))
        listening.listen(_BACKLOG)
        sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(Upstream(float(sys.argv[2])), log_level="warning", backlog=_BACKLOG)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
