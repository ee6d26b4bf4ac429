"""/v1/chat/completions."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from server.dialects.base import Answer, Nearly
from server.dialects.pieces import Piece
from server.dialects.texts import elsewhere, texts
from server.dialects.tokens import prune_chat, prune_prompt
from server.errors import ApiError
from server.sse import DONE, event
from server.surfaces import Body, Decode, Surface, chat_surfaces

path = "/v1/chat/completions"

_TEXT_PARTS = frozenset({"text", "refusal", "input_text", "output_text", "thinking", "tool_reference"})


def surfaces(body: Body, decode: Decode | None) -> list[Surface]:
    """Each message's content, and everything else that holds text."""
    return chat_surfaces(body)


def conversation(body: Body) -> list[dict[str, Any]]:
    """The messages."""
    messages = body.get("messages")
    return [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []


def media(body: Body) -> list[str]:
    """Content parts that are no text."""
    found = []
    for i, message in enumerate(conversation(body)):
        content = message.get("content")
        for j, part in enumerate(content if isinstance(content, list) else []):
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind not in _TEXT_PARTS:
                found.append(f"messages/{i}/content/{j}")
    return found


def pieces(answer: Answer) -> list[Piece]:
    """The texts of every choice's message."""
    return _pieces(answer, "message")


def event_pieces(event: Answer) -> list[Piece]:
    """The texts of every choice's delta."""
    return _pieces(event, "delta")


def prune(answer: Answer, nearly: Nearly) -> bool:
    """Take alternatives that tell out of ``logprobs`` and ``prompt_logprobs``."""
    found = [prune_chat(c.get("logprobs"), f"choices/{i}/content", nearly) for i, c in choices(answer)]
    return any([*found, prune_prompt(answer, "prompt", nearly)])


def error(error: ApiError) -> Response:
    """OpenAI's shape."""
    return error.response()


def ending(body: Body) -> ChatEnding:
    """What ends a stream that answers ``body``."""
    return ChatEnding(body, "chat.completion.chunk")


class ChatEnding:
    """Closes every choice that is open with ``finish_reason`` "stop", then usage if it was asked for, then DONE."""

    def __init__(self, body: Body, kind: str) -> None:
        self._body = body
        self._base: dict[str, Any] = {"object": kind, "model": body.get("model", "")}
        self._open: dict[int, bool] = {}
        self._usage: Any = None
        self._chunks = 0

    def see(self, event: Answer) -> None:
        """Note an event that the client has got."""
        self._base |= {k: event[k] for k in ("id", "created", "model", "object") if k in event}
        self._usage = event.get("usage") or self._usage
        for i, choice in choices(event):
            self._open[i] = choice.get("finish_reason") is None
            self._chunks += 1

    def missing(self) -> list[Answer]:
        """The chunks that are missing."""
        chunks = [{**self._base, "choices": [self._closed(i)]} for i, still in sorted(self._open.items()) if still]
        options = self._body.get("stream_options")
        if isinstance(options, dict) and options.get("include_usage"):
            usage = self._usage or {"prompt_tokens": 0, "completion_tokens": self._chunks, "total_tokens": self._chunks}
            chunks.append({**self._base, "choices": [], "usage": usage})
        return chunks

    def end(self) -> list[bytes]:
        """The events that are missing."""
        return [event(chunk).raw for chunk in self.missing()] + [DONE.raw]

    def _closed(self, index: int) -> dict[str, Any]:
        said: dict[str, Any] = {"text": ""} if self._base["object"] == "text_completion" else {"delta": {}}
        return {"index": index, **said, "logprobs": None, "finish_reason": "stop", "stop_reason": None}


def _pieces(answer: Answer, holder: str) -> list[Piece]:
    found: list[Piece] = []
    for i, choice in choices(answer):
        found += texts(choice.get(holder), f"choices/{i}")
        found += stopped(choice, i, "content")
    found += elsewhere(answer, frozenset((holder,)))
    return found


def stopped(choice: dict[str, Any], index: int, field: str) -> list[Piece]:
    """The client's stop string that ended a choice: the model wrote it, and only the answer's text lacks it."""
    found = choice.get("stop_reason")
    return [Piece(f"choices/{index}/{field}", found)] if isinstance(found, str) and found else []


def choices(answer: Answer) -> list[tuple[int, dict[str, Any]]]:
    """The choices of an answer or a chunk, each with its index."""
    found = answer.get("choices")
    own = [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []
    return [(c["index"] if isinstance(c.get("index"), int) else i, c) for i, c in enumerate(own)]
