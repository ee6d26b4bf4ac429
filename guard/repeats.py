"""Keeps the guard's own text out of answers: a small model repeats what stands before its prompt, and users ask for it.

Words are compared, not letters: a run of ``RUN`` words that also stand in a row in the guard's text ends the answer. A
run that is half as long is held back until it ends otherwise. What is repeated in other words, or in a code, is not
found; there is no fact in the guard's text to be had that way.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from guard.output.types import Hit, Key

RUN = 8  # words in a row
_HELD = 4
_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 64  # letters; of what is longer the end is enough to see that it is no word of the text


class Watching(Protocol):
    """Watches an answer: ``guard.output.Watch``, and what is put around it."""

    @property
    def hit(self) -> Hit | None:
        """What was seen that may not go out."""
        ...

    def add(self, channel: str, text: str, *, json: bool = False) -> None:
        """Read the next piece of a channel."""
        ...

    def finish(self) -> None:
        """No more text comes."""
        ...

    def needs_judging(self) -> bool:
        """Whether text is held that has to be judged."""
        ...

    def judge(self) -> None:
        """Judge it. Blocking."""
        ...

    def cleared(self, channel: str) -> int:
        """How many characters of the channel may go out."""
        ...

    def leaks(self, channel: str, token: str) -> bool:
        """Whether ``token`` after the channel's text may not be shown."""
        ...


@dataclass(slots=True)
class _Channel:
    """Where a channel is: its whole words that stand in a row in the guard's text too, and the word that has not ended.

    Places are characters from the channel's beginning. ``limit``: what may go out.
    """

    row: deque[tuple[str, int]] = field(default_factory=deque)
    open: str = ""
    length: int = 0
    limit: int = 0


@dataclass(slots=True)
class WithoutGuardText:
    """``inner``, and beside it no run of words of ``texts``, which the guard put into the request that is answered."""

    inner: Watching
    texts: Sequence[str]
    key: Key  # the list and entry for which they were put there
    _row: str = field(init=False)
    _channels: dict[str, _Channel] = field(default_factory=dict, init=False)
    _hit: Hit | None = field(default=None, init=False)
    _finished: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._row = " \n ".join(f" {' '.join(_words(text))} " for text in self.texts)

    @property
    def hit(self) -> Hit | None:
        """What was seen that may not go out."""
        return self.inner.hit or self._hit

    def add(self, channel: str, text: str, *, json: bool = False) -> None:
        """Read the next piece of a channel."""
        self.inner.add(channel, text, json=json)
        own = self._channels.setdefault(channel, _Channel())
        self._read(own, channel, text)
        if self._hit is None:
            row = self._shared([*own.row, *([(own.open, own.length - len(own.open))] if own.open else [])], ended=False)
            own.limit = max(own.limit, row[0][1] if len(row) >= _HELD else own.length)

    def finish(self) -> None:
        """No more text comes: what may still become a run will not."""
        self.inner.finish()
        for name, own in self._channels.items():
            self._read(own, name, " ")
        self._finished = True

    def needs_judging(self) -> bool:
        """Whether text is held that has to be judged."""
        return self._hit is None and self.inner.needs_judging()

    def judge(self) -> None:
        """Judge it. Blocking."""
        self.inner.judge()

    def cleared(self, channel: str) -> int:
        """How many characters of the channel may go out."""
        inner, own = self.inner.cleared(channel), self._channels.get(channel)
        if own is None or (self._finished and self._hit is None):
            return inner
        return min(inner, own.limit)

    def leaks(self, channel: str, token: str) -> bool:
        """Whether ``token`` would go on with a run that is held, or is protected otherwise."""
        if self.inner.leaks(channel, token):
            return True
        own = self._channels.get(channel, _Channel())
        found = [(word, 0) for word in _words(own.open + token)]
        return len(self._shared([*own.row, *found], ended=False)) >= _HELD

    def _read(self, own: _Channel, channel: str, text: str) -> None:
        """Take in the words that have ended."""
        text, start = own.open + text, own.length - len(own.open)
        own.length = start + len(text)
        own.open = ""
        for match in _WORD.finditer(text):
            if match.end() == len(text):
                own.open = match.group()[-_LONGEST_WORD:]
                return
            own.row.append((match.group().casefold(), start + match.start()))
            own.row = deque(self._shared(own.row, ended=True))
            if len(own.row) >= RUN:
                self._hit = self._hit or Hit(*self.key, "guard", channel)
                own.row.popleft()

    def _shared(self, row: Sequence[tuple[str, int]], *, ended: bool) -> list[tuple[str, int]]:
        """The longest end of ``row`` that stands in the guard's text; not ``ended``: its last word may go on."""
        for first in range(max(0, len(row) - RUN), len(row)):
            words = " ".join(word for word, _ in list(row)[first:]).casefold()
            if (f" {words} " if ended else f" {words}") in self._row:
                return list(row)[first:]
        return []


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
