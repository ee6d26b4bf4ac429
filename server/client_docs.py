"""The client's routes as the OpenAPI document has them; bodies may hold more, which is the model server's to read."""

from __future__ import annotations

from typing import Any

from server.documented import documented

Schema = dict[str, Any]

_FAULTS = (400, 401, 403, 405, 413, 415, 429, 499, 500, 502, 503, 504)
_TEXT: Schema = {"type": "string"}
_MODEL: Schema = {"model": {"type": "string", "description": "one of `GET /v1/models`"}}
_STREAM: Schema = {"stream": {"type": "boolean", "default": False}}
_MESSAGES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["role", "content"],
        "properties": {
            "role": {"type": "string", "enum": ["system", "user", "assistant"]},
            "content": {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": {
                "type": "object", "required": ["type", "text"],
                "properties": {"type": {"const": "text"}, "text": _TEXT},
            }}]},
        },
    },
}  # fmt: skip


def _object(required: list[str], **properties: Schema) -> Schema:
    return {"type": "object", "required": required, "properties": _MODEL | properties, "additionalProperties": True}


_COUNT: Schema = {"type": "integer", "minimum": 1}
_IDS: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
_PROMPT: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}, _IDS]}
_CHAT = _object(["messages"], messages=_MESSAGES, **_STREAM)
_BODIES: dict[str, tuple[str, Schema]] = {
    "/v1/chat/completions": ("OpenAI's chat completions, guarded", _CHAT),
    "/v1/completions": ("OpenAI's completions, guarded", _object(["prompt"], prompt=_PROMPT, **_STREAM)),
    "/v1/responses": ("OpenAI's responses, guarded", _object(["input"], input=_TEXT, **_STREAM)),
    "/v1/messages": (
        "Anthropic's messages, guarded",
        _object(["messages", "max_tokens"], messages=_MESSAGES, max_tokens=_COUNT, **_STREAM),
    ),
    "/v1/messages/count_tokens": ("How many tokens a message has", _object(["messages"], messages=_MESSAGES)),
    "/v1/embeddings": (
        "OpenAI's embeddings, of texts without what lists guard",
        _object(["input"], input={"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
    ),
    "/tokenize": ("vLLM's tokens of a text", _object(["prompt"], prompt=_TEXT)),
    "/detokenize": ("vLLM's text of tokens", _object(["tokens"], tokens=_IDS)),
}  # fmt: skip
_ANTHROPIC: Schema = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {"type": "object", "required": ["type", "message"], "properties": {"type": _TEXT, "message": _TEXT}},
    },
}
_EVENT: Schema = {"type": "object", "required": ["data"], "properties": {"data": _TEXT, "event": _TEXT}}
_TOLD: Schema = {
    "x-letheward-action": {"description": "what was done: pass, eco, dragon, refuse, ...", "schema": _TEXT},
    "x-letheward-revision": {"description": "of the forget lists that judged it", "schema": {"type": "string"}},
}


def described(method: str, path: str) -> dict[str, Any]:
    """What FastAPI is to know of a client's route beside its handler."""
    if method == "GET" and path == "/v1/models":
        return {"tags": ["client"], "summary": "The models that are served", "responses": _answers(path, body=False)}
    if "{response_id}" in path:
        parameter = {"name": "response_id", "in": "path", "required": True, "schema": _TEXT}
        return {
            "tags": ["client"],
            "summary": "A remembered response" if method == "GET" else "Forget a remembered response",
            "responses": _answers(path, body=False) | documented(404),
            "openapi_extra": {"parameters": [parameter]},
        }
    summary, schema = _BODIES.get(path, ("A route of the model server that the operator named", _object([])))
    content = {"application/json": {"schema": schema}}
    return {
        "tags": ["client"],
        "summary": summary,
        "responses": _answers(path, body=True),
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }


def _answers(path: str, *, body: bool) -> dict[int | str, dict[str, Any]]:
    kinds = {"application/json": {"schema": {"type": "object"}}}
    if body:
        kinds |= {"text/event-stream": {"schema": _EVENT}}
    found: dict[int | str, dict[str, Any]] = {200: {"description": "The answer", "headers": _TOLD, "content": kinds}}
    found |= {"default": {"description": "What the model server answered, without what it repeats of the request"}}
    if path.startswith("/v1/messages"):
        faults = {status: told["description"] for status, told in documented(*_FAULTS).items()}
        content = {"application/json": {"schema": _ANTHROPIC}}
        return found | {status: {"description": text, "content": content} for status, text in faults.items()}
    return found | documented(*_FAULTS)
