"""Requests to every endpoint that bring a text to the model in every way that there is."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ENDPOINTS = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
}
PLACES = (
    "content", "tool_arguments", "tool_result", "system", "reasoning", "n2", "logprobs", "echo", "multi_turn",
    "previous_response_id", "unasked",
)  # fmt: skip
"""Where the text is that touches the list, or where the answer would tell; "unasked": only the answer does."""

ACTIONS = ("eco", "dragon", "icul", "refuse", "template")

# What an API does not have.
_NOT = {
    "chat": {"previous_response_id"},
    "completions": {"tool_arguments", "tool_result", "system", "reasoning", "multi_turn", "previous_response_id"},
    "responses": {"n2", "echo"},
    "messages": {"n2", "logprobs", "echo", "previous_response_id"},
}
_SCHEMA = {"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]}
_FOLLOW_UP = "And what else should I know about that person?"
NEUTRAL = "Please go on with what I gave you."


def possible(endpoint: str, place: str) -> bool:
    """Whether the endpoint has the place."""
    return place not in _NOT[endpoint]


def request(endpoint: str, place: str, text: str, *, stream: bool) -> Json:
    """The body that brings ``text`` to the model at ``place``."""
    make = {"chat": _chat, "completions": _completion, "responses": _response, "messages": _message}[endpoint]
    body = {"model": "m", "temperature": 0, "stream": stream, **make(place, text)}
    if place == "n2":  # of greedy answers there is but one
        body |= {"temperature": 1, "seed": 7}
    if stream and endpoint in ("chat", "completions"):
        body["stream_options"] = {"include_usage": True}
    return body


def _chat(place: str, text: str) -> Json:
    body: Json = {"messages": [{"role": "user", "content": text}]}
    function = {"name": "note", "description": "Keeps a note.", "parameters": _SCHEMA}
    if place == "system":
        body["messages"] = [{"role": "system", "content": text}, {"role": "user", "content": NEUTRAL}]
    elif place == "multi_turn":
        body["messages"] += [{"role": "assistant", "content": "Yes?"}, {"role": "user", "content": _FOLLOW_UP}]
    elif place == "tool_result":
        call = {"id": "c1", "type": "function", "function": {"name": "note", "arguments": "{}"}}
        body["messages"] = [
            {"role": "user", "content": NEUTRAL},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": text},
        ]
    if place in ("tool_arguments", "tool_result"):
        body["tools"] = [{"type": "function", "function": function}]
    if place == "n2":
        body["n"] = 2
    if place == "logprobs":
        body |= {"logprobs": True, "top_logprobs": 2}
    if place == "echo":
        body["echo"] = True
    return body


def _completion(place: str, text: str) -> Json:
    more: dict[str, Json] = {"n2": {"n": 2}, "logprobs": {"logprobs": 2}, "echo": {"echo": True}}
    return {"prompt": text, **more.get(place, {})}


def _response(place: str, text: str) -> Json:
    body: Json = {"input": text}
    tool = {"type": "function", "name": "note", "description": "Keeps a note.", "parameters": _SCHEMA, "strict": False}
    if place == "system":
        body = {"instructions": text, "input": NEUTRAL}
    elif place == "multi_turn":
        body["input"] = [{"role": "user", "content": text}, {"role": "assistant", "content": "Yes?"},
                         {"role": "user", "content": _FOLLOW_UP}]  # fmt: skip
    elif place == "tool_result":
        body["input"] = [
            {"role": "user", "content": NEUTRAL},
            {"type": "function_call", "call_id": "c1", "name": "note", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": text},
        ]
    if place in ("tool_arguments", "tool_result"):
        body["tools"] = [tool]
    if place == "logprobs":
        body |= {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    return body


def _message(place: str, text: str) -> Json:
    body: Json = {"max_tokens": 64, "messages": [{"role": "user", "content": text}]}
    if place == "system":
        body |= {"system": text, "messages": [{"role": "user", "content": NEUTRAL}]}
    elif place == "multi_turn":
        body["messages"] += [{"role": "assistant", "content": "Yes?"}, {"role": "user", "content": _FOLLOW_UP}]
    elif place == "tool_result":
        body["messages"] = [
            {"role": "user", "content": NEUTRAL},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "note", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": text}]},
        ]
    if place in ("tool_arguments", "tool_result"):
        body["tools"] = [{"name": "note", "description": "Keeps a note.", "input_schema": _SCHEMA}]
    return body
