"""What a client can read in an answer: every string, and every text that it would put together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from server.dialects.base import Dialect
from server.sse import Splitter


def objects(content: bytes, *, streamed: bool) -> list[dict[str, Any]]:
    """The JSON objects of an answer.

    Raises:
        ValueError: it is not well formed.
    """
    if not streamed:
        return [json.loads(content)]
    splitter = Splitter()
    events = splitter.feed(content)
    if splitter.rest():
        raise ValueError(f"bytes after the last event: {splitter.rest()[:80]!r}")
    return [event.data for event in events if event.data is not None]


def readable(dialect: Dialect, content: bytes, *, streamed: bool) -> list[str]:
    """Every string by itself, each channel's text, the log-probabilities' tokens, and all texts in order."""
    found: list[str] = [content.decode("utf-8", "replace")]
    channels: dict[str, str] = {}
    for item in objects(content, streamed=streamed):
        found += _strings(item)
        for piece in dialect.event_pieces(item) if streamed else dialect.pieces(item):
            channels[piece.channel] = channels.get(piece.channel, "") + piece.text
            channels["*"] = channels.get("*", "") + piece.text
    for text in list(channels.values()):
        found += [text, _unescaped(text)]
    return found


def leaked(secret: str, texts: list[str]) -> bool:
    """Whether ``secret`` can be read in one of ``texts``."""
    return any(secret.casefold() in text.casefold() for text in texts)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield _unescaped(value)
    elif isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from _strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from _strings(child)


def _unescaped(text: str) -> str:
    """Fragments of JSON in a string as they read."""
    try:
        return str(json.loads(f'"{text}"')) if '"' not in text else str(json.loads(text))
    except ValueError:
        return text
