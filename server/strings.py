"""Every string of a JSON value that is a client's words, and not the protocol's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

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
_HOLDERS = frozenset({"data", "url", "image_url", "file_data", "audio_url", "video_url"})
_ENCODED = re.compile(r"(?:data:[\w/+.;=-]*,)?[A-Za-z0-9+/_=-]{64,}")
# What stands under these is the client's own JSON, which a model reads as it is.
FREE = frozenset({"tools", "arguments", "input_schema", "parameters", "schema", "metadata", "chat_template_kwargs"})


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
                    stack += [(child, free or is_free(key, child)), (key, free)]


def is_free(key: str, value: Any) -> bool:
    """``input`` is a list of items in one API, and the JSON of a call in the other."""
    return key in FREE or (key == "input" and isinstance(value, dict))


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
