"""The stream of /v1/messages: out of chat chunks, and to its end when it is ended early."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

from server.dialects.closing import close_json
from server.dialects.frames import frame
from server.dialects.messages_answer import stop_reason, usage

Event = dict[str, Any]


class MessagesTranslation:
    """One stream. Blocks follow each other; a new one closes the one before."""

    def __init__(self, body: Event) -> None:
        self._model = body.get("model") or ""
        self._started = False
        self._finished = False
        self._index = -1
        self._open: str | None = None  # the open block's type
        self._call: str | None = None  # its id, for a call
        self._ids: dict[Any, str] = {}  # of calls, by their index in the chat stream
        self._arguments = ""  # of the latest call
        self._called = False
        self._waiting = ""  # text that came while a call was open
        self._finish: Any = None
        self._stop: Any = None
        self._usage: Any = None
        self._refused = False

    def chunk(self, chunk: Event) -> list[bytes]:
        """The events that a chat chunk brings."""
        if self._finished:
            return []
        if "error" in chunk:
            return self._failed(chunk["error"])
        events: list[Event] = []
        self._usage = chunk.get("usage") or self._usage
        if not self._started:
            self._started = True
            events.append(self._start(chunk))
        choices = chunk.get("choices") or []
        if choices:
            events += self._choice(choices[0])
        return [frame(e) for e in events]

    def done(self) -> list[bytes]:
        """What follows the last chunk."""
        if self._finished:
            return []
        self._finished = True
        events = [] if self._started else [self._start({})]
        events += self._close()
        whole = self._called and _parses(self._arguments)
        reason, sequence = stop_reason(self._finish or "stop", self._stop, calls=self._called, whole=whole)
        delta = {"stop_reason": "refusal" if self._refused else reason, "stop_sequence": sequence}
        events.append({"type": "message_delta", "delta": delta, "usage": usage(self._usage)})
        return [frame(e) for e in [*events, {"type": "message_stop"}]]

    def _start(self, chunk: Event) -> Event:
        message: Event = {
            "id": chunk.get("id") or f"chatcmpl-{uuid.uuid4().hex[:16]}",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": chunk.get("model") or self._model,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage(chunk.get("usage")),
        }
        return {"type": "message_start", "message": message}

    def _choice(self, choice: Event) -> list[Event]:
        if choice.get("finish_reason") is not None:
            self._finish, self._stop = choice["finish_reason"], choice.get("stop_reason")
        delta = choice.get("delta") or {}
        events: list[Event] = []
        thought = delta.get("reasoning") or delta.get("reasoning_content")
        if thought:
            events += self._say("thinking", "thinking", thought)
        self._refused |= bool(delta.get("refusal"))
        said = delta.get("content") or delta.get("refusal")
        if said and self._open == "tool_use":
            self._waiting += said
        elif said:
            events += self._say("text", "text", said)
        for call in delta.get("tool_calls") or []:
            events += self._calling(call)
        return events

    def _say(self, kind: str, field: str, text: str) -> list[Event]:
        events = [] if self._open == kind else [*self._close(), self._begin({"type": kind, field: ""})]
        return [*events, self._delta({"type": f"{kind}_delta", field: text})]

    def _calling(self, call: Event) -> list[Event]:
        function = call.get("function") or {}
        index = call.get("index")
        if call.get("id") is not None:
            self._ids[index] = call["id"]
        own = self._ids.get(index)
        events: list[Event] = []
        if call.get("id") is not None and self._call != own and function.get("name") is not None:
            events += self._close()
            self._called, self._arguments = True, ""
            events.append(self._begin({"type": "tool_use", "id": own, "name": function["name"], "input": {}}))
            self._call = own
        if function.get("arguments") and own is not None and self._call == own:
            self._arguments += function["arguments"]
            events.append(self._delta({"type": "input_json_delta", "partial_json": function["arguments"]}))
        return events

    def _begin(self, block: Event) -> Event:
        self._index += 1
        self._open = block["type"]
        return {"type": "content_block_start", "content_block": block, "index": self._index}

    def _delta(self, delta: Event) -> Event:
        return {"type": "content_block_delta", "delta": delta, "index": self._index}

    def _close(self) -> list[Event]:
        """Close what is open, then say what had to wait for it."""
        events: list[Event] = []
        if self._open == "thinking":
            events.append(self._delta({"type": "signature_delta", "signature": uuid.uuid4().hex}))
        if self._open is not None:
            events.append({"type": "content_block_stop", "index": self._index})
        self._open = self._call = None
        if self._waiting:
            text, self._waiting = self._waiting, ""
            events += [*self._say("text", "text", text), *self._close()]
        return events

    def _failed(self, error: Any) -> list[bytes]:
        self._finished = True
        told = error if isinstance(error, dict) else {"message": str(error)}
        inner = {"type": told.get("type") or "api_error", "message": str(told.get("message") or "")}
        return [frame({"type": "error", "error": inner})]


def _parses(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


class MessagesEnding:
    """Ends a stream early: the open block is closed, a call's JSON made whole, and the turn ends.

    The reason is "end_turn" even where a call was begun: what was cut short is not to be run.
    """

    def __init__(self, body: Event) -> None:
        self._translation = MessagesTranslation(body)
        self._started = self._told = self._stopped = False
        self._open: tuple[int, str] | None = None
        self._json = ""
        self._signed = False
        self._usage: dict[str, Any] = {"input_tokens": 0, "output_tokens": 0}
        self._deltas = 0

    def see(self, event: Event) -> None:
        """Note an event that the client has got."""
        kind = event.get("type")
        if kind == "message_start":
            self._started = True
            self._usage |= (event.get("message") or {}).get("usage") or {}
        elif kind == "content_block_start":
            self._open = event.get("index", 0), (event.get("content_block") or {}).get("type", "text")
            self._json, self._signed = "", False
        elif kind == "content_block_delta":
            delta = event.get("delta") or {}
            self._json += delta.get("partial_json") or ""
            self._signed |= delta.get("type") == "signature_delta"
            self._deltas += 1
        elif kind == "content_block_stop":
            self._open = None
        elif kind == "message_delta":
            self._told = True
        elif kind in ("message_stop", "error"):
            self._stopped = True

    def missing(self) -> list[Event]:
        """None: these are no chat chunks."""
        return []

    def end(self) -> list[bytes]:
        """The events that are missing."""
        if self._stopped:
            return []
        if not self._started:
            return self._translation.done()
        events = self._block_end()
        if not self._told:
            counted = self._usage | {"output_tokens": max(self._usage["output_tokens"] or 0, self._deltas)}
            delta = {"stop_reason": "end_turn", "stop_sequence": None}
            events.append({"type": "message_delta", "delta": delta, "usage": counted})
        self._stopped = True
        return [frame(e) for e in [*events, {"type": "message_stop"}]]

    def _block_end(self) -> list[Event]:
        if self._open is None:
            return []
        index, kind = self._open
        delta: Event | None = None
        if kind == "tool_use" and close_json(self._json):
            delta = {"type": "input_json_delta", "partial_json": close_json(self._json)}
        elif kind == "thinking" and not self._signed:
            delta = {"type": "signature_delta", "signature": uuid.uuid4().hex}
        events = [{"type": "content_block_delta", "delta": delta, "index": index}] if delta else []
        return [*events, {"type": "content_block_stop", "index": index}]
