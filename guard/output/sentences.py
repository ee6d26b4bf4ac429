"""Text that arrives in pieces, cut into sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 240  # characters after which a sentence is cut
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]*_]{0,3}(?=\s)|\n|(?<=[。！？])")
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|No|vs|cf|e\.g|i\.e|approx|ca)\.$")
_BACK = 6  # characters before a piece in which a sentence may turn out to have ended


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters ``[start, end)``."""

    start: int
    end: int
    text: str


class Sentences:
    """Reads one text; a sentence is cut after ``longest`` characters."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self.buffer = ""  # what has come of the sentence that has not ended
        self.start = 0  # where it begins

    def feed(self, text: str) -> list[Sentence]:
        """The sentences that end with the next piece."""
        seen = max(0, len(self.buffer) - _BACK)
        self.buffer += text
        found: list[Sentence] = []
        while True:
            end = self._end(seen)
            if end is None:
                return found
            found.append(self._cut(end))
            seen = 0

    def finish(self) -> list[Sentence]:
        """No more text comes."""
        return [self._cut(len(self.buffer))] if self.buffer else []

    def _end(self, seen: int) -> int | None:
        for match in _END.finditer(self.buffer, seen):
            if match.end() and not _ABBREVIATION.search(self.buffer[max(0, match.end() - 8) : match.end()]):
                if match.end() > self._longest:
                    break
                return match.end()
        if len(self.buffer) <= self._longest:
            return None
        cut = self.buffer.rfind(" ", self._longest // 2, self._longest)
        return cut if cut > 0 else self._longest

    def _cut(self, end: int) -> Sentence:
        made = Sentence(self.start, self.start + end, self.buffer[:end])
        self.start += end
        self.buffer = self.buffer[end:]
        return made
