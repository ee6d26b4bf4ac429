"""A text as a matcher wants it, with a map back to the characters that were judged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

from classifiers.types import Span


@dataclass(frozen=True, slots=True)
class View:
    """A cleaned reading of a raw text.

    Character ``i`` of ``text`` comes from the raw characters ``[starts[i], ends[i])``.
    """

    name: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def raw(self, start: int, end: int) -> Span:
        """The raw characters behind ``text[start:end]``, a range that is not empty."""
        return Span(self.starts[start], self.ends[end - 1])


def words(text: str) -> View:
    """Letters and digits only, folded, one space between words and at both ends.

    Folding is NFKD without combining marks, then casefold, so that "ＺÜRICH" and "Zürich" read alike.
    Zero-width, bidi and other format characters vanish without splitting a word; everything else that
    is no letter or digit (punctuation, hyphens, quotes, newlines) reads as one space.
    """
    if text.isascii():
        return _ascii_words(text)
    out: list[str] = [" "]
    starts: list[int] = [0]
    ends: list[int] = [0]
    for i, char in enumerate(text):
        folded = _fold(char)
        if folded == " " and out[-1] == " ":
            continue
        for piece in folded:
            out.append(piece)
            starts.append(i)
            ends.append(i + 1)
        if not folded and out[-1] != " ":
            ends[-1] = i + 1  # a combining mark or zero-width character belongs to the letter before it
    if out[-1] != " ":
        out.append(" ")
        starts.append(len(text))
        ends.append(len(text))
    return View("words", "".join(out), starts, ends)


def _ascii_words(text: str) -> View:
    found = _ASCII_WORD.findall(text)
    folded = f" {' '.join(found).lower()} " if found else " "
    return View("words", folded, _Places(text, of_ends=False), _Places(text, of_ends=True))


class _Places(Sequence[int]):
    """Where the characters of an ASCII view begin or end, worked out when first asked for: for most texts never."""

    def __init__(self, text: str, *, of_ends: bool) -> None:
        self._text = text
        self._of_ends = of_ends
        self._known: list[int] | None = None

    def _all(self) -> list[int]:
        if self._known is None:
            found: list[int] = []
            last = 0
            for match in _ASCII_WORD.finditer(self._text):
                begin, end = match.span()
                found.append(last + 1 if self._of_ends else last)
                found.extend(range(begin + 1, end + 1) if self._of_ends else range(begin, end))
                last = end
            found.append(len(self._text))
            self._known = found
        return self._known

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> list[int]: ...

    def __getitem__(self, at: int | slice) -> int | list[int]:
        return self._all()[at]

    def __len__(self) -> int:
        return len(self._all())


_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")


def fold_words(text: str) -> str:
    """``words(text).text`` without the outer spaces."""
    return words(text).text.strip()


@lru_cache(maxsize=65536)
def _fold(char: str) -> str:
    """What a character becomes: letters or digits, a space, or nothing."""
    out: list[str] = []
    for piece in unicodedata.normalize("NFKD", char).casefold():
        category = unicodedata.category(piece)
        if category[0] in "LN" or category == "Mc":
            out.append(piece)
        elif category not in ("Mn", "Me", "Cf", "Cs", "Cn"):
            out.append(" ")
    folded = "".join(out)
    return folded if folded.strip() else folded[:1]
