"""Words one edit from known ones, through one-letter deletions (SymSpell's idea), checked by rapidfuzz."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

# Beyond so many words the table of deletions grows too large to keep.
MOST_WORDS = 20_000
_SHORTEST = 4


class Speller:
    """Finds known words at an edit distance of at most 1, swaps of neighbours included."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._longest = max(map(len, self._words), default=0) + 1
        self._near: dict[str, list[str]] = defaultdict(list)
        if len(self._words) <= MOST_WORDS:
            for word in self._words:
                if len(word) >= _SHORTEST:
                    for variant in _deletions(word):
                        self._near[variant].append(word)

    def __bool__(self) -> bool:
        return bool(self._near)

    def closest(self, word: str) -> set[str]:
        """Known words that ``word`` is or may have been meant to be."""
        from rapidfuzz.distance import OSA

        found = {word} if word in self._words else set()
        if _SHORTEST <= len(word) <= self._longest and self._near:
            for variant in _deletions(word):
                for other in self._near.get(variant, ()):
                    if OSA.distance(word, other, score_cutoff=1) <= 1:
                        found.add(other)
        return found


def _deletions(word: str) -> set[str]:
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}
