"""What a model server would answer that tells everything: each API's answers, whole and streamed, in its own form.

The texts come in pieces, so that a run can cut them where it likes. Shapes are those that vLLM 0.32 sends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What is told and where: "content", "reasoning", "tool_arguments", "n2" (the second choice) or "logprobs"."""

    pieces: tuple[str, ...]
    place: str = "content"
    alternative: str = ""  # what log-probabilities name beside the words; for "logprobs"

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)


HARMLESS = Told(("Here ", "is ", "something ", "else."))


def whole(path: str, told: Told) -> Json:
    """A whole answer."""
    return {"chat": _chat, "completions": _completion, "responses": _response, "messages": _message}[_api(path)](told)


def stream(path: str, told: Told) -> Iterator[bytes]:
    """A streamed answer, event by event."""
    make = {"chat": _chat_chunks, "completions": _completion_chunks, "responses": _response_events,
            "messages": _message_events}[_api(path)]  # fmt: skip
    named = _api(path) in ("responses", "messages")
    for event in make(told):
        head = f"event: {event['type']}\n" if named else ""
        yield head.encode() + b"data: " + orjson.dumps(event) + b"\n\n"
    if not named:
        yield b"data: [DONE]\n\n"


def _api(path: str) -> str:
    return "chat" if path.endswith("/chat/completions") else path.rsplit("/", 1)[1]


def _arguments(pieces: Sequence[str]) -> list[str]:
    """The pieces as fragments of a JSON document, non-ASCII and the first letter of each piece escaped."""
    escaped = [f"\\u{ord(p[0]):04x}{json.dumps(p[1:])[1:-1]}" if p else "" for p in pieces]
    return ['{"note": "', *escaped, '"}']


def _top(told: Told) -> Json:
    return {"token": told.alternative, "logprob": -1.0, "bytes": list(told.alternative.encode())}


def _chat_logprobs(told: Told) -> Json | None:
    if told.place != "logprobs":
        return None
    words = HARMLESS.pieces
    return {"content": [{"token": w, "logprob": -0.1, "bytes": None, "top_logprobs": [_top(told)]} for w in words]}


def _chat(told: Told) -> Json:
    texts = [told.text]
    if told.place == "n2":
        texts = [HARMLESS.text, told.text]
    choices = [{"index": i, "message": _chat_message(told, t), "logprobs": _chat_logprobs(told),
                "finish_reason": "stop", "stop_reason": None} for i, t in enumerate(texts)]  # fmt: skip
    usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices,
            "usage": usage}  # fmt: skip


def _chat_message(told: Told, text: str) -> Json:
    message: Json = {"role": "assistant", "content": text, "refusal": None, "tool_calls": [], "reasoning": None}
    if told.place == "reasoning":
        message |= {"content": HARMLESS.text, "reasoning": text}
    elif told.place == "tool_arguments":
        call = {"id": "call-1", "type": "function",
                "function": {"name": "note", "arguments": "".join(_arguments(told.pieces))}}  # fmt: skip
        message |= {"content": None, "tool_calls": [call]}
    elif told.place == "logprobs":
        message["content"] = HARMLESS.text
    return message


def _chat_chunks(told: Told) -> Iterator[Json]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def chunk(delta: Json, index: int = 0, end: str | None = None, logprobs: Json | None = None) -> Json:
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": end}
        return {**base, "choices": [choice]}

    choices = (0, 1) if told.place == "n2" else (0,)
    for i in choices:
        yield chunk({"role": "assistant", "content": ""}, i)
    if told.place == "tool_arguments":
        yield chunk({"tool_calls": [_call("note", "", first=True)]})
        for fragment in _arguments(told.pieces):
            yield chunk({"tool_calls": [_call(None, fragment)]})
    elif told.place == "logprobs":
        for word in HARMLESS.pieces:
            yield chunk({"content": word}, logprobs={"content": [
                {"token": word, "logprob": -0.1, "bytes": None, "top_logprobs": [_top(told)]}]})  # fmt: skip
    else:
        field = "reasoning" if told.place == "reasoning" else "content"
        for piece in told.pieces:
            yield chunk({field: piece}, choices[-1])
    for i in choices:
        yield chunk({}, i, "tool_calls" if told.place == "tool_arguments" else "stop")
    yield {**base, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}}


def _call(name: str | None, arguments: str, *, first: bool = False) -> Json:
    call: Json = {"index": 0, "function": {"arguments": arguments}}
    if first:
        call |= {"id": "call-1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return call


def _completion(told: Told) -> Json:
    texts = [HARMLESS.text, told.text] if told.place == "n2" else [told.text]
    logprobs = None
    if told.place == "logprobs":
        texts = [HARMLESS.text]
        logprobs = _legacy(HARMLESS.pieces, told)
    choices = [{"index": i, "text": t, "logprobs": logprobs, "finish_reason": "stop"} for i, t in enumerate(texts)]
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": choices,
            "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}}  # fmt: skip


def _legacy(words: Sequence[str], told: Told) -> Json:
    offsets = [sum(map(len, words[:i])) for i in range(len(words))]
    return {"text_offset": offsets, "token_logprobs": [-0.1] * len(words), "tokens": list(words),
            "top_logprobs": [{w: -0.1, told.alternative: -1.0} for w in words]}  # fmt: skip


def _completion_chunks(told: Told) -> Iterator[Json]:
    base = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m"}
    pieces = HARMLESS.pieces if told.place == "logprobs" else told.pieces
    index = 1 if told.place == "n2" else 0
    if index:
        yield {**base, "choices": [{"index": 0, "text": HARMLESS.text, "logprobs": None, "finish_reason": "stop"}]}
    for i, piece in enumerate(pieces):
        logprobs = _legacy([piece], told) if told.place == "logprobs" else None
        end = "stop" if i == len(pieces) - 1 else None
        yield {**base, "choices": [{"index": index, "text": piece, "logprobs": logprobs, "finish_reason": end}]}


def _response(told: Told) -> Json:
    return {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed",
            "output": [_item(told)], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
            "usage": {"input_tokens": 9, "output_tokens": 9, "total_tokens": 18}}  # fmt: skip


def _item(told: Told) -> Json:
    if told.place == "tool_arguments":
        return {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "note", "status": "completed",
                "arguments": "".join(_arguments(told.pieces))}  # fmt: skip
    if told.place == "reasoning":
        return {"type": "reasoning", "id": "rs_1", "summary": [],
                "content": [{"type": "reasoning_text", "text": told.text}]}  # fmt: skip
    part: Json = {"type": "output_text", "annotations": [], "text": told.text, "logprobs": None}
    if told.place == "logprobs":
        words = [{"token": w, "logprob": -0.1, "bytes": [], "top_logprobs": [_top(told)]} for w in HARMLESS.pieces]
        part |= {"text": HARMLESS.text, "logprobs": words}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


def _response_events(told: Told) -> Iterator[Json]:
    final = _response(told)
    begun = {**final, "status": "in_progress", "output": []}
    item = final["output"][0]
    empty: Json = {**item, "status": "in_progress"}
    empty["arguments" if item["type"] == "function_call" else "content"] = "" if item["type"] == "function_call" else []
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": empty},
        *_deltas(told, item),
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": final},
    ]
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def _deltas(told: Told, item: Json) -> Iterator[Json]:
    at = {"item_id": item["id"], "output_index": 0}
    if item["type"] == "function_call":
        for fragment in _arguments(told.pieces):
            yield {"type": "response.function_call_arguments.delta", **at, "delta": fragment}
        yield {"type": "response.function_call_arguments.done", **at, "arguments": item["arguments"], "name": "note"}
        return
    kind = "reasoning_text" if item["type"] == "reasoning" else "output_text"
    at |= {"content_index": 0}
    part = {**item["content"][0]}
    yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
    words = HARMLESS.pieces if told.place == "logprobs" else told.pieces
    for word in words:
        delta: Json = {"type": f"response.{kind}.delta", **at, "delta": word}
        if kind == "output_text":
            tops = [{"token": word, "logprob": -0.1, "top_logprobs": [_top(told)]}]
            delta["logprobs"] = tops if told.place == "logprobs" else []
        yield delta
    yield {"type": f"response.{kind}.done", **at, "text": part["text"], "logprobs": part.get("logprobs") or []}
    yield {"type": "response.content_part.done", **at, "part": part}


def _message(told: Told) -> Json:
    block: Json = {"type": "text", "text": told.text}
    stop = "end_turn"
    if told.place == "reasoning":
        block = {"type": "thinking", "thinking": told.text, "signature": ""}
    elif told.place == "tool_arguments":
        block = {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "note",
            "input": json.loads("".join(_arguments(told.pieces))),
        }
        stop = "tool_use"
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [block],
            "stop_reason": stop, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 9}}  # fmt: skip


def _message_events(told: Told) -> Iterator[Json]:
    final = _message(told)
    block = final["content"][0]
    yield {"type": "message_start", "message": {**final, "content": [], "stop_reason": None}}
    empty = {**block}
    fragments = list(told.pieces)
    if block["type"] == "tool_use":
        empty["input"], kind, key = {}, "input_json_delta", "partial_json"
        fragments = _arguments(told.pieces)
    elif block["type"] == "thinking":
        empty["thinking"], kind, key = "", "thinking_delta", "thinking"
    else:
        empty["text"], kind, key = "", "text_delta", "text"
    yield {"type": "content_block_start", "index": 0, "content_block": empty}
    for fragment in fragments:
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": kind, key: fragment}}
    yield {"type": "content_block_stop", "index": 0}
    delta = {"stop_reason": final["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}}
    yield {"type": "message_stop"}
