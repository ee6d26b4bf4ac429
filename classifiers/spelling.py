"""Known words that a misspelt one may have been meant to be: by edits (SymSpell's deletions) and by sound."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations

# Beyond so many words the tables of deletions grow too large to keep: of one letter, and of two.
MOST_WORDS, _MOST_FOR_TWO = 20_000, 4_000
_SHORTEST, _SHORTEST_FOR_TWO = 4, 7
_LONGEST = 24
_REMEMBERED = 20_000  # words


class Speller:
    """Finds known words at an edit distance of at most 1, swaps of neighbours included."""

    def __init__(self, words: Iterable[str], *, loose: bool = False) -> None:
        """Take folded words. ``loose``: two edits in long words and spelling by ear count too (``like``)."""
        self._words = frozenset(words)
        self._longest = max(map(len, self._words), default=0) + 1
        self._seen: dict[str, frozenset[str]] = {}  # words of prompts come again and again
        self._near: dict[str, tuple[str, ...]] = {}
        self._far: dict[str, tuple[str, ...]] = {}
        self._keys: dict[str, list[str]] = defaultdict(list)
        if len(self._words) > MOST_WORDS:
            return
        for word in self._words:
            if len(word) >= _SHORTEST:
                _add(self._near, _deletions(word), word)
            if loose:
                for key in {*_keys(word), f"2{_skeleton(word)}"}:
                    self._keys[key].append(word)
                if _SHORTEST_FOR_TWO <= len(word) <= _LONGEST and len(self._words) <= _MOST_FOR_TWO:
                    _add(self._far, _two_deletions(word), word)

    def __bool__(self) -> bool:
        return bool(self._near)

    def exact(self, word: str) -> set[str]:
        """``word`` itself, where it is known."""
        return {word} if word in self._words else set()

    def closest(self, word: str) -> set[str]:
        """Known words that ``word`` is or may have been meant to be."""
        known = self._seen.get(word)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[word] = frozenset(self._closest(word))
        return set(known)

    def _closest(self, word: str) -> set[str]:
        from rapidfuzz.distance import OSA

        found = self.exact(word)
        if _SHORTEST <= len(word) <= self._longest and self._near:
            for variant in _deletions(word):
                for other in self._near.get(variant, ()):
                    if OSA.distance(word, other, score_cutoff=1) <= 1:
                        found.add(other)
        return found

    def like(self, word: str) -> set[str]:
        """``closest``, and those that sound alike, lack their vowels, have letters doubled or are two edits away."""
        from rapidfuzz.distance import OSA

        found = self.closest(word)
        if len(word) < 3 or len(word) > 4 * _LONGEST:
            return found
        for key in _keys(word):
            found.update(self._keys.get(key, ()))
        if not found and _SHORTEST_FOR_TWO - 2 <= len(word) <= _LONGEST + 2 and self._far:
            for variant in _two_deletions(word):
                for other in self._far.get(variant, ()):
                    if OSA.distance(word, other, score_cutoff=2) <= 2:
                        found.add(other)
        return found


def _add(table: dict[str, tuple[str, ...]], variants: Iterable[str], word: str) -> None:
    """Note ``word`` for each variant. Most are of one word only, and these have one value: a word has hundreds."""
    alone = (word,)
    for variant in variants:
        others = table.get(variant)
        table[variant] = alone if others is None else (*others, word)


def keys_of(word: str, *, known: bool) -> set[str]:
    """What a known word and a way to misspell it have in common: one letter less, and what they sound like.

    Two words that share a key may be two edits apart: coarser than ``Speller.like``, for where the known words are not
    at hand to be compared. ``known``: ``word`` is what may have been meant, else what was written.
    """
    own = _deletions(word) if len(word) >= _SHORTEST else {word}
    return own | set(_keys(word)) | ({f"2{_skeleton(word)}"} if known else set())


def _deletions(word: str) -> set[str]:
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


def _two_deletions(word: str) -> set[str]:
    two = {word[:i] + word[i + 1 : j] + word[j + 1 :] for i, j in combinations(range(len(word)), 2)}
    return _deletions(word) | two


_DOUBLED = re.compile(r"(.)\1+")
_VOWELS = re.compile(r"[aeiouy]+")
_LEFT_OUT = re.compile(r"[aeiou]+")
_SOUNDS = re.compile(r"ph|ck|sch|sh|ch|th|kn|wr|qu|c(?=[eiy])|[cqzvwx]|gh|(?<=.)h")
_SOUND_OF = {
    "ph": "f", "ck": "k", "sch": "s", "sh": "s", "ch": "k", "th": "t", "kn": "n", "wr": "r", "qu": "k", "c": "k",
    "q": "k", "z": "s", "v": "f", "w": "f", "x": "ks", "gh": "g", "h": "",
}  # fmt: skip


def _keys(word: str) -> Iterator[str]:
    """What words share that are the same but for doubled letters, vowels left out, i for l, or the way of spelling."""
    single = _DOUBLED.sub(r"\1", word)
    if len(single) >= _SHORTEST:
        yield f"1{single}"
    bare = _skeleton(word)
    if bare == single and len(bare) >= 2 and len(word) >= 3:
        yield f"2{bare}"
    if "i" in word or "l" in word:
        yield "4" + word.replace("l", "i")  # a 1 is either
    sound = _VOWELS.sub("a", _SOUNDS.sub(lambda m: _SOUND_OF.get(m.group(), "s"), single))
    if len(sound) >= _SHORTEST:
        yield "3" + _DOUBLED.sub(r"\1", sound)


def _skeleton(word: str) -> str:
    """The first letter and the consonants after it."""
    single = _DOUBLED.sub(r"\1", word)
    return single[:1] + _LEFT_OUT.sub("", single[1:])
