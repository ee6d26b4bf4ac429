"""A request to /v1/messages as one to chat completions, so that vLLM renders the same prompt for both.

How blocks become messages follows what vLLM 0.32 does with them (vllm/entrypoints/anthropic/serving.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from server.dialects.reading import Message, unsupported, wrong
from server.strings import texts
from server.surfaces import Body

Block = dict[str, Any]

_SAME = ("model", "temperature", "top_p", "top_k", "watermarking", "cache_salt", "vllm_xargs", "chat_template_kwargs")
_BILLING = "x-anthropic-billing-header"  # Claude Code puts one before its system prompt; vLLM takes it out
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def to_chat(body: Body) -> Body:
    """The chat completions request for ``body``.

    Raises:
        ApiError: 400 for what vLLM's own endpoint refuses as well.
    """
    chat: Body = {key: body[key] for key in _SAME if body.get(key) is not None}
    chat["messages"] = read(body, strict=True)
    limit = body.get("max_tokens")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise wrong("'max_tokens' must be a positive integer.", "max_tokens")
    chat["max_completion_tokens"] = limit
    if body.get("stop_sequences"):
        chat["stop"] = body["stop_sequences"]
    if body.get("stream"):
        chat |= {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}
    return chat | _output(body) | _thinking(body, limit) | _tools(body)


def read(body: Body, *, strict: bool) -> list[Message]:
    """The messages of ``body`` as chat messages.

    Not ``strict``: what cannot be carried is read as text, so that it is judged where it stands.

    Raises:
        ApiError: 400 where there are no messages, or for what cannot be carried.
    """
    given = body.get("messages")
    if not isinstance(given, list) or not given:
        raise wrong("'messages' must be a list with at least one message.", "messages")
    out: list[Message] = []
    system = _system_text(body.get("system"))
    if system:
        out.append({"role": "system", "content": system})
    for i, message in enumerate(given):
        if not isinstance(message, dict):
            raise wrong(f"messages[{i}] must be an object.", "messages")
        _add(message, out, f"messages[{i}]", strict=strict)
    return out


def _system_text(system: Any) -> str:
    """Blocks are put together without anything between them."""
    if isinstance(system, str):
        return system
    blocks = system if isinstance(system, list) else []
    found = [b.get("text") for b in blocks if isinstance(b, dict) and b.get("type") == "text"]
    return "".join(t for t in found if isinstance(t, str) and not t.startswith(_BILLING))


def _add(message: Message, out: list[Message], place: str, *, strict: bool) -> None:
    role, content = message.get("role"), message.get("content")
    if strict and role not in ("user", "assistant", "system"):
        raise wrong(f"{place}.role must be 'user', 'assistant' or 'system'.", "messages")
    if role == "system":
        text = _system_text(content)
        if text and not (isinstance(content, str) and text.startswith(_BILLING)):
            out.append({"role": "system", "content": text})
        return
    if isinstance(content, str):
        out.append({"role": role, "content": content})
        return
    if not isinstance(content, list):
        if strict:
            raise wrong(f"{place}.content must be a string or a list of blocks.", "messages")
        content = [content]
    turn = _Turn(str(role), out, strict)
    for j, block in enumerate(content):
        turn.take(block, f"{place}.content[{j}]")
    turn.close()


@dataclass(slots=True)
class _Turn:
    """One message's blocks on their way to chat messages. Results of tools become messages before it."""

    role: str
    out: list[Message]
    strict: bool
    parts: list[Block] = field(default_factory=list)
    calls: list[Block] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)

    def take(self, block: Any, place: str) -> None:
        """One block.

        Raises:
            ApiError: 400 for a kind that vLLM does not know.
        """
        kind = block.get("type") if isinstance(block, dict) else None
        taker = _BLOCKS.get(kind) if isinstance(kind, str) else None
        if taker is not None:
            taker(self, block)
        elif kind not in ("redacted_thinking", "tool_reference"):
            if self.strict:
                raise unsupported(f"{place}: a block of type {kind!r}", "messages", "send its text as a text block.")
            self.parts.append({"type": "text", "text": "\n".join(texts(block))})

    def text(self, block: Block) -> None:
        """Empty texts are left out."""
        if isinstance(block.get("text"), str) and block["text"]:
            self.parts.append({"type": "text", "text": block["text"]})

    def image(self, block: Block) -> None:
        """Inline images become data URLs."""
        if isinstance(block.get("source"), dict):
            self.parts.append(_image(block["source"]))

    def thinking(self, block: Block) -> None:
        """What the model thought in an earlier turn."""
        if isinstance(block.get("thinking"), str):
            self.thoughts.append(block["thinking"])

    def tool_use(self, block: Block) -> None:
        """A call of an earlier turn."""
        function = {"name": block.get("name") or "", "arguments": json.dumps(block.get("input") or {})}
        self.calls.append(
            {"id": block.get("id") or f"call_{len(self.calls)}", "type": "function", "function": function}
        )

    def tool_result(self, block: Block) -> None:
        """From the user: a message of the tool. In another's turn vLLM writes it out as text."""
        content = block.get("content")
        if self.role != "user":
            self.parts.append({"type": "text", "text": f"Tool result: {content or ''}"})
            return
        items = [i for i in content if isinstance(i, dict)] if isinstance(content, list) else []
        said = [str(i.get("text", "")) for i in items if i.get("type") == "text"]
        text = content if isinstance(content, str) else "\n".join(said)
        answer = {"role": "tool", "tool_call_id": block.get("tool_use_id") or ""}
        self.out.append({**answer, "content": text})
        images = [_image(i["source"]) for i in items if i.get("type") == "image" and isinstance(i.get("source"), dict)]
        if images:
            self.out.append({"role": "user", "content": images})
        names = [i.get("tool_name") or i.get("name") for i in items if i.get("type") == "tool_reference"]
        references = [{"type": "tool_reference", "name": name} for name in names if name]
        if references:
            self.out.append({**answer, "content": references})

    def close(self) -> None:
        """Add the message itself; a user's that held only results of tools is told by then."""
        message: Message = {"role": self.role}
        if self.thoughts:
            message["reasoning"] = "".join(self.thoughts)
        if self.calls:
            message["tool_calls"] = self.calls
        if len(self.parts) == 1 and self.parts[0]["type"] == "text":
            message["content"] = self.parts[0]["text"]
        elif self.parts:
            message["content"] = self.parts
        if self.role != "user" or "content" in message:
            self.out.append(message)


_BLOCKS: dict[str, Callable[[_Turn, Block], None]] = {
    "text": _Turn.text,
    "image": _Turn.image,
    "thinking": _Turn.thinking,
    "tool_use": _Turn.tool_use,
    "tool_result": _Turn.tool_result,
}


def _image(source: Block) -> Block:
    if source.get("type") == "url":
        url = source.get("url", "")
    else:
        url = f"data:{source.get('media_type', 'image/jpeg')};base64,{source.get('data', '')}"
    return {"type": "image_url", "image_url": {"url": url}}


def _output(body: Body) -> Body:
    """The form of the answer, and how hard to think."""
    config = body.get("output_config")
    out: Body = {}
    if not isinstance(config, dict):
        return out
    form = config.get("format")
    if isinstance(form, dict) and form.get("schema"):
        named = {"name": "json_schema", "schema": form["schema"]}
        out["response_format"] = {"type": "json_schema", "json_schema": named}
    if config.get("effort") is not None:
        out["reasoning_effort"] = config["effort"]
    return out


def _thinking(body: Body, limit: int) -> Body:
    thinking = body.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    if kind == "disabled":
        return {"reasoning_effort": "none"}
    if kind != "enabled":
        return {}
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if not isinstance(budget, int) or not 1024 <= budget < limit:
        raise wrong("'thinking.budget_tokens' must be at least 1024 and less than 'max_tokens'.", "thinking")
    return {"thinking_token_budget": budget}


def _tools(body: Body) -> Body:
    tools = _in_force(body)
    if not tools:
        return {}
    out: Body = {"tools": [_tool(t, i) for i, t in enumerate(tools)], "tool_choice": "auto"}
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        out["parallel_tool_calls"] = not choice.get("disable_parallel_tool_use")
        if choice.get("type") == "tool":
            out["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
        else:
            out["tool_choice"] = _CHOICES.get(str(choice.get("type")), "auto")
    return out


def _in_force(body: Body) -> list[Any]:
    """The tools after what system messages added to them and took away."""
    given = body.get("tools")
    tools = {_name(t): t for t in given} if isinstance(given, list) else {}
    for change, kind in _tool_changes(body["messages"]):
        defined = change.get("definition")
        name = _name(defined if isinstance(defined, dict) else change)
        if kind == "tool_removal":
            tools.pop(name, None)
        elif isinstance(defined, dict):
            tools[name] = defined
        elif isinstance(tools.get(name), dict):
            tools[name] = {k: v for k, v in tools[name].items() if k != "defer_loading"}
    return list(tools.values())


def _tool_changes(messages: list[Message]) -> Iterator[tuple[Block, str]]:
    for message in messages:
        content = message.get("content") if message.get("role") == "system" else None
        for block in content if isinstance(content, list) else []:
            change = block.get("tool") if isinstance(block, dict) else None
            if isinstance(change, dict) and block.get("type") in ("tool_addition", "tool_removal"):
                yield change, block["type"]


def _name(tool: Any) -> str:
    return str(tool.get("name")) if isinstance(tool, dict) else repr(tool)


def _tool(tool: Any, index: int) -> Block:
    if not isinstance(tool, dict) or not isinstance(tool.get("input_schema"), dict):
        instead = "declare it with a name and an input_schema; the model server runs no tools of its own."
        raise unsupported(f"tools[{index}]", "tools", instead)
    parameters = tool["input_schema"] if "type" in tool["input_schema"] else {**tool["input_schema"], "type": "object"}
    optional = {k: tool[k] for k in ("strict", "defer_loading") if tool.get(k) is not None}
    function = {"name": tool.get("name"), "description": tool.get("description"), "parameters": parameters}
    return {"type": "function", "function": function | optional}
