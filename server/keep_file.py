"""Texts to keep, from an operator's file."""

from __future__ import annotations

import json
from typing import Any

_KEYS = ("question", "text", "prompt")


def keep_texts(content: str) -> list[str]:
    """The texts of a file: JSON lines with a "question", "text" or "prompt", or one text on each line.

    Raises:
        ValueError: the first line is JSON and another line is not, or has none of the keys; the message names the line.
    """
    lines = [(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    if not lines or not isinstance(_parsed(lines[0][1]), dict):
        return list(dict.fromkeys(line.strip() for _, line in lines))
    return list(dict.fromkeys(_text(number, line) for number, line in lines))


def _text(number: int, line: str) -> str:
    row = _parsed(line)
    found = [row[key] for key in _KEYS if row.get(key)] if isinstance(row, dict) else []
    if not found or not isinstance(found[0], str) or not found[0].strip():
        keys = ", ".join(f'"{key}"' for key in _KEYS)
        raise ValueError(f"line {number} is no JSON object with a text under one of {keys}")
    return found[0].strip()


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
