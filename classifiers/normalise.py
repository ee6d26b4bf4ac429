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
    plain = text if text.isascii() else _FOREIGN.sub(_fold_run, text)
    if plain.isascii():
        found = _ASCII_WORD.findall(plain)
        folded = f" {' '.join(found).lower()} " if found else " "
    else:
        found = _FOLDED_WORD.findall(_CAPITALS.sub(_lower, plain))
        folded = f" {' '.join(found)} " if found else " "
    places = _Places(text)
    return View("words", folded, places.of(0), places.of(1))


class _Places:
    """Where the characters of a view begin and end, worked out when first asked for: for most texts never."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: tuple[list[int], list[int]] | None = None

    def of(self, side: int) -> Sequence[int]:
        """Where they begin (0) or end (1)."""
        return _Side(self, side)

    def all(self) -> tuple[list[int], list[int]]:
        """Both."""
        if self._known is None:
            self._known = (_ascii_places if self._text.isascii() else _places)(self._text)
        return self._known


class _Side(Sequence[int]):
    def __init__(self, places: _Places, side: int) -> None:
        self._places = places
        self._side = side

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> list[int]: ...

    def __getitem__(self, at: int | slice) -> int | list[int]:
        return self._places.all()[self._side][at]

    def __len__(self) -> int:
        return len(self._places.all()[self._side])


def _ascii_places(text: str) -> tuple[list[int], list[int]]:
    starts: list[int] = []
    ends: list[int] = []
    last = 0
    for match in _ASCII_WORD.finditer(text):
        begin, end = match.span()
        starts.append(last)
        starts.extend(range(begin, end))
        ends.append(last + 1)
        ends.extend(range(begin + 1, end + 1))
        last = end
    return [*starts, len(text)], [*ends, len(text)]


def _places(text: str) -> tuple[list[int], list[int]]:
    starts: list[int] = [0]
    ends: list[int] = [0]
    blank = True  # the last is a space
    at = 0
    for match in _PIECE.finditer(text):
        first, last = match.span()
        if at < first and not blank:
            starts.append(at)
            ends.append(at + 1)
            blank = True
        at = last
        char = match.group()
        if char.isascii():
            starts.extend(range(first, last))
            ends.extend(range(first + 1, last + 1))
            blank = False
            continue
        folded = _fold(char)
        for piece in folded:
            if piece != " " or not blank:
                starts.append(first)
                ends.append(last)
            blank = piece == " "
        if not folded and not blank:
            ends[-1] = last  # a combining mark or zero-width character belongs to the letter before it
    if not blank:
        starts.append(at)
        ends.append(min(at + 1, len(text)))
    return starts, ends


def _fold_run(match: re.Match[str]) -> str:
    return "".join(map(_fold, match.group()))


def _lower(match: re.Match[str]) -> str:
    return match.group().lower()


_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_CAPITALS = re.compile(r"[A-Z]+")
_FOLDED_WORD = re.compile(r"[a-z0-9\x80-\U0010ffff]+")
_PIECE = re.compile(r"[A-Za-z0-9]+|[^\x00-\x7f]")


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
