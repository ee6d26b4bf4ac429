"""The stream of /v1/responses: out of chat chunks, and to its end when it is ended early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from server.dialects.frames import frame
from server.dialects.responses_answer import finished, logprobs, new_response, prompt_tokens
from server.dialects.responses_items import OpenItem
from server.dialects.responses_request import wants_logprobs
from server.dialects.responses_tools import custom_names, names
from server.dialects.served import Served
from server.errors import clean_message

Event = dict[str, Any]


class _Numbered:
    """Frames events with their place in the stream."""

    def __init__(self, next_number: int = 0) -> None:
        self.next = next_number

    def frames(self, events: list[Event]) -> list[bytes]:
        """``events`` as bytes, numbered."""
        out = []
        for event in events:
            out.append(frame(dict(sorted({**event, "sequence_number": self.next}.items(), key=_order))))
            self.next += 1
        return out


def _order(field: tuple[str, Any]) -> tuple[bool, str]:
    """The order of an event's fields in vLLM's streams."""
    return field[0] == "name", field[0]


class ResponsesTranslation:
    """One stream. Items follow each other; a new one closes the one before."""

    def __init__(self, body: Event, served: Served | None = None) -> None:
        self._body = body
        self._served = served or Served()
        self._names, self._custom = names(body.get("tools")), custom_names(body.get("tools"))
        self._hidden = body.get("include_reasoning") is False
        self._tokens = wants_logprobs(body) and not self._hidden
        self._numbered = _Numbered()
        self._response: Event | None = None
        self._open: OpenItem | None = None
        self._output: list[Event] = []
        self._finish: Any = None
        self._usage: Any = None
        self._finished = False

    @property
    def answer(self) -> Event | None:
        """The response as it was told at the end; None before, and where the stream failed."""
        return self._response if self._finished else None

    def chunk(self, chunk: Event) -> list[bytes]:
        """The events that a chat chunk brings."""
        if self._finished:
            return []
        if "error" in chunk:
            return self._failed(chunk["error"])
        self._usage = chunk.get("usage") or self._usage
        events = self._start(chunk)
        for choice in (chunk.get("choices") or [])[:1]:
            self._finish = choice.get("finish_reason") or self._finish
            events += self._choice(choice)
        return self._numbered.frames(events)

    def done(self) -> list[bytes]:
        """What follows the last chunk."""
        if self._finished:
            return []
        events = self._start({}) + self._close()
        self._response = finished(self._response or {}, self._output, self._usage, self._finish)
        self._finished = True
        return self._numbered.frames([*events, {"type": "response.completed", "response": self._response}])

    def _start(self, chunk: Event) -> list[Event]:
        if self._response is not None:
            return []
        read = prompt_tokens(chunk.get("usage"))
        self._response = new_response(self._body, self._served, chunk.get("model"), prompt_tokens=read)
        kinds = ("response.created", "response.in_progress")
        return [{"type": kind, "response": self._response} for kind in kinds]

    def _choice(self, choice: Event) -> list[Event]:
        delta = choice.get("delta") or {}
        events: list[Event] = []
        thought = delta.get("reasoning", delta.get("reasoning_content"))
        if thought is not None and not self._hidden:
            events += self._to(OpenItem("reasoning", self._index)) + self._more(thought)
        if delta.get("content"):
            tokens = logprobs(choice) if self._tokens else None
            events += self._to(OpenItem("text", self._index)) + self._more(delta["content"], tokens)
        elif delta.get("refusal"):
            events += self._to(OpenItem("refusal", self._index)) + self._more(delta["refusal"])
        for call in delta.get("tool_calls") or []:
            events += self._calling(call)
        return events

    def _calling(self, call: Event) -> list[Event]:
        function = call.get("function") or {}
        name, at = function.get("name"), call.get("index")
        still = self._open is not None and self._open.kind in ("call", "custom") and self._open.call_index == at
        events: list[Event] = []
        if not still:
            if name is None:
                return []
            item = OpenItem(
                "custom" if name in self._custom else "call", self._index,
                call_id=call.get("id"), name=name, names=self._names, call_index=at,
            )  # fmt: skip
            events += self._to(item, another=True)
        return events + (self._more(function["arguments"]) if function.get("arguments") else [])

    @property
    def _index(self) -> int:
        """The place of an item that would be opened now."""
        return len(self._output) + (1 if self._open is not None else 0)

    def _to(self, item: OpenItem, *, another: bool = False) -> list[Event]:
        """Close what is open and open ``item``, unless such a one is open."""
        if self._open is not None and self._open.kind == item.kind and not another:
            return []
        events = self._close()
        self._open = item
        return events + item.begin()

    def _more(self, text: str, tokens: list[Event] | None = None) -> list[Event]:
        return self._open.more(text, tokens) if self._open is not None else []

    def _close(self) -> list[Event]:
        if self._open is None:
            return []
        events = self._open.close()
        self._output.append(events[-1]["item"])
        self._open = None
        return events

    def _failed(self, error: Any) -> list[bytes]:
        self._finished, self._response = True, None
        told = error if isinstance(error, dict) else {"message": str(error)}
        code, message = told.get("code"), clean_message(str(told.get("message") or "The model server failed."))
        same = {"code": None if code is None else str(code), "message": message, "param": None}
        # The fields of OpenAI's event, and ``error`` with the same, at which its clients raise.
        return self._numbered.frames([{"type": "error", **same, "error": same}])


_KINDS: dict[str, Any] = {
    "message": "text", "reasoning": "reasoning", "function_call": "call", "custom_tool_call": "custom",
}  # fmt: skip
_DELTAS = frozenset(
    {"response.output_text.delta", "response.refusal.delta", "response.reasoning_text.delta",
     "response.function_call_arguments.delta", "response.custom_tool_call_input.delta"}
)  # fmt: skip


class ResponsesEnding:
    """Ends a stream early: the open item is closed, a call's JSON made whole, and the response completed as it is.

    ``usage``: chat's, where somebody knows it; else the deltas are counted.
    """

    def __init__(self, body: Event) -> None:
        self._body = body
        self._response: Event | None = None
        self._numbered = _Numbered()
        self._open: OpenItem | None = None
        self._item: Event | None = None  # the open item as it was added
        self._output: list[Event] = []
        self._deltas = 0
        self._begun = self._stopped = False
        self.usage: Event | None = None

    def see(self, event: Event) -> None:
        """Note an event that the client has got."""
        kind = event.get("type")
        if isinstance(event.get("sequence_number"), int):
            self._numbered.next = event["sequence_number"] + 1
        if kind in ("response.created", "response.in_progress"):
            self._response = event.get("response") or {}
            self._begun = kind == "response.in_progress"
        elif kind == "response.output_item.added":
            self._added(event.get("item") or {}, event.get("output_index", len(self._output)))
        elif kind == "response.content_part.added" and (event.get("part") or {}).get("type") == "refusal":
            if self._open is not None:
                self._open.kind = "refusal"
        elif kind in _DELTAS:
            self._deltas += 1
            if self._open is not None and self._open.kind == "custom":
                self._open.payload += event.get("delta") or ""
            elif self._open is not None:
                self._open.text += event.get("delta") or ""
        elif kind == "response.output_item.done":
            self._output.append(event.get("item") or {})
            self._open = self._item = None
        elif kind in ("response.completed", "response.failed", "response.incomplete", "error"):
            self._stopped = True

    def missing(self) -> list[Event]:
        """None: these are no chat chunks."""
        return []

    def end(self) -> list[bytes]:
        """The events that are missing."""
        if self._stopped:
            return []
        self._stopped = True
        if self._response is None:
            return ResponsesTranslation(self._body).done()
        begin = [] if self._begun else [{"type": "response.in_progress", "response": self._response}]
        events = [*begin, *self._last_events()]
        usage = self.usage or {"prompt_tokens": 0, "completion_tokens": self._deltas}
        response = finished(self._response, self._output, usage, "stop")
        return self._numbered.frames([*events, {"type": "response.completed", "response": response}])

    def _added(self, item: Event, index: int) -> None:
        self._item, self._open = item, None
        kind = _KINDS.get(str(item.get("type")))
        if kind is not None:
            own, name = str(item.get("id") or ""), str(item.get("name") or "")
            self._open = OpenItem(kind, index, item_id=own, call_id=item.get("call_id"), name=name)

    def _last_events(self) -> Iterator[Event]:
        if self._open is not None:
            if self._open.kind == "custom":
                self._open.text = orjson.dumps({"input": self._open.payload}).decode()
            events = self._open.complete() + self._open.close()
            if self._open.kind == "call" and self._item is not None:
                events[-1]["item"]["namespace"] = self._item.get("namespace")
            self._output.append(events[-1]["item"])
            yield from events
        elif self._item is not None:  # a kind that is only known to the model server
            item = {**self._item, "status": "completed"}
            self._output.append(item)
            yield {"type": "response.output_item.done", "item": item, "output_index": len(self._output) - 1}
