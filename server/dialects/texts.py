"""Pieces of text out of parts of an answer whose form is not fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from server.dialects.pieces import Piece

# Values of these keys are identifiers of the protocol.
_NO_TEXT = frozenset({"id", "role", "type", "index", "object", "finish_reason", "stop_reason", "status"})
# Strings with a JSON document in them.
_JSON = frozenset({"arguments", "partial_json"})
_TOKENS = frozenset({"logprobs", "prompt_logprobs", "token_ids", "prompt_token_ids"})


def texts(value: Any, channel: str, *, key: str = "") -> Iterator[Piece]:
    """Every string in ``value`` as a piece whose channel is its place. Fields that nobody knows are texts as well.

    Items of a list that carry an ``index`` keep it as their place, so that the deltas of a stream meet.
    """
    if isinstance(value, str):
        if value:
            yield Piece(channel, value, key in _JSON)
    elif isinstance(value, Mapping):
        for name, child in value.items():
            if name not in _NO_TEXT and name not in _TOKENS and child is not None:
                yield from texts(child, f"{channel}/{name}", key=name)
    elif isinstance(value, list):
        for i, child in enumerate(value):
            own = child.get("index") if isinstance(child, Mapping) else None
            yield from texts(child, f"{channel}/{own if isinstance(own, int) else i}", key=key)


# What answers of chat and completions hold beside what a model says.
_AROUND = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint", "error",
     "kv_transfer_params"}
) | _TOKENS  # fmt: skip
_OF_CHOICE = frozenset({"index", "finish_reason", "stop_reason"}) | _TOKENS


def elsewhere(answer: Mapping[str, Any], read: frozenset[str]) -> Iterator[Piece]:
    """Texts that stand where none should: beside the choices, or in fields of a choice other than those ``read``."""
    yield from texts({k: answer[k] for k in answer.keys() - _AROUND}, "elsewhere")
    found = answer.get("choices")
    if not isinstance(found, list):
        yield from texts(found, "elsewhere/choices")
        return
    for i, choice in enumerate(found):
        if not isinstance(choice, Mapping):
            yield from texts(choice, f"elsewhere/choices/{i}")
        elif unknown := choice.keys() - _OF_CHOICE - read:
            yield from texts({k: choice[k] for k in unknown}, f"elsewhere/choices/{i}")


def raw_piece(raw: bytes) -> list[Piece]:
    """An event that is not understood, as a text."""
    text = raw.decode("utf-8", "replace")
    if "data:" not in text or text.strip() == "data: [DONE]":
        return []
    return [Piece("raw", text)]
