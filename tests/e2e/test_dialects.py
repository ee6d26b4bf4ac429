"""Anthropic's messages and OpenAI's responses as chat completions: vLLM reads the same prompt, and says the same."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from server.dialects import messages, responses
from server.dialects.served import Served as Model
from server.dialects.state import ResponseStore, owner_of
from server.sse import Splitter
from tests.e2e.conftest import Served

pytestmark = pytest.mark.e2e

CONTEXT = Model(max_model_len=2048)
SCHEMA = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False,
}  # fmt: skip
TOOL = {"name": "get_weather", "description": "The weather in a city"}
FUNCTION = {"type": "function", **TOOL, "parameters": SCHEMA, "strict": True}
CLIENT_TOOL = {**TOOL, "input_schema": SCHEMA, "strict": True}
QUESTION = "What is the capital of Italy?"
TURNS = [
    {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello! How are you?"},
    {"role": "user", "content": QUESTION},
]  # fmt: skip


def _said(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


def _parts(kind: str, *texts: str) -> list[dict[str, Any]]:
    return [{"type": kind, "text": text} for text in texts]


# name -> (fields of a request to /v1/messages, of one to /v1/responses); None where one of them has no such thing
CASES: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    "a question": ({"messages": _said(QUESTION)}, {"input": QUESTION}),
    "turns": ({"messages": TURNS}, {"input": TURNS}),
    "parts": (
        {"messages": _said(_parts("text", "Well.", QUESTION))},
        {"input": _said(_parts("input_text", "Well.", QUESTION))},
    ),
    "a system prompt": (
        {"messages": _said(QUESTION), "system": _parts("text", "Answer in one ", "word.")},
        {"input": QUESTION, "instructions": "Answer in one word."},
    ),
    "a stop sequence": ({"messages": _said(QUESTION), "stop_sequences": [" of"]}, {"input": QUESTION, "stop": [" of"]}),
    "a limit": ({"messages": _said(QUESTION), "max_tokens": 3}, {"input": QUESTION, "max_output_tokens": 3}),
    "a forced call": (
        {"messages": _said("Weather in Oslo?"), "tools": [CLIENT_TOOL], "max_tokens": 64,
         "tool_choice": {"type": "tool", "name": "get_weather"}},
        {"input": "Weather in Oslo?", "tools": [FUNCTION], "max_output_tokens": 64,
         "tool_choice": {"type": "function", "name": "get_weather"}},
    ),
    "tools left alone": (
        {"messages": _said(QUESTION), "tools": [CLIENT_TOOL], "tool_choice": {"type": "none"}},
        {"input": QUESTION, "tools": [FUNCTION], "tool_choice": "none"},
    ),
    "structured output": (
        {"messages": _said(QUESTION), "max_tokens": 64,
         "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {"input": QUESTION, "max_output_tokens": 64,
         "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}}},
    ),
    "log probabilities": (None, {"input": QUESTION, "include": ["message.output_text.logprobs"], "top_logprobs": 2}),
    "seeded sampling": (None, {"input": QUESTION, "temperature": 0.9, "seed": 7, "top_p": 0.8}),
    "no limit": (None, {"input": "Say yes.", "stop": ["."], "max_output_tokens": None}),
}  # fmt: skip
BOTH = [
    pytest.param(dialect, fields, id=f"{dialect.path} {name}")
    for name, pair in CASES.items()
    for dialect, fields in zip((messages, responses), pair, strict=True)
    if fields is not None
]


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    """Nothing is on the lists here: requests go to vLLM's own endpoints as they are."""
    served.admin("PATCH", "/lists/sample", json={"enabled": False}).raise_for_status()
    with httpx.Client(base_url=served.url, timeout=300, headers={"Authorization": "Bearer any"}) as client:
        for dialect in (messages, responses):
            if client.post(dialect.path, json={}).status_code == 404:
                pytest.skip(f"{dialect.path} is not served")
        yield client
    served.admin("PATCH", "/lists/sample", json={"enabled": True}).raise_for_status()


def _body(dialect: Any, fields: dict[str, Any]) -> dict[str, Any]:
    limit = {"max_tokens": 24} if dialect is messages else {"max_output_tokens": 24}
    body = {"model": "smollm2", "temperature": 0, **limit, **fields}
    return {k: v for k, v in body.items() if v is not None}


def _steady(value: Any) -> Any:
    """An answer without ids, times, what was in the cache, and the last digits of numbers."""
    if isinstance(value, dict):
        changing = ("id", "item_id", "call_id", "created_at", "signature", "sequence_number", "cached_tokens",
                    "cache_write_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")  # fmt: skip
        return {k: _steady(v) for k, v in value.items() if k not in changing}
    if isinstance(value, list):
        return [_steady(v) for v in value]
    return round(value, 2) if isinstance(value, float) else value


def _joined(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring deltas as one: how a text is cut depends on the time."""
    out: list[dict[str, Any]] = []
    for event in copy.deepcopy(events):
        before = out[-1] if out and out[-1]["type"] == event["type"] else None
        delta = event.get("delta")
        if before is not None and isinstance(delta, str):
            before["delta"] += delta
            before["logprobs"] = (before.get("logprobs") or []) + (event.get("logprobs") or [])
        elif before is not None and event["type"] == "content_block_delta" and before["index"] == event["index"]:
            for field in ("text", "thinking", "partial_json"):
                if field in delta:
                    before["delta"][field] += delta[field]
        else:
            out.append(event)
    return [{k: v for k, v in e.items() if k != "logprobs"} if e.get("logprobs") == [] else e for e in out]


def _events(raw: bytes) -> list[dict[str, Any]]:
    return [event.data for event in Splitter().feed(raw) if event.data is not None]


@pytest.mark.parametrize(("dialect", "fields"), BOTH)
def test_chat_says_what_the_endpoint_itself_says(client: httpx.Client, dialect: Any, fields: dict[str, Any]) -> None:
    body = _body(dialect, fields)
    native = client.post(dialect.path, json=body)
    assert native.status_code == 200, native.text
    chat = client.post("/v1/chat/completions", json=dialect.to_chat(body))
    assert chat.status_code == 200, chat.text
    more = (CONTEXT,) if dialect is responses else ()
    assert _steady(dialect.from_chat(chat.json(), body, *more)) == _steady(native.json())


@pytest.mark.parametrize(("dialect", "fields"), BOTH)
def test_chats_stream_says_what_the_endpoints_own_says(
    client: httpx.Client, dialect: Any, fields: dict[str, Any]
) -> None:
    body = _body(dialect, fields) | {"stream": True}
    native = _events(client.post(dialect.path, json=body).content)
    more = (CONTEXT,) if dialect is responses else ()
    translation = dialect.translation(body, *more)
    chunks = _events(client.post("/v1/chat/completions", json=dialect.to_chat(body)).content)
    raw = b"".join([*(event for chunk in chunks for event in translation.chunk(chunk)), *translation.done()])
    assert _steady(_joined(_events(raw))) == _steady(_joined(native))


def test_a_conversation_that_is_kept_reads_as_one_that_is_sent(client: httpx.Client) -> None:
    store, owner, previous = ResponseStore(), owner_of("a key"), None
    sent: list[dict[str, Any]] = []
    for turn in ("My name is Ann.", "What is my name?", "And yours?"):
        body = store.expand(_body(responses, {"input": turn, "previous_response_id": previous}), owner)
        kept = client.post("/v1/responses", json={**body, "store": False}).json()
        sent.append({"role": "user", "content": turn})
        chat = {"model": "smollm2", "temperature": 0, "max_completion_tokens": 24, "messages": sent}
        whole = client.post("/v1/chat/completions", json=chat).json()
        said = whole["choices"][0]["message"]["content"]
        assert kept["output"][0]["content"][0]["text"] == said
        assert kept["usage"]["input_tokens"] == whole["usage"]["prompt_tokens"]
        assert store.remember(body, kept, owner)
        sent.append({"role": "assistant", "content": said})
        previous = kept["id"]
