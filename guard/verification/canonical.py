"""JSON in one form alone, so that a signature over it can be checked by anybody: RFC 8785.

Of that RFC's numbers, those that a record has are written here: whole ones, and shares that are rounded to ``PLACES``
decimal places. Keys are ASCII, where its order and Python's agree.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

PLACES = 6
_LARGEST = 2**53


def canonical(value: Any) -> bytes:
    """``value`` in its one form.

    Raises:
        ValueError: it holds something that has none.
    """
    return _text(value).encode()


def rounded(value: Any) -> Any:
    """``value`` with all its numbers as ``canonical`` takes them."""
    if isinstance(value, Mapping):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        short = round(value, PLACES)
        return int(short) if short.is_integer() else short
    return value


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            raise ValueError("a key is no ASCII text")
        return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    if value is None or isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and abs(value) < _LARGEST:
        return str(value)
    if isinstance(value, float) and math.isfinite(value) and value == rounded(value) and abs(value) < _LARGEST:
        return f"{value:.{PLACES}f}".rstrip("0").rstrip(".")
    raise ValueError(f"a {type(value).__name__} of this value has no canonical form")
