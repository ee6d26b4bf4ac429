"""Whether text that arrives in pieces is in a disguise that takes a whole sentence to undo.

Only signs count that ordinary text of no language has, so that none of it waits for the end of its sentence.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from functools import lru_cache

from classifiers.ciphers import turnings
from classifiers.regrouped import BLANKS
from classifiers.weights import weight

_WINDOW = 14  # words
_LONGEST = 64  # characters of a word
_ENOUGH, _TIMES = 2.0, 3.0  # common words that another reading must show, and how many times those that stand there
_AT_LAST = 0.5, 1.0  # the same when the text has ended: nothing has to wait any more
_BRIEF = 0.5  # what a word of two letters counts
_TWICE, _DISTINCT = 8, 3  # characters of a word that is written twice, and distinct ones
_GROUPS, _SIZES = 6, range(2, 7)  # words of one size in a row
_LETTERS = re.compile(r"[a-z]{2,}")


class Odd:
    """Reads one text. ``now``: whether its last words are in such a disguise."""

    def __init__(self) -> None:
        self.now = False
        self._tail = ""
        self._words: deque[str] = deque(maxlen=_WINDOW)

    def feed(self, text: str) -> bool:
        """Read the next piece; whether any of its words end such text."""
        *whole, tail = re.split(r"\s+", self._tail + text)
        self._tail = tail[-_LONGEST:]
        was = self.now
        for word in filter(None, whole):
            self._words.append(word[-_LONGEST:])
            self.now = self._turned() or any(map(_twice, self._words)) or self._grouped()
            was |= self.now
        return was

    def finish(self) -> bool:
        """No more text comes; whether the last words may be in one."""
        return self.feed(" ") or self._turned(*_AT_LAST)

    def _turned(self, enough: float = _ENOUGH, times: float = _TIMES) -> bool:
        """Whether other letters stand for its letters, or its words are back to front."""
        signs = [_signs(word) for word in set(self._words)]
        plain = sum(stands for stands, _ in signs)
        if times * plain > len(signs):
            return False
        found: dict[int, float] = defaultdict(float)
        for _, own in signs:
            for at, much in own.items():
                found[at] += much
        best = max(found.values(), default=0.0)
        return best >= enough and best >= times * plain

    def _grouped(self) -> bool:
        """Whether its characters stand in groups, with a mark for every blank."""
        last = list(self._words)[-_GROUPS:]
        alike = len(last) == _GROUPS and len(last[0]) in _SIZES and len({len(word) for word in last}) == 1
        return alike and sum(any(mark in word for mark in BLANKS) for word in last) > 1


def _twice(word: str) -> bool:
    return len(word) >= _TWICE and word[::2] == word[1::2] and len(set(filter(str.isalnum, word))) >= _DISTINCT


@lru_cache(maxsize=20_000)
def _signs(word: str) -> tuple[float, dict[int, float]]:
    """How much common words are in a word as it stands, and in each other reading that has some."""
    stands = 0.0
    others: dict[int, float] = defaultdict(float)
    for letters in _LETTERS.findall(word.lower()):
        counts = 1.0 if len(letters) > 2 else _BRIEF
        stands += counts * (not weight(letters))
        for at, other in enumerate(turnings(letters)):
            others[at] += counts * (not weight(other))
    return stands, {at: much for at, much in others.items() if much}
