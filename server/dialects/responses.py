"""/v1/responses, OpenAI's API. A flagged request goes the way of chat completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.responses import Response

from server.dialects.base import Answer, Nearly
from server.dialects.pieces import Piece
from server.dialects.reading import media, native_surfaces, refuse_tokens
from server.dialects.responses_answer import from_chat
from server.dialects.responses_request import read, refuse_unguarded, to_chat
from server.dialects.responses_stream import ResponsesEnding, ResponsesTranslation
from server.dialects.served import Served
from server.dialects.texts import texts
from server.dialects.tokens import prune_position
from server.errors import ApiError, openai_error
from server.surfaces import Body, Decode, Surface

__all__ = [
    "conversation", "ending", "error", "event_pieces", "foreign_error", "from_chat", "media", "path", "pieces", "prune",
    "surfaces", "to_chat", "translation",
]  # fmt: skip

path = "/v1/responses"

# What a response repeats of its request, and what names things.
_REPEATED = frozenset(
    {"id", "object", "model", "instructions", "metadata", "tools", "tool_choice", "text", "reasoning", "user", "prompt",
     "previous_response_id", "service_tier", "truncation", "status", "incomplete_details", "input_messages", "usage"}
)  # fmt: skip
_NO_TEXT = frozenset({"id", "type", "role", "status", "call_id", "phase", "encrypted_content"})
_DELTAS = {
    "response.output_text.delta": "content/{content_index}/text",
    "response.refusal.delta": "content/{content_index}/refusal",
    "response.reasoning_text.delta": "content/{content_index}/text",
    "response.reasoning_summary_text.delta": "summary/{summary_index}/text",
    "response.function_call_arguments.delta": "arguments",
    "response.mcp_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
    "response.code_interpreter_call_code.delta": "code",
}
# These say again what deltas said.
_SAID = ("response.output_item.done", "response.content_part.done", "response.completed", "response.incomplete")
_PLACES = frozenset({"type", "sequence_number", "output_index", "content_index", "item_id", "summary_index"})


def surfaces(body: Body, decode: Decode | None = None) -> list[Surface]:
    """Every text of the request. Places of what can be rewritten are those in ``to_chat(body)``.

    Raises:
        ApiError: 400 where the request has no input, brings token ids, or has what no guarded one could.
    """
    refuse_tokens(body)
    refuse_unguarded(body)
    return native_surfaces(body, conversation(body))


def conversation(body: Body) -> list[dict[str, Any]]:
    """The messages of ``to_chat(body)``; what cannot be carried there is text in its place."""
    return read(body, strict=False)


def pieces(answer: Answer) -> list[Piece]:
    """The texts of a response's output."""
    output = answer.get("output")
    found = [p for i, item in enumerate(output if isinstance(output, list) else []) for p in _item(item, f"output/{i}")]
    rest = {k: v for k, v in answer.items() if k not in _REPEATED and k != "output"}
    return found + [p for key, value in rest.items() for p in texts(value, key)]


def _item(item: Any, channel: str) -> list[Piece]:
    if not isinstance(item, dict):
        return list(texts(item, channel))
    found = [
        p for k, v in item.items() if k not in _NO_TEXT and k != "content" for p in texts(v, f"{channel}/{k}", key=k)
    ]
    content = item.get("content")
    for j, part in enumerate(content if isinstance(content, list) else [content]):
        place = f"{channel}/content/{j}"
        found += texts(part, place)
        if isinstance(part, dict):
            found += _tokens(part.get("logprobs"), place)
    return found


def _tokens(logprobs: Any, place: str) -> Iterator[Piece]:
    """Tokens are told beside the text, and those of calls and thoughts with them."""
    for token in logprobs if isinstance(logprobs, list) else []:
        if isinstance(token, dict) and isinstance(token.get("token"), str) and token["token"]:
            yield Piece(f"{place}/logprobs", token["token"])


def event_pieces(event: Answer) -> list[Piece]:
    """The texts of one event; none where it says again what deltas said."""
    kind = str(event.get("type"))
    place = f"output/{event.get('output_index', 0)}"
    if kind in _DELTAS:
        indexes = {k: event.get(k, 0) for k in ("content_index", "summary_index")}
        channel, delta = f"{place}/{_DELTAS[kind].format(**indexes)}", event.get("delta")
        found = [Piece(channel, delta, channel.endswith("arguments"))] if isinstance(delta, str) and delta else []
        return [*found, *_tokens(event.get("logprobs"), channel.removesuffix("/text"))]
    if kind == "response.output_item.added":
        return _item(event.get("item"), place)
    if kind == "response.content_part.added":
        return list(texts(event.get("part"), f"{place}/content/{event.get('content_index', 0)}"))
    if kind in ("response.created", "response.in_progress", "response.queued", "response.failed"):
        response = event.get("response")
        return pieces(response) if isinstance(response, dict) else []
    if kind in _SAID or kind.endswith(".done"):
        return []
    return [p for key, value in event.items() if key not in _PLACES for p in texts(value, f"{place}/{kind}/{key}")]


def prune(answer: Answer, nearly: Nearly) -> bool:
    """Take alternatives that tell out of ``logprobs``, wherever an answer or an event has them."""
    pruned = False
    for holder, channel in _holders(answer):
        for position in holder["logprobs"]:
            if isinstance(position, dict):
                pruned |= prune_position(position, channel, nearly)
    return pruned


def _holders(answer: Answer) -> Iterator[tuple[Answer, str]]:
    """Objects with ``logprobs``, and the channel of their text. Repetitions have channels of their own."""
    kind = answer.get("type")
    again = f"/{kind}" if isinstance(kind, str) and kind != "response.output_text.delta" else ""
    place = f"output/{answer.get('output_index', 0)}"
    at = f"{place}/content/{answer.get('content_index', 0)}/text{again}"
    found: list[tuple[Any, str]] = [(answer, at), (answer.get("part"), at)]
    response = answer.get("response") if isinstance(answer.get("response"), dict) else answer
    output = response.get("output") if isinstance(response, dict) else None
    items = [(item, f"output/{i}") for i, item in enumerate(output)] if isinstance(output, list) else []
    for item, own in [*items, (answer.get("item"), place)]:
        content = item.get("content") if isinstance(item, dict) else None
        if isinstance(content, list):
            found += [(part, f"{own}/content/{j}/text{again}") for j, part in enumerate(content)]
    yield from ((h, c) for h, c in found if isinstance(h, dict) and isinstance(h.get("logprobs"), list))


def ending(body: Body) -> ResponsesEnding:
    """What ends a stream that answers ``body``."""
    return ResponsesEnding(body)


def translation(body: Body, served: Served | None = None) -> ResponsesTranslation:
    """The translator of one stream."""
    return ResponsesTranslation(body, served)


def error(error: ApiError) -> Response:
    """OpenAI's shape."""
    return error.response()


def foreign_error(status: int, payload: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An error of the chat endpoint, which has the same shape."""
    told = payload.get("error") if isinstance(payload, dict) else None
    told = told if isinstance(told, dict) else {}
    message = str(told.get("message") or "The model server answered with an error.")
    code, kind = told.get("code"), str(told.get("type") or "server_error")
    code = None if code is None else str(code)
    return openai_error(status, message, type=kind, code=code, param=told.get("param"), headers=headers)
