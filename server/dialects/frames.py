"""Events of our own, as bytes of a stream."""

from __future__ import annotations

from typing import Any

import orjson


def frame(data: dict[str, Any]) -> bytes:
    """``data`` as an event that carries its type as its name, as Anthropic's and OpenAI's responses have it."""
    return b"event: " + str(data["type"]).encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
