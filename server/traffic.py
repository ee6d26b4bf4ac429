"""Requests out of files: JSON lines of OpenAI bodies, of gateways' logs, of texts, or plain lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

# Where gateways and batch files keep the request in a line.
_INNER = ("request", "body", "request_body", "proxy_server_request", "kwargs", "params", "data", "input")
_TEXTS = ("text", "question", "prompt")
# Keys that a request does not have: with one of them, the line is a log's, and only the request in it is judged.
_OF_LOGS = frozenset(
    {
        "response", "choices", "usage", "status", "startTime", "endTime", "start_time", "end_time", "call_type",
        "timestamp", "duration", "latency", "spend", "error", "output", "completion",
    }
)  # fmt: skip
_OF_REQUESTS = frozenset(
    {
        "messages", "prompt", "suffix", "tools", "functions", "tool_choice", "function_call", "response_format",
        "documents", "chat_template", "chat_template_kwargs", "structured_outputs", "prediction", "stop", "echo",
        "prompt_logprobs",
    }
)  # fmt: skip
_IDS = ("id", "custom_id", "request_id", "litellm_call_id", "call_id")
_DEEPEST = 4


class NoRequest(ValueError):
    """A line that holds no request."""


@dataclass(frozen=True, slots=True)
class Line:
    """A request of a file. ``shown``: the text to show for it."""

    number: int
    item: dict[str, Any]
    shown: str


def read_line(number: int, raw: bytes) -> Line:
    """The request in a line, counted from 1.

    Raises:
        NoRequest: there is none.
    """
    text = raw.decode("utf-8", "replace").strip()
    value: Any = text
    if text.startswith(("{", '"')):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            if text.startswith("{"):
                raise NoRequest(f"not a JSON object: {type(error).__name__}") from error
    if isinstance(value, str):
        return Line(number, {"text": value}, value)
    found = _request(value, 0)
    if found is None:
        raise NoRequest("no 'messages', 'prompt', 'text' or 'question' in it")
    item = {k: v for k, v in found.items() if k in _OF_REQUESTS} if found.keys() & _OF_LOGS else dict(found)
    item.pop("id", None)
    name = next((value[k] for k in _IDS if isinstance(value.get(k), (str, int))), None)
    return Line(number, item | ({} if name is None else {"id": name}), _shown(item))


def _request(value: Any, depth: int) -> dict[str, Any] | None:
    """The outermost object that is a request; bodies that are JSON in a string are read."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, dict) or depth > _DEEPEST:
        return None
    if isinstance(value.get("messages"), list) or isinstance(value.get("prompt"), list):
        return value
    texts = [value[key] for key in _TEXTS if isinstance(value.get(key), str)]
    inner = [found for key in _INNER if (found := _request(value.get(key), depth + 1)) is not None]
    if inner:
        return inner[0]
    if isinstance(value.get("prompt"), str):
        return value
    return {"text": texts[0]} if texts else None


def _shown(item: dict[str, Any]) -> str:
    """What the user asked last."""
    messages = item.get("messages")
    if isinstance(messages, list):
        contents = [m.get("content") for m in messages if isinstance(m, dict) and m.get("role", "user") == "user"]
        last = contents[-1] if contents else ""
        parts = [p.get("text", "") for p in last if isinstance(p, dict)] if isinstance(last, list) else [last or ""]
        return " ".join(map(str, parts))
    return str(item.get("prompt") or item.get("text") or "")
