"""A long text as overlapping windows, so that nothing of it is cut off and nothing is averaged away."""

from __future__ import annotations

import re

from classifiers.types import Span

_WORD = re.compile(r"\S+")
# Scripts without spaces give words of any length; they are cut so that a window stays a window.
_MAX_WORD = 48


def windows(text: str, *, size: int = 40, stride: int = 20) -> list[Span]:
    """Spans of ``size`` words, each ``stride`` words on; the whole text where it has no more than ``size``."""
    pieces = _pieces(text)
    if not pieces:
        return []
    if len(pieces) <= size:
        return [Span(pieces[0].start, pieces[-1].end)]
    starts = [*range(0, len(pieces) - size, stride), len(pieces) - size]
    return [Span(pieces[i].start, pieces[i + size - 1].end) for i in starts]


def _pieces(text: str) -> list[Span]:
    found: list[Span] = []
    for match in _WORD.finditer(text):
        for at in range(match.start(), match.end(), _MAX_WORD):
            found.append(Span(at, min(at + _MAX_WORD, match.end())))
    return found
