"""A text as a matcher wants it, with a map back to the characters that were judged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

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
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _ASCII_WORD.finditer(text):
        begin, end = match.span()
        gap = starts[-1] + 1 if starts else 0
        out.append(" " + match.group())
        starts.append(gap)
        starts.extend(range(begin, end))
        ends.append(gap + 1 if out else 1)
        ends.extend(range(begin + 1, end + 1))
    starts.append(len(text))
    ends.append(len(text))
    return View("words", "".join(out).casefold() + " ", starts, ends)


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
