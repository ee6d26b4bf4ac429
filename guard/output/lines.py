"""The first letters of lines, read as a text of their own: an acrostic."""

from __future__ import annotations

import re
from collections.abc import Sequence

from classifiers.weights import split_words
from guard.output.scanner import Scanner, Seen
from guard.output.walks import TermSource

_SHORTEST = 5  # letters of a term; what is on the way to one is held from as many on
_HEAD = 8  # characters by which it is known what a line begins with
_ITEM = re.compile(r"[ \t]*((?:[-*•>|#]|\d{1,3}[.)])[ \t]+)?[\"'“‘(*_]*([^\W_])?")
_TOLD, _FEWEST = 16, 4  # letters that are read as words at once, and at the end
_UNPARTED = 40  # letters after which words that no line parts are told apart
_MEAN = 2.0  # letters of a word where these are words


class Lines:
    """Reads one text. A line without a letter parts words."""

    def __init__(self, sources: Sequence[TermSource]) -> None:
        self._scanner = Scanner(sources)
        self._starts: list[int] = []  # of the line of each letter
        self._length = 0
        self._start = 0  # of the line that has not ended
        self._head: str | None = ""  # its beginning, as long as its letter is not known
        self._listed = True  # the lines are items of a list
        self._words: list[str] = [""]
        self._first = 0  # the letter that they begin with
        self._texts: list[tuple[int, str]] = []
        self._found: list[tuple[int, Seen]] = []

    def feed(self, text: str) -> None:
        """Read the next piece."""
        if self._head is None and "\n" not in text:
            self._length += len(text)
            return
        for line in text.splitlines(keepends=True):
            if self._head is not None:
                self._head += line
            if line.endswith("\n"):
                self._letter()
                self._start, self._head = self._length + len(line), ""
            elif self._head is not None and len(self._head) >= _HEAD:
                self._letter()
            self._length += len(line)

    def finish(self) -> None:
        """No more text comes."""
        self._letter()
        self._take(self._scanner.finish())
        self._tell(_FEWEST)

    def terms(self) -> list[tuple[int, Seen]]:
        """The terms that were found since this was last asked for, and where their first line begins."""
        found, self._found = self._found, []
        return found

    def texts(self) -> list[tuple[int, str]]:
        """What the letters say as words, since this was last asked for, and where it begins."""
        texts, self._texts = self._texts, []
        return texts

    @property
    def open_at(self) -> int | None:
        """From where on the lines may be the beginning of a term; None where they are none."""
        at = self._scanner.open_at // 2
        return self._starts[at] if len(self._starts) - at >= _SHORTEST else None

    def _letter(self) -> None:
        """Read the beginning of a line."""
        head, self._head = self._head, None
        if head is None:
            return
        item = _ITEM.match(head)
        listed, letter = item.groups() if item else (None, None)
        if letter is None or (listed and not self._listed):
            self._words += [""] if self._words[-1] else []
            self._tell(_TOLD)
            return
        self._listed = bool(listed)
        self._starts.append(self._start)
        self._words[-1] += letter
        if len(self._words[-1]) >= _UNPARTED:
            self._words[-1:] = split_words(self._words[-1])
            self._tell(_TOLD)
        self._take(self._scanner.feed(f"{letter} "))

    def _take(self, seen: Sequence[Seen]) -> None:
        self._found += [(self._starts[s.start // 2], s) for s in seen if s.end - s.start >= 2 * _SHORTEST - 1]

    def _tell(self, fewest: int) -> None:
        words = [word for word in self._words if word]
        letters = sum(map(len, words))
        if letters < fewest:
            return
        if letters >= _MEAN * len(words):
            self._texts.append((self._starts[self._first], " ".join(words)))
        self._words, self._first = [""], len(self._starts)
