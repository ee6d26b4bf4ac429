"""A chat completion as an answer of /v1/responses, with every field that vLLM 0.32 puts there."""

from __future__ import annotations

import time
import uuid
from typing import Any

from server.dialects.responses_request import wants_logprobs
from server.dialects.responses_tools import custom_input, custom_names, names, resolved_choice
from server.dialects.served import Served
from server.errors import ApiError

Answer = dict[str, Any]

# Fields that a client may leave out of its request, in the order in which the answer tells them.
_OPTIONAL = ("allowed_callers", "async", "defer_loading", "description")
_TOOL_FIELDS = {
    "function": ("name", "parameters", "strict", "type", *_OPTIONAL, "output_schema"),
    "custom": ("name", "type", *_OPTIONAL, "format"),
    "namespace": ("description", "name", "tools", "type"),
}
_INNER_FIELDS = ("name", "type", *_OPTIONAL, "output_schema", "parameters", "strict")  # of functions in namespaces
_SCHEMA_FORM = ("name", "schema", "type", "description", "strict")
_REASONING = ("context", "effort", "generate_summary", "mode", "summary")


def new_id(prefix: str) -> str:
    """An id like vLLM's."""
    return f"{prefix}_{uuid.uuid4().hex[:16]}"


def from_chat(answer: Answer, body: Answer, served: Served | None = None) -> Answer:
    """The whole chat completion ``answer`` as a response. ``body``: the native request."""
    choices = answer.get("choices") or [{}]
    choice = choices[0]
    told = answer.get("usage")
    response = new_response(body, served or Served(), answer.get("model"), prompt_tokens=prompt_tokens(told))
    output = _output(choice, body)
    return finished(response, output, told, choice.get("finish_reason"))


def _output(choice: Answer, body: Answer) -> list[Answer]:
    message = choice.get("message") or {}
    output: list[Answer] = []
    thought = message.get("reasoning") or message.get("reasoning_content")
    hidden = body.get("include_reasoning") is False
    if thought and not hidden:
        output.append(reasoning_item(new_id("rs"), thought, status=None))
    if message.get("content"):
        tokens = logprobs(choice) if wants_logprobs(body) and not hidden else None
        output.append(message_item(new_id("msg"), [text_part(message["content"], tokens)]))
    elif message.get("refusal"):
        output.append(message_item(new_id("msg"), [refusal_part(message["refusal"])]))
    flat, custom = names(body.get("tools")), custom_names(body.get("tools"))
    for call in message.get("tool_calls") or []:
        function = call.get("function") or {}
        name, arguments = str(function.get("name")), function.get("arguments") or ""
        if name in custom:
            output.append(custom_item(new_id("ctc"), call.get("id"), name, custom_input(arguments)))
        else:
            output.append(call_item(new_id("fc"), call.get("id"), name, arguments, flat))
    return output


def new_response(body: Answer, served: Served, model: Any, *, prompt_tokens: int) -> Answer:
    """The response object before there is any output."""
    choice = body.get("tool_choice") or "auto"
    tools = body.get("tools") or []
    return {
        "id": body.get("request_id") or new_id("resp"),
        "created_at": int(time.time()),
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata"),
        "model": model or body.get("model") or "",
        "object": "response",
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "temperature": _number(body.get("temperature"), served.temperature),
        "tool_choice": _choice(choice, tools) if tools else "none",
        "tools": [_tool(t) for t in tools],
        "top_p": _number(body.get("top_p"), served.top_p),
        "background": False,
        "max_output_tokens": _most_tokens(body.get("max_output_tokens"), served, prompt_tokens),
        "max_tool_calls": body.get("max_tool_calls"),
        "previous_response_id": None,
        "prompt": None,
        "reasoning": _filled(body.get("reasoning"), _REASONING),
        "service_tier": body.get("service_tier") or "auto",
        "status": "in_progress",
        "text": _text(body.get("text")),
        "top_logprobs": (body.get("top_logprobs") or 0) if wants_logprobs(body) else None,
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
        "presence_penalty": _number(body.get("presence_penalty"), 0.0),
        "frequency_penalty": _number(body.get("frequency_penalty"), 0.0),
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "input_messages": None,
        "output_messages": None,
    }


def finished(response: Answer, output: list[Answer], told: Any, finish: Any) -> Answer:
    """``response`` at its end. ``told``: chat's usage; ``finish``: chat's reason."""
    cut = finish == "length"
    return response | {
        "output": output,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "usage": usage(told),
    }


def usage(told: Any) -> Answer | None:
    """Chat's usage in responses' words; None where nothing is told."""
    if not isinstance(told, dict):
        return None
    read, written = prompt_tokens(told), told.get("completion_tokens") or 0
    of_prompt, of_answer = told.get("prompt_tokens_details") or {}, told.get("completion_tokens_details") or {}
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": of_prompt.get("cached_tokens") or 0,
            "cache_write_tokens": of_prompt.get("created_cache_tokens") or 0,
            "input_tokens_per_turn": [],
            "cached_tokens_per_turn": [],
        },
        "output_tokens": written,
        "output_tokens_details": {
            "reasoning_tokens": of_answer.get("reasoning_tokens") or 0,
            "tool_output_tokens": 0,
            "output_tokens_per_turn": [],
            "tool_output_tokens_per_turn": [],
        },
        "total_tokens": read + written,
    }


def prompt_tokens(told: Any) -> int:
    """The prompt's tokens in chat's usage; 0 where nothing is told."""
    return (told.get("prompt_tokens") or 0) if isinstance(told, dict) else 0


def logprobs(choice: Answer) -> list[Answer] | None:
    """Chat's log probabilities in responses' words; None where there are none."""
    told = choice.get("logprobs")
    content = told.get("content") if isinstance(told, dict) else None
    if not isinstance(content, list):
        return None
    return [_token(t) | {"top_logprobs": [_token(a) for a in t.get("top_logprobs") or []]} for t in content]


def _token(told: Answer) -> Answer:
    return {k: told.get(k) for k in ("token", "bytes", "logprob")}


def text_part(text: str, tokens: list[Answer] | None) -> Answer:
    """A part of a message."""
    return {"annotations": [], "text": text, "type": "output_text", "logprobs": tokens}


def refusal_part(text: str) -> Answer:
    """A part of a message that says no."""
    return {"refusal": text, "type": "refusal"}


def message_item(item_id: str, content: list[Answer], status: str = "completed") -> Answer:
    """A message."""
    said = {"id": item_id, "content": content, "role": "assistant", "status": status}
    return {**said, "type": "message", "phase": None}


def reasoning_item(item_id: str, text: str | None, status: str | None) -> Answer:
    """What the model thought. ``text`` None: it has only begun."""
    content = None if text is None else [{"text": text, "type": "reasoning_text"}]
    told = {"id": item_id, "summary": [], "type": "reasoning", "content": content}
    return {**told, "encrypted_content": None, "status": status}


def call_item(
    item_id: str, call_id: Any, name: str, arguments: str, flat: dict[str, tuple[str, str]], status: str = "completed"
) -> Answer:
    """A call of a function. ``flat``: names of functions in namespaces, as ``responses_tools.names`` has them."""
    namespace, own = flat.get(name, (None, name))
    call = {"arguments": arguments, "call_id": call_id, "name": own, "type": "function_call", "id": item_id}
    return {**call, "async": None, "caller": None, "namespace": namespace, "status": status}


def custom_item(item_id: str, call_id: Any, name: str, text: str) -> Answer:
    """A call of a custom tool."""
    call = {"call_id": call_id, "input": text, "name": name, "type": "custom_tool_call", "id": item_id}
    return {**call, "async": None, "caller": None, "namespace": None}


def _most_tokens(asked: Any, served: Served, prompt_tokens: int) -> int | None:
    room = served.max_model_len - prompt_tokens if served.max_model_len is not None else None
    if not isinstance(asked, int):
        return room
    return asked if room is None else min(asked, room)


def _number(value: Any, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def _filled(value: Any, fields: tuple[str, ...]) -> Any:
    return dict.fromkeys(fields) | value if isinstance(value, dict) else value


def _choice(choice: Any, tools: Any) -> Any:
    try:
        found = resolved_choice(choice, tools)
    except ApiError:  # an answer of our own to a request that was never sent on
        return choice
    return dict(sorted(found.items())) if isinstance(found, dict) else found


def _tool(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    filled = _filled(tool, _TOOL_FIELDS.get(str(tool.get("type")), ()))
    if tool.get("type") == "namespace" and isinstance(tool.get("tools"), list):
        filled = {**filled, "tools": [_filled(t, _INNER_FIELDS) for t in tool["tools"]]}
    return filled


def _text(text: Any) -> Any:
    if not isinstance(text, dict):
        return text
    form = text.get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        form = _filled(form, _SCHEMA_FORM)
    return {"format": form, "verbosity": text.get("verbosity")}
