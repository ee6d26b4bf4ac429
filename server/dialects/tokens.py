"""Alternatives to the tokens of an answer: what the model nearly said is said too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.dialects.base import Nearly


def prune_chat(logprobs: Any, channel: str, nearly: Nearly) -> bool:
    """Chat's form: ``{"content": [{"token", "top_logprobs": [{"token"}]}]}``."""
    pruned = False
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    for position in content if isinstance(content, list) else []:
        if isinstance(position, dict):
            pruned |= prune_position(position, channel, nearly)
    return pruned


def prune_position(position: dict[str, Any], channel: str, nearly: Nearly) -> bool:
    """One token with its alternatives, in the form of chat and of responses."""
    top = position.get("top_logprobs")
    kept = top
    if isinstance(top, list):
        kept = [t for t in top if not (isinstance(t, dict) and nearly.leaks(channel, str(t.get("token", ""))))]
        position["top_logprobs"] = kept
    nearly.said(channel, str(position.get("token", "")))
    return kept is not None and len(kept) < len(top or ())


def prune_completion(logprobs: Any, channel: str, nearly: Nearly) -> bool:
    """Completions' form: ``{"tokens": [...], "top_logprobs": [{token: logprob}]}``."""
    pruned = False
    top = logprobs.get("top_logprobs") if isinstance(logprobs, dict) else None
    tokens = logprobs.get("tokens") if isinstance(logprobs, dict) else None
    for i, position in enumerate(top if isinstance(top, list) else []):
        if isinstance(position, dict):
            for token in [t for t in position if nearly.leaks(channel, t)]:
                del position[token]
                pruned = True
        if isinstance(tokens, list) and i < len(tokens):
            nearly.said(channel, str(tokens[i]))
    return pruned


def prune_prompt(holder: Any, channel: str, nearly: Nearly) -> bool:
    """VLLM's ``prompt_logprobs``: ``[{token id: {"decoded_token"}}]`` in ``holder``."""
    pruned = False
    found = holder.get("prompt_logprobs") if isinstance(holder, dict) else None
    for position in found if isinstance(found, list) else []:
        if isinstance(position, dict):
            for token_id in list(_leaking(position, channel, nearly)):
                del position[token_id]
                pruned = True
    return pruned


def _leaking(position: dict[str, Any], channel: str, nearly: Nearly) -> Iterator[str]:
    for token_id, told in position.items():
        text = told.get("decoded_token") if isinstance(told, dict) else None
        if isinstance(text, str) and nearly.leaks(channel, text):
            yield token_id
