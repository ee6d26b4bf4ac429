"""The texts of a native request: the conversation as chat messages, and every string beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from server.errors import ApiError
from server.surfaces import Body, Path, Segment, Surface, chat_surfaces

Message = dict[str, Any]

# The protocols' own words. No name and no fact is one of them, wherever it stands.
_WORDS = frozenset(
    """
    type role content text name id call_id tool_use_id tool_call_id status arguments input output model user system
    assistant developer tool tools message messages function function_call function_call_output custom custom_tool_call
    custom_tool_call_output namespace reasoning reasoning_text summary summary_text thinking redacted_thinking tool_use
    tool_result tool_reference input_text output_text input_image image image_url url detail auto low high medium source
    data media_type base64 signature annotations logprobs description parameters input_schema schema properties required
    additionalProperties object string integer number boolean array null strict format json_schema json_object ephemeral
    cache_control completed in_progress incomplete item_reference enum items tool_calls
    """.split()
)
# Parts that only a model of another medium reads, and the fields that hold the medium.
_MEDIA = frozenset(
    {"image", "image_url", "input_image", "input_audio", "audio_url", "video_url", "input_file", "file", "document"}
)
_HOLDERS = frozenset({"data", "url", "image_url", "file_data", "audio_url", "video_url"})
_ENCODED = re.compile(r"(?:data:[\w/+.;=-]*,)?[A-Za-z0-9+/_=-]{64,}")
# What stands under these is the client's own JSON, which a model reads as it is.
_FREE = frozenset({"tools", "arguments", "input_schema", "parameters", "schema", "metadata", "chat_template_kwargs"})
# Token ids or tensors would walk round any detector of text.
_FORBIDDEN = frozenset({"prompt_embeds", "prompt_token_ids", "token_ids", "kv_transfer_params", "ec_transfer_params"})


def native_surfaces(body: Body, conversation: Sequence[Message]) -> list[Surface]:
    """The surfaces of ``conversation`` (places in the chat body), then whatever else ``body`` says (native places).

    The latter cannot be rewritten: embeddings have no place there.
    """
    found = chat_surfaces({"messages": list(conversation)}) if conversation else []
    seen = {segment.text for surface in found for segment in surface.segments}
    for path, value in _elements(body):
        rest = [t for t in dict.fromkeys(texts(value, free=path[0] in _FREE)) if t not in seen]
        if rest:
            found.append(Surface((Segment(path, "\n".join(rest)),), "", False))
    return found


def _elements(body: Body) -> Iterator[tuple[Path, Any]]:
    """The values of a body, lists (messages, tools) item by item. Its own keys reach no model, nor does its name."""
    for key, value in body.items():
        if key == "model":
            continue
        if isinstance(value, list):
            yield from (((key, i), item) for i, item in enumerate(value))
        else:
            yield (key,), value


def texts(value: Any, *, free: bool = False) -> Iterator[str]:
    """Every string in a JSON value, keys and strings in JSON-encoded strings included, but the protocol's own words.

    The data of media are left out, though not in ``free`` JSON: what looks like a medium there is read as text.
    The half of a surrogate pair becomes a mark.
    """
    stack: list[tuple[Any, bool]] = [(value, free)]
    while stack:
        current, free = stack.pop()
        if isinstance(current, str):
            if current and current not in _WORDS:
                yield current.encode("utf-8", "replace").decode()
                stack += [(inner, free) for inner in _inner(current)]
        elif isinstance(current, list):
            stack += [(child, free) for child in reversed(current)]
        elif isinstance(current, dict):
            for key, child in reversed(current.items()):
                if free or not _is_medium(key, child):
                    stack += [(child, free or _is_free(key, child)), (key, free)]


def _is_free(key: str, value: Any) -> bool:
    """``input`` is a list of items in one API, and the JSON of a call in the other."""
    return key in _FREE or (key == "input" and isinstance(value, dict))


def _is_medium(key: str, value: Any) -> bool:
    """Whether ``value`` is the encoded medium itself: pixels, sound, a file."""
    return key in _HOLDERS and isinstance(value, str) and _ENCODED.fullmatch(value) is not None


def _inner(text: str) -> list[Any]:
    """Arguments of a call are JSON in a string, where escapes can hide a name."""
    if not text.lstrip().startswith(("{", "[", '"')) or "\\" not in text:
        return []
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def media(body: Body) -> list[str]:
    """Where in ``body`` there are images, sound or files: their places, "messages/0/content/1"."""
    found: list[str] = []
    stack: list[tuple[Any, str]] = [(body, "")]
    while stack:
        value, place = stack.pop()
        if isinstance(value, dict):
            kind = value.get("type")
            if isinstance(kind, str) and kind in _MEDIA:
                found.append(place)
                continue
            prefix = f"{place}/" if place else ""
            stack += [(child, prefix + key) for key, child in value.items() if not _is_free(key, child)]
        elif isinstance(value, list):
            stack += [(child, f"{place}/{i}") for i, child in enumerate(value)]
    return sorted(found)


def refuse_tokens(body: Body) -> None:
    """Refuse token ids and tensors where a native body can hold them.

    Raises:
        ApiError: 400.
    """
    stack: list[Any] = [{k: v for k, v in body.items() if k != "tools"}]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, dict):
            for key, child in value.items():
                ids = key == "tokens" and isinstance(child, list) and any(isinstance(t, int) for t in child)
                if ids or (key in _FORBIDDEN and child is not None):
                    raise ApiError(
                        400, f"'{key}' is not accepted: send text, so that it can be judged.", param=key,
                        code="unsupported_parameter",
                    )  # fmt: skip
            stack.extend(value.values())


def unsupported(what: str, param: str, instead: str) -> ApiError:
    """A feature that a guarded request cannot have, and what to do about it."""
    return ApiError(400, f"{what} is not supported here: {instead}", param=param, code="unsupported_parameter")


def wrong(message: str, param: str) -> ApiError:
    """A request that its own API would refuse as well."""
    return ApiError(400, message, param=param)
