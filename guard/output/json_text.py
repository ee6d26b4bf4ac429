"""The text in a JSON document that arrives in pieces: what its strings say, with a map to the raw characters."""

from __future__ import annotations

from dataclasses import dataclass, field

from guard.output.atoms import SEAM

_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": SEAM, "f": SEAM}
_HEX = frozenset("0123456789abcdefABCDEF")


@dataclass(slots=True)
class Decoded:
    """Text; character ``i`` comes from raw characters from ``starts[i]`` on."""

    text: str = ""
    starts: list[int] = field(default_factory=list)


class JsonText:
    """Reads fragments. What is no JSON is read as it stands."""

    def __init__(self, at: int = 0) -> None:
        """Read from raw character ``at`` on."""
        self._at = at
        self._inside = False  # of a string
        self._escape: str | None = None  # what an escape has brought so far
        self._escape_at = 0
        self._high = ""  # the first half of a surrogate pair
        self._stack: list[str] = []  # "{" where a key comes next, ":" where a value does, "["
        self._key = False

    @property
    def pending(self) -> int | None:
        """Where an escape begins that is not whole yet."""
        return self._escape_at if self._escape is not None or self._high else None

    def feed(self, text: str) -> tuple[Decoded, Decoded]:
        """What the next piece adds: everything, and what stands in values alone."""
        everything, values = Decoded(), Decoded()
        for char in text:
            out, at = self._take(char), self._at
            if out:
                start = self._escape_at if out is not char else at
                for target in (everything, values):
                    if target is everything or not (self._key and self._inside):
                        target.text += out
                        target.starts += [start] * len(out)
            self._at += 1
        return everything, values

    def _take(self, char: str) -> str:
        """What ``char`` completes."""
        if self._escape is not None:
            return self._escaped(char)
        if not self._inside:
            return self._outside(char)
        if char == "\\":
            self._escape = ""
            if not self._high:
                self._escape_at = self._at
            return ""
        self._high = ""
        if char == '"':
            self._inside = False
            return SEAM
        return char

    def _escaped(self, char: str) -> str:
        escape = f"{self._escape}{char}"
        if escape[0] != "u":
            self._escape, self._high = None, ""
            return _PLAIN.get(escape, escape)
        if len(escape) > 1 and char not in _HEX:  # no escape after all
            self._escape, self._high = None, ""
            return escape
        if len(escape) < 5:
            self._escape = escape
            return ""
        self._escape = None
        made = chr(int(escape[1:], 16))
        if "\ud800" <= made <= "\udbff":
            self._high = made
            return ""
        high, self._high = self._high, ""
        return (high + made).encode("utf-16", "surrogatepass").decode("utf-16", "replace") if high else made

    def _outside(self, char: str) -> str:
        if char == '"':
            self._inside = True
            self._key = bool(self._stack) and self._stack[-1] == "{"
        elif char in "{[":
            self._stack.append(char)
        elif char in "}]" and self._stack:
            self._stack.pop()
        elif char == ":" and self._stack and self._stack[-1] == "{":
            self._stack[-1] = ":"
        elif char == "," and self._stack and self._stack[-1] == ":":
            self._stack[-1] = "{"
        elif char not in ":,{}[]" and not char.isspace():
            return char
        return SEAM
