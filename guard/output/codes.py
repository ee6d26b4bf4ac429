"""Runs of text that look like a code (base64, hexadecimal, numbers of characters, Morse): held until they end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from classifiers.decoders import DECODERS
from classifiers.reading import clean

LONGEST = 400  # characters after which a run is judged although it goes on
_OVERLAP = 120  # of these that are judged again with what follows, or a few more
_UNIT = 24  # characters of code without blanks that decode by themselves, in every base
_DECODERS = ("escapes", "base64", "hex", "base32", "base58", "binary", "numbers", "morse")
_DEPTH = 2
_FEW = 2  # short pieces that are no run yet
_SHORTEST = 6  # characters of a run
_TOKEN = re.compile(r"\S+")
# What no code looks like: a word as it is usually written, an abbreviation, a number.
_PLAIN = re.compile(
    r"[^\w\\%&=]*(?:[^\W_][^\W\d_A-Z]*|[A-Z]{1,5}s?|\d{1,4})(?:['’/-][^\W\d_]?[^\W\d_A-Z]*){0,4}[^\w\\%&=]*"
)
_SHORT = re.compile(r"(?:0x|\\x|#|%|U\+)?[0-9a-fA-F]{2}[,;:]?|[01]{7,8}[,;]?|\d{2,3}[,;]?|[.·•–—_-]{1,6}|/")
_WIDE = re.compile(r"\d{4,6}[,;]?")  # a letter of other scripts by its number, but mostly a year or a sum
_PIECE = re.compile(r"[A-Za-z0-9+/_=-]{4,}")


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended, from character ``start`` on."""

    start: int
    text: str

    def decoded(self) -> Iterator[str]:
        """What it may stand for."""
        todo = [(self.text, 0)]
        while todo:
            text, depth = todo.pop()
            for name in _DECODERS:
                for reading in DECODERS[name](clean(text)):
                    if reading.text != text:
                        yield reading.text
                        if depth + 1 < _DEPTH:
                            todo.append((reading.text, depth + 1))


class Codes:
    """Reads one text."""

    def __init__(self) -> None:
        self._tail = ""  # from where the run, or the token that has not ended, begins
        self._at = 0
        self.open_at = 0

    def feed(self, text: str) -> list[Run]:
        """The runs that end with the next piece."""
        self._tail += text
        return self._scan(ended=False)

    def finish(self) -> list[Run]:
        """No more text comes."""
        return self._scan(ended=True)

    def _scan(self, *, ended: bool) -> list[Run]:
        tail = self._tail
        runs: list[Run] = []
        start: int | None = None  # of the run
        kinds: list[str] = []
        keep = len(tail)
        for match in _TOKEN.finditer(tail):
            kind = _kind(match.group())
            if (match.end() == len(tail) and not ended and (kind or start is None)) or kind:
                start = match.start() if start is None else start
                kinds.append(kind)
            elif match.end() < len(tail) or ended:
                runs += self._run(start, match.start(), kinds)
                start, kinds = None, []
        if ended:
            runs += self._run(start, len(tail), kinds)
            start, kinds = None, []
        if start is not None:
            keep = start
            if len(tail) - keep > LONGEST:
                runs += self._run(keep, _cut(tail, start, len(tail)), ["code"])
                keep = _cut(tail, start, len(tail) - _OVERLAP)
        held = "code" in kinds or kinds.count("short") > _FEW
        self.open_at = self._at + (keep if held else len(tail))
        self._at += keep
        self._tail = tail[keep:]
        return runs

    def _run(self, start: int | None, stop: int, kinds: list[str]) -> list[Run]:
        """The run that is worth decoding, if it is."""
        if start is None or not ("code" in kinds or len(kinds) > _FEW):
            return []
        text = self._tail[start:stop].strip()
        return [Run(self._at + start, text)] if len(text) >= _SHORTEST else []


def _cut(text: str, start: int, at: int) -> int:
    """Where a run from ``start`` on is cut that goes on after ``at``: no unit of it in two."""
    blank = max(text.rfind(" ", start, at), text.rfind("\n", start, at))
    return blank + 1 if blank > start else start + (at - start) // _UNIT * _UNIT


def _kind(token: str) -> str:
    """What may be code by itself is "code", what may be one of several pieces of it "short", a word nothing.

    "wide" is what may stand among such pieces, and makes no run by itself.
    """
    if _SHORT.fullmatch(token):
        return "short"
    if _WIDE.fullmatch(token):
        return "wide"
    if _PLAIN.fullmatch(token):
        return ""
    if "\\" in token or "%" in token or "&#" in token:
        return "code"
    return "code" if any(not _PLAIN.fullmatch(piece) for piece in _PIECE.findall(token)) else ""
