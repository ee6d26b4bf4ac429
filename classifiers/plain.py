"""Which stretches of a text are not written as most texts are: only there can most disguises stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Words in a row with the usual punctuation, as most texts are. Few disguises look so: a name with a hyphen or a
# capital letter too many in it is found without a view.
_LETTERS = "[a-zß-öø-ÿ]"
_ORDINARY = re.compile(
    rf"(?:[\"'(]{{0,2}}(?:(?:[A-Z]?{_LETTERS}{{1,16}}(?<!\s{_LETTERS})(?:[A-Z]{_LETTERS}{{2,10}}|-{_LETTERS}{{2,12}})?|[aAI]|[A-Z]{{2,5}}|"
    r"\d{1,4}(?:[.:,/]\d{1,4})?(?!\D{1,4}\d))(?:['’](?:s|t|m|d|re|ve|ll))?[.,;:!?)\"']{0,3}|[%&–—+=-])(?:\s{1,2}|$))++"
)
_DOUBLE_V = re.compile(r"[vV]{2}")  # "vvho": it may be a w
_ODD = re.compile(r"(\S*)\s*")
_NEAR = 16  # characters beside an odd word that are looked at with it: a disguise may have words that look like any
_SHORT = 600  # characters of a text that is looked at as a whole

Stretch = tuple[int, int]


def odd_stretches(text: str) -> tuple[Stretch, ...]:
    """Where ``text`` is not as most are, with what stands beside it; in order, apart, and none where all of it is.

    They begin and end between words, so that a pattern finds in them what it finds in the whole.
    """
    if len(text) <= _SHORT:
        ordinary = _ORDINARY.fullmatch(text) and not _DOUBLE_V.search(text)
        return () if ordinary else ((0, len(text)),)
    return beside(text, sorted([*_odd_words(text), *(match.span() for match in _DOUBLE_V.finditer(text))]))


def beside(text: str, places: Sequence[Stretch], *, near: int = _NEAR) -> tuple[Stretch, ...]:
    """``places``, in order, and ``near`` characters on each side of each, up to where a word ends; merged."""
    found: list[Stretch] = []
    for start, end in places:
        if found and end <= found[-1][1]:
            continue
        if found and start - near <= found[-1][1]:
            first = found.pop()[0]
        else:
            first = _word_begins(text, max(0, start - near), start)
        found.append((first, _word_ends(text, end, min(len(text), end + near))))
    return tuple(found)


def _odd_words(text: str) -> list[Stretch]:
    found: list[Stretch] = []
    at = 0
    while at < len(text):
        ordinary = _ORDINARY.match(text, at)
        if ordinary:
            at = ordinary.end()
        if at < len(text):
            odd = _ODD.match(text, at)
            start, end = odd.span(1)  # type: ignore[union-attr]  # it matches anything
            if end > start:  # else there are blanks alone
                found.append((start, end))
            at = odd.end()  # type: ignore[union-attr]
    return found


_BLANK = re.compile(r"\s")
_LAST_WORD = re.compile(r"\S*\Z")


def _word_begins(text: str, first: int, start: int) -> int:
    blank = _BLANK.search(text, first, start) if first else None
    return blank.end() if blank else (start if first else 0)


def _word_ends(text: str, end: int, last: int) -> int:
    if last == len(text):
        return last
    cut = _LAST_WORD.search(text, end, last)
    return max(end, cut.start()) if cut else end
