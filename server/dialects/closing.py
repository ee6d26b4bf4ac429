"""What a JSON document that breaks off still needs."""

from __future__ import annotations

import json

_VALUES = ("true", "false", "null")


def close_json(fragment: str) -> str:
    """The shortest text to put after ``fragment``, the beginning of a JSON document, to make it whole.

    Empty where nothing is missing or ``fragment`` begins no document.
    """
    if not fragment.strip() or _whole(fragment):
        return ""
    stack, in_string = _scan(fragment)
    ends = _string_ends() if in_string else _value_ends(fragment.rstrip())
    brackets = "".join(reversed(stack))
    return next((end + brackets for end in ends if _whole(fragment + end + brackets)), "")


def _scan(fragment: str) -> tuple[list[str], bool]:
    """Brackets that wait to be closed, and whether a string is open."""
    stack: list[str] = []
    in_string = False
    at = 0
    while at < len(fragment):
        char = fragment[at]
        if in_string:
            if char == "\\":
                at += 1
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "{[":
            stack.append("}" if char == "{" else "]")
        elif char in "}]" and stack:
            stack.pop()
        at += 1
    return stack, in_string


def _string_ends() -> list[str]:
    """Ends of an open string: an escape may be half written, and the string may be a key."""
    escapes = ["", "\\"] + ["0" * n for n in range(1, 5)]
    return [escape + '"' + after for escape in escapes for after in ("", ":null")]


def _value_ends(fragment: str) -> list[str]:
    """Ends where no string is open: half a word or number, a key without a value, a comma."""
    words = [word[n:] for word in _VALUES for n in range(1, len(word)) if fragment.endswith(word[:n])]
    return ["", ":null", "null", '"":null', "0", *words]


def _whole(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
