"""A chat completion as an answer of /v1/messages, as vLLM 0.32 makes one of the other."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from server.dialects.closing import close_json
from server.dialects.served import Served

Answer = dict[str, Any]


def from_chat(answer: Answer, body: Answer, served: Served | None = None) -> Answer:
    """The whole chat completion ``answer`` as a message. ``body``: the native request."""
    choices = answer.get("choices") or [{}]
    choice = choices[0]
    message = choice.get("message") or {}
    calls = message.get("tool_calls") or []
    reason, sequence = stop_reason(
        choice.get("finish_reason"), choice.get("stop_reason"), calls=bool(calls), whole=True
    )
    out = {
        "id": answer.get("id") or f"chatcmpl-{uuid.uuid4().hex[:16]}",
        "type": "message",
        "role": "assistant",
        "content": _blocks(message, calls),
        "model": answer.get("model") or body.get("model") or "",
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": usage(answer.get("usage")),
    }
    return {k: v for k, v in out.items() if v is not None}


def _blocks(message: Answer, calls: list[Answer]) -> list[Answer]:
    blocks: list[Answer] = []
    thought = message.get("reasoning") or message.get("reasoning_content")
    if thought:
        blocks.append({"type": "thinking", "thinking": thought, "signature": uuid.uuid4().hex})
    said = message.get("content") or message.get("refusal")
    if said:
        blocks.append({"type": "text", "text": said})
    for call in calls:
        function = call.get("function") or {}
        value = arguments(function.get("arguments"))
        blocks.append({"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": value})
    return blocks or [{"type": "text", "text": ""}]


def arguments(text: Any) -> Answer:
    """A call's arguments as an object; where they break off, as far as they go."""
    said = text if isinstance(text, str) else ""
    for attempt in (said, said + close_json(said)):
        try:
            value = orjson.loads(attempt)
        except orjson.JSONDecodeError:
            continue
        return value if isinstance(value, dict) else {"value": value}
    return {}


def usage(told: Any) -> Answer:
    """Anthropic counts cached tokens apart from the others. Nothing told: zeros."""
    if not isinstance(told, dict):
        return {"input_tokens": 0, "output_tokens": 0}
    tokens = told.get("prompt_tokens") or 0
    details = told.get("prompt_tokens_details") or {}
    cached, created = details.get("cached_tokens"), details.get("created_cache_tokens")
    out = {
        "input_tokens": max(0, tokens - (cached or 0) - (created or 0)),
        "output_tokens": told.get("completion_tokens") or 0,
        "cache_creation_input_tokens": created,
        "cache_read_input_tokens": cached,
    }
    return {k: v for k, v in out.items() if v is not None}


def stop_reason(finish: Any, stop: Any, *, calls: bool, whole: bool) -> tuple[str | None, str | None]:
    """Why the model stopped, and at which of the client's sequences.

    ``calls``: tools were called; ``whole``: with arguments to their end. A call that a sequence cut short is not
    to be run, so the sequence goes before it.
    """
    if finish == "length":
        return "max_tokens", None
    if finish not in ("stop", "tool_calls"):
        return None, None
    if calls and whole:
        return "tool_use", None
    if isinstance(stop, str):
        return "stop_sequence", stop
    return ("tool_use" if calls or finish == "tool_calls" else "end_turn"), None
