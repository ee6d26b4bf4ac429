"""What a trace tells of a request to a model and of its answer: OpenTelemetry's semantic conventions for generative AI.

Numbers and names only. Whatever is text, stop sequences and tool names too, stays out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from server.tracing import Value

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
INPUT_MESSAGES = "gen_ai.input.messages"
TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
_REQUEST_MODEL = "gen_ai.request.model"
_RESPONSE_MODEL = "gen_ai.response.model"
_RESPONSE_ID = "gen_ai.response.id"
_FINISH_REASONS = "gen_ai.response.finish_reasons"
_INPUT_TOKENS = "gen_ai.usage.input_tokens"
_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"

_OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "chat",
    "/v1/messages": "chat",
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
}
_NUMBERS = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "n": "gen_ai.request.choice.count",
    "stream": "gen_ai.request.stream",
}
_NAME = re.compile(r"[\w./:@+-]{1,256}", re.ASCII)  # no text: a name has no spaces


def span_name(path: str, request: Mapping[str, Value]) -> str:
    """What a request to a model is called in a trace."""
    return " ".join(str(request[k]) for k in (OPERATION, _REQUEST_MODEL) if k in request) or f"POST {path}"


def of_request(path: str, body: bytes) -> dict[str, Value]:
    """The attributes of a request that is sent to a model server."""
    found: dict[str, Value] = {PROVIDER: "vllm"}
    if path in _OPERATIONS:
        found[OPERATION] = _OPERATIONS[path]
    fields = _object(body)
    found |= {_NUMBERS[k]: fields[k] for k in _NUMBERS if isinstance(fields.get(k), (int, float))}
    return found | _named(_REQUEST_MODEL, fields.get("model"))


def of_answer(objects: Iterable[Mapping[str, Any]]) -> dict[str, Value]:
    """The attributes of a whole answer, or of the chunks of a stream."""
    found: dict[str, Value] = {}
    reasons: list[str] = []
    for item in objects:
        found |= _named(_RESPONSE_ID, item.get("id")) | _named(_RESPONSE_MODEL, item.get("model"))
        usage = item.get("usage")
        if isinstance(usage, dict):
            found |= _count(_INPUT_TOKENS, usage.get("prompt_tokens", usage.get("input_tokens")))
            found |= _count(_OUTPUT_TOKENS, usage.get("completion_tokens", usage.get("output_tokens")))
        reasons += _reasons(item.get("choices"))
    return found | ({_FINISH_REASONS: reasons} if reasons else {})


def answer_objects(content: bytes, *, streamed: bool) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of an answer's body; parts of one that was cut are left out."""
    parts = (p[5:] for p in content.split(b"\n") if p.startswith(b"data:")) if streamed else (content,)
    return filter(None, map(_object, parts))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _named(attribute: str, value: object) -> dict[str, Value]:
    return {attribute: value} if isinstance(value, str) and _NAME.fullmatch(value) else {}


def _count(attribute: str, value: object) -> dict[str, Value]:
    return {attribute: value} if isinstance(value, int) else {}


def _reasons(choices: object) -> list[str]:
    told = [c.get("finish_reason") for c in choices if isinstance(c, dict)] if isinstance(choices, list) else []
    return [reason for reason in told if isinstance(reason, str) and _NAME.fullmatch(reason)]
