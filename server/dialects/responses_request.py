"""A request to /v1/responses as one to chat completions, so that vLLM renders the same prompt for both.

How items become messages follows what vLLM 0.32 does with them (vllm/entrypoints/openai/responses/utils.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from server.dialects.reading import Message, unsupported, wrong
from server.dialects.responses_tools import call_name, chat_tool_choice, chat_tools
from server.strings import texts
from server.surfaces import Body

Item = dict[str, Any]

_SAME = (
    "model", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "stop_token_ids", "ignore_eos", "logit_bias",
    "repetition_penalty", "presence_penalty", "frequency_penalty", "skip_special_tokens", "include_stop_str_in_output",
    "priority", "cache_salt", "session_id", "media_io_kwargs", "mm_processor_kwargs", "vllm_xargs",
    "structured_outputs", "chat_template_kwargs", "parallel_tool_calls", "include_reasoning", "user", "watermarking",
)  # fmt: skip
# Each with what to do instead.
_UNGUARDED = {
    "background": "leave it out and wait for the answer, or stream it.",  # nobody here could fetch or watch it
    "prompt": "it is a stored template; send its text as 'instructions' and 'input'.",
    "previous_input_messages": "send the items in 'input'.",  # in the form of one family of models
    "enable_response_messages": "leave it out.",  # it tells the prompt as the model read it
}
LOGPROBS = "message.output_text.logprobs"
_CALL_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def to_chat(body: Body) -> Body:
    """The chat completions request for ``body``.

    Raises:
        ApiError: 400 for what a guarded request cannot have, or vLLM's own endpoint refuses as well.
    """
    refuse_unguarded(body)
    if body.get("previous_response_id") is not None:
        raise wrong("'previous_response_id' is not known here.", "previous_response_id")
    chat: Body = {key: body[key] for key in _SAME if body.get(key) is not None}
    chat["messages"] = read(body, strict=True)
    if body.get("max_output_tokens") is not None:
        chat["max_completion_tokens"] = body["max_output_tokens"]
    if body.get("truncation") == "auto":
        chat["truncate_prompt_tokens"] = -1
    if wants_logprobs(body):
        chat |= {"logprobs": True, "top_logprobs": body.get("top_logprobs") or 0}
    if body.get("stream"):
        chat |= {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}
    if _continues(body):
        chat |= {"add_generation_prompt": False, "continue_final_message": True}
    return chat | _effort(body) | _format(body) | _tools(body)


def wants_logprobs(body: Body) -> bool:
    """Whether the client asked for log probabilities."""
    include = body.get("include")
    return isinstance(include, list) and LOGPROBS in include


def refuse_unguarded(body: Body) -> None:
    """Refuse what a guarded request cannot have, of every request: else the refusal would tell that one is guarded.

    Raises:
        ApiError: 400.
    """
    for field, instead in _UNGUARDED.items():
        if body.get(field) not in (None, False, []):
            raise unsupported(f"'{field}'", field, instead)


def read(body: Body, *, strict: bool) -> list[Message]:
    """Instructions and input items of ``body`` as chat messages.

    Not ``strict``: what cannot be carried is read as text, so that it is judged where it stands.

    Raises:
        ApiError: 400 where there is no input, or for what cannot be carried.
    """
    given, instructions = body.get("input"), body.get("instructions")
    out: list[Message] = []
    if strict and instructions is not None and not isinstance(instructions, str):
        raise wrong("'instructions' must be a string.", "instructions")
    if instructions:
        system = instructions if isinstance(instructions, str) else "\n".join(texts(instructions))
        out.append({"role": "system", "content": system})
    if isinstance(given, str):
        out.append({"role": "user", "content": given})
        return out
    if not isinstance(given, list):
        raise wrong("'input' must be a string or a list of items.", "input")
    for i, item in enumerate(given):
        _add(item, out, f"input[{i}]", strict)
    return out


def _add(item: Any, out: list[Message], place: str, strict: bool) -> None:
    """One item: a message of its own, or more of the assistant's last."""
    kind = item.get("type", "message") if isinstance(item, dict) else None
    adder = _ITEMS.get(kind) if isinstance(kind, str) else None
    if kind == "message" and "role" not in item:
        adder = None
    if adder is not None:
        adder(item, out, place, strict)
    elif strict:
        instead = "send its text as a message."
        if kind in ("item_reference", "message"):
            instead = "send the item itself; only items of stored answers to the same key can be referred to."
        raise unsupported(f"{place}: an item of type {kind!r}", "input", instead)
    else:
        out.append({"role": "user", "content": "\n".join(texts(item))})


def _message(item: Item, out: list[Message], place: str, strict: bool) -> None:
    content = item.get("content")
    if item["role"] != "assistant":
        out.append({"role": item["role"], "content": _parts(content, place, strict)})
        return
    # vLLM takes the first part of an answer.
    said = content if isinstance(content, str) else _first_text(content)
    _assistant(out, "content", said if said is not None else "")
    if not strict and isinstance(content, list) and len(content) > 1:
        out.append({"role": "assistant", "content": "\n".join(texts(content[1:]))})


def _first_text(content: Any) -> str | None:
    first = content[0] if isinstance(content, list) and content and isinstance(content[0], dict) else {}
    said = first.get("text", first.get("refusal"))
    return said if isinstance(said, str) else None


def _assistant(out: list[Message], field: str, value: str) -> None:
    """Add to the assistant's last message if it stands last and has no such thing yet; else begin another."""
    if out and out[-1]["role"] == "assistant" and out[-1].get(field) is None:
        out[-1][field] = value
    else:
        out.append({"role": "assistant", field: value})


def _reasoning(item: Item, out: list[Message], place: str, strict: bool) -> None:
    if strict and item.get("encrypted_content"):
        raise unsupported(f"{place}.encrypted_content", "input", "leave the reasoning out, or send it as text.")
    said = _first_text(item.get("content"))
    _assistant(out, "reasoning", said if said is not None else _first_text(item.get("summary")) or "")


def _call(item: Item, out: list[Message], place: str, strict: bool) -> None:
    arguments: Any
    if item["type"] == "custom_tool_call":
        arguments = json.dumps({"input": item.get("input") or ""}, ensure_ascii=False)
    else:
        arguments = item.get("arguments")
    if strict and not (item.get("call_id") and item.get("name") and isinstance(arguments, str)):
        raise wrong(f"{place} must have a call_id, a name and arguments.", "input")
    function = {"name": call_name(item), "arguments": arguments}
    call = {"id": item.get("call_id"), "type": "function", "function": function}
    if out and out[-1]["role"] == "assistant":
        out[-1].setdefault("tool_calls", []).append(call)
    else:
        out.append({"role": "assistant", "tool_calls": [call]})


def _call_output(item: Item, out: list[Message], place: str, strict: bool) -> None:
    content = _parts(item.get("output"), place, strict)
    out.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": content})


_ITEMS: dict[str, Callable[[Item, list[Message], str, bool], None]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _call,
    "custom_tool_call": _call,
    "function_call_output": _call_output,
    "custom_tool_call_output": _call_output,
}


def _parts(content: Any, place: str, strict: bool) -> Any:
    """A message's content in chat's words."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        if strict:
            raise wrong(f"{place} must have a text or a list of parts.", "input")
        return "\n".join(texts(content))
    return [_part(part, f"{place}.content[{i}]", strict) for i, part in enumerate(content)]


def _part(part: Any, place: str, strict: bool) -> Item:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text", "text") and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return {"type": "refusal", "refusal": part["refusal"]}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return {"type": "image_url", "image_url": {"url": part["image_url"], "detail": part.get("detail") or "auto"}}
    if kind in ("image_url", "input_audio", "audio_url", "video_url"):
        return dict(part)
    if strict:
        raise unsupported(f"{place}: a part of type {kind!r}", "input", "send its text as 'input_text'.")
    return {"type": "text", "text": "\n".join(texts(part))}


def _continues(body: Body) -> bool:
    """Whether the last item is an answer that the model is to go on with."""
    given = body.get("input")
    last = given[-1] if isinstance(given, list) and given else None
    if not isinstance(last, dict) or last.get("type", "message") not in ("message", "reasoning"):
        return False
    return last.get("status") in ("in_progress", "incomplete")


def _effort(body: Body) -> Body:
    reasoning = body.get("reasoning")
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else None
    return {"reasoning_effort": effort} if effort is not None else {}


def _format(body: Body) -> Body:
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    kind = form.get("type") if isinstance(form, dict) else None
    if not isinstance(form, dict) or kind not in ("json_object", "json_schema"):
        return {}
    if body.get("structured_outputs") is not None:
        raise wrong("'structured_outputs' and 'text.format' cannot both be set.", "structured_outputs")
    if kind == "json_object":
        return {"response_format": {"type": "json_object"}}
    schema = {k: form[k] for k in ("name", "description", "schema", "strict") if form.get(k) is not None}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer"} | schema}}


def _tools(body: Body) -> Body:
    tools = body.get("tools")
    if not tools:
        if body.get("tool_choice") not in (None, "auto", "none"):
            raise wrong("'tool_choice' asks for a tool, and there are no 'tools'.", "tool_choice")
        return {}
    if not isinstance(tools, list):
        raise wrong("'tools' must be a list.", "tools")
    choice, shown = chat_tool_choice(body.get("tool_choice"), tools), chat_tools(tools)
    if not shown and choice == "required":
        raise wrong("'tool_choice' asks for a call, and the model can call none of the 'tools'.", "tool_choice")
    return {"tools": shown, "tool_choice": choice} if shown else {}
