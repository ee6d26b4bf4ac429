"""The events that one output item of a streamed response goes through: added, deltas, done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from server.dialects.closing import close_json
from server.dialects.responses_answer import (
    call_item,
    custom_item,
    message_item,
    new_id,
    reasoning_item,
    refusal_part,
    text_part,
)
from server.dialects.responses_tools import custom_input, custom_input_so_far

Event = dict[str, Any]
Kind = Literal["text", "refusal", "reasoning", "call", "custom"]

_PREFIX: dict[Kind, str] = {"text": "msg", "refusal": "msg", "reasoning": "rs", "call": "fc", "custom": "ctc"}
_PARTS: dict[Kind, str] = {
    "text": "response.output_text", "refusal": "response.refusal", "reasoning": "response.reasoning_text",
}  # fmt: skip


@dataclass(slots=True)
class OpenItem:
    """An item that grows. Events are without their ``sequence_number``.

    ``text``: what it holds so far, for calls their arguments; ``tokens``: log probabilities of it.
    """

    kind: Kind
    index: int
    item_id: str = ""
    text: str = ""
    tokens: list[Event] = field(default_factory=list)
    call_id: Any = None
    name: str = ""
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    call_index: Any = None  # its place among the calls of the chat stream
    payload: str = ""  # of a custom call: how much of its text was told

    def __post_init__(self) -> None:
        self.item_id = self.item_id or new_id(_PREFIX[self.kind])

    def begin(self) -> list[Event]:
        """The events that open it."""
        events = [{"type": "response.output_item.added", "item": self._item(done=False), "output_index": self.index}]
        if self.kind in _PARTS:
            part = self._part()
            if self.kind == "text":
                part = {**part, "logprobs": []}
            events.append(self._of("response.content_part.added", part=part))
        return events

    def more(self, text: str, tokens: list[Event] | None = None) -> list[Event]:
        """The events of more text."""
        self.text += text
        if self.kind == "custom":
            return self._told(custom_input_so_far(self.text))
        if self.kind == "call":
            return [self._of("response.function_call_arguments.delta", part_of=False, delta=text)]
        event = self._of(f"{_PARTS[self.kind]}.delta", delta=text)
        if self.kind == "text":
            self.tokens += tokens or []
            event["logprobs"] = [_short(t) for t in tokens or []]
        return [event]

    def complete(self) -> list[Event]:
        """What makes the JSON of a call whole that is ended early."""
        rest = close_json(self.text) if self.kind == "call" else ""
        return self.more(rest) if rest else []

    def close(self) -> list[Event]:
        """The events that close it; the last carries the item."""
        events: list[Event] = []
        told: Event
        if self.kind == "call":
            told = {"arguments": self.text, "name": self.names.get(self.name, ("", self.name))[1]}
            events.append(self._of("response.function_call_arguments.done", part_of=False, **told))
        elif self.kind == "custom":
            text = custom_input(self.text)
            events += self._told(text)
            events.append(self._of("response.custom_tool_call_input.done", part_of=False, input=text))
        else:
            told = {"refusal" if self.kind == "refusal" else "text": self.text}
            told |= {"logprobs": []} if self.kind == "text" else {}
            events.append(self._of(f"{_PARTS[self.kind]}.done", **told))
            events.append(self._of("response.content_part.done", part=self._part()))
        done = {"type": "response.output_item.done", "item": self._item(done=True), "output_index": self.index}
        return [*events, done]

    def _told(self, payload: str) -> list[Event]:
        """More of a custom call's text. What was told cannot be taken back: what does not go on from it is all told."""
        if payload == self.payload:
            return []
        new = payload[len(self.payload) :] if payload.startswith(self.payload) else payload
        self.payload = payload
        return [self._of("response.custom_tool_call_input.delta", part_of=False, delta=new)]

    def _of(self, kind: str, *, part_of: bool = True, **told: Any) -> Event:
        place = {"content_index": 0} if part_of else {}
        return {"type": kind, **place, **told, "item_id": self.item_id, "output_index": self.index}

    def _part(self) -> Event:
        if self.kind == "text":
            return text_part(self.text, self.tokens or None)
        if self.kind == "refusal":
            return refusal_part(self.text)
        return {"text": self.text, "type": "reasoning_text"}

    def _item(self, *, done: bool) -> Event:
        status = "completed" if done else "in_progress"
        if self.kind == "call":
            return call_item(self.item_id, self.call_id, self.name, self.text, self.names, status)
        if self.kind == "custom":
            return custom_item(self.item_id, self.call_id, self.name, custom_input(self.text) if done else "")
        if self.kind == "reasoning":
            return reasoning_item(self.item_id, self.text if done else None, status)
        return message_item(self.item_id, [self._part()] if done and self.text else [], status)


def _short(token: Event) -> Event:
    """Deltas tell tokens without their bytes."""
    own = {"token": token["token"], "logprob": token["logprob"]}
    return {**own, "top_logprobs": [{"token": t["token"], "logprob": t["logprob"]} for t in token["top_logprobs"]]}
