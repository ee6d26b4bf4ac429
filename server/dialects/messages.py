"""/v1/messages, Anthropic's API. A flagged request goes the way of chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import JSONResponse, Response

from server.dialects.base import Answer, Nearly
from server.dialects.messages_answer import from_chat
from server.dialects.messages_request import read, to_chat
from server.dialects.messages_stream import MessagesEnding, MessagesTranslation
from server.dialects.pieces import Piece
from server.dialects.reading import media, native_surfaces, refuse_tokens
from server.dialects.served import Served
from server.dialects.texts import texts
from server.errors import ApiError, clean_message
from server.surfaces import Body, Decode, Surface

__all__ = [
    "conversation", "ending", "error", "event_pieces", "foreign_error", "from_chat", "media", "path", "pieces", "prune",
    "surfaces", "to_chat", "translation",
]  # fmt: skip

path = "/v1/messages"

_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 503: "overloaded_error",
}  # fmt: skip
_NO_TEXT = frozenset({"type", "id", "signature", "tool_use_id"})
_BLOCKS_BEFORE = 4  # blocks that a matched stop sequence may follow


def surfaces(body: Body, decode: Decode | None = None) -> list[Surface]:
    """Every text of the request. Places of what can be rewritten are those in ``to_chat(body)``.

    Raises:
        ApiError: 400 where the request has no conversation, or brings token ids.
    """
    refuse_tokens(body)
    return native_surfaces(body, conversation(body))


def conversation(body: Body) -> list[dict[str, Any]]:
    """The messages of ``to_chat(body)``; what cannot be carried there is text in its place."""
    return read(body, strict=False)


def pieces(answer: Answer) -> list[Piece]:
    """The texts of a message's blocks. The stop sequence that ended it follows the last of them: the model wrote it."""
    content = answer.get("content")
    blocks = [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []
    found = [piece for i, block in enumerate(blocks) for piece in _block(block, i)]
    sequence = answer.get("stop_sequence")
    if isinstance(sequence, str):
        found.append(Piece(f"content/{max(len(blocks) - 1, 0)}/text", sequence))
    return found


def _block(block: Answer, index: int) -> list[Piece]:
    found: list[Piece] = []
    for key, value in block.items():
        if key == "input":
            if value:
                found.append(Piece(f"content/{index}/input", orjson.dumps(value).decode(), json=True))
        elif key not in _NO_TEXT:
            found += texts(value, f"content/{index}/{key}")
    return found


def event_pieces(event: Answer) -> list[Piece]:
    """The texts of one event."""
    kind, index = event.get("type"), event.get("index", 0)
    if kind == "message_start" and isinstance(event.get("message"), dict):
        return pieces(event["message"])
    if kind == "content_block_start" and isinstance(event.get("content_block"), dict):
        return _block(event["content_block"], index)
    delta = event.get("delta")
    if not isinstance(delta, dict):
        return [*texts(event.get("error"), "error")]
    if kind == "message_delta":
        # It does not say which block the stop sequence follows: it is read after each of the first.
        sequence = delta.get("stop_sequence")
        return [Piece(f"content/{i}/text", sequence) for i in range(_BLOCKS_BEFORE)] if sequence else []
    if isinstance(delta.get("partial_json"), str):
        return [Piece(f"content/{index}/input", delta["partial_json"], json=True)] if delta["partial_json"] else []
    told = {k: v for k, v in delta.items() if k not in _NO_TEXT}
    return [piece for key, value in told.items() for piece in texts(value, f"content/{index}/{key}")]


def prune(answer: Answer, nearly: Nearly) -> bool:
    """This API tells no alternatives to tokens."""
    return False


def ending(body: Body) -> MessagesEnding:
    """What ends a stream that answers ``body``."""
    return MessagesEnding(body)


def translation(body: Body, served: Served | None = None) -> MessagesTranslation:
    """The translator of one stream. This API tells nothing of what is served."""
    return MessagesTranslation(body)


def error(error: ApiError) -> Response:
    """Anthropic's shape."""
    return _error(error.status, error.message, error.headers)


def foreign_error(status: int, payload: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An error of the chat endpoint in Anthropic's shape."""
    told = payload.get("error", payload) if isinstance(payload, dict) else {}
    message = told.get("message") if isinstance(told, dict) else None
    return _error(status, str(message or "The model server answered with an error."), headers)


def _error(status: int, message: str, headers: Mapping[str, str] | None) -> Response:
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    inner = {"type": kind, "message": clean_message(message)}
    return JSONResponse({"type": "error", "error": inner}, status_code=status, headers=dict(headers or {}))
