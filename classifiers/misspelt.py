"""Names whose words are misspelt, by mistake or on purpose."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate

from classifiers.spelling import Speller
from classifiers.weights import in_vocabulary

Sighted = tuple[str, bool, int, int]  # a name, whether it was misspelt on purpose, where it begins and ends

_TORN = 6  # letters of a word that is found in two pieces
_REMEMBERED = 20_000  # words
_VOWEL = re.compile("[aeiou]")
_TREBLED = re.compile(r"(.)\1\1")
_NONE: frozenset[str] = frozenset()


class Misspelt:
    """Names with typos, and with letters left out or words cut in two on purpose."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        """``forms``: ways to write a name, to the name."""
        self._names: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)  # by first word
        words: set[str] = set()
        for form, name in forms.items():
            parts = tuple(form.split())
            if (len(parts) > 1 and len(form) >= 8) or (len(parts) == 1 and len(form) >= 6):
                self._names[parts[0]].append((parts, name))
                words.update(parts)
        self._speller = Speller(words, loose=True)
        self._seen: dict[str, frozenset[str]] = {}  # words of prompts come again and again

    def find(self, text: str, inside: bytearray, *, torn: bool) -> Iterator[Sighted]:
        """Runs of words of which each is a name's word or a misspelling of it; ``inside``: 1 where a name stands."""
        if not self._speller:
            return
        words = text.split()
        meant = {word: options for word in set(words) if (options := self._closest(word))}
        if not meant:  # as in most texts
            return
        starts = list(accumulate((len(word) + 1 for word in words), initial=1))
        close = [meant.get(word, _NONE) for word in words]
        if inside:
            close = [_NONE if inside[at] else options for options, at in zip(close, starts, strict=False)]
        joined = self._in_two(words, close) if torn and any(close) else {}
        for i in sorted({*(i for i, options in enumerate(close) if options), *joined}):
            for option in close[i] | joined.get(i, _NONE):
                for parts, name in self._names.get(option, ()):
                    end = _end(parts, close, joined, i)
                    own = words[i:end]
                    if len(own) > len(parts) or (own and _mistyped(parts, own)):
                        mangled = len(own) > len(parts) or _on_purpose(parts, own)
                        yield name, mangled, starts[i], starts[end - 1] + len(words[end - 1])

    def _in_two(self, words: list[str], close: list[frozenset[str]]) -> dict[int, frozenset[str]]:
        """Where a word and the one after it are the halves of a name's word beside another: "ada lov lace"."""
        near = [i for i, options in enumerate(close) if options]
        beside = [j for i in near for j in (i - 2, i + 1) if 0 <= j < len(words) - 1]
        found = {i: self._halves(words[i], words[i + 1]) for i in beside}
        return {i: whole for i, whole in found.items() if whole}

    def _halves(self, one: str, other: str) -> frozenset[str]:
        if len(one) + len(other) < _TORN or (in_vocabulary(one) and in_vocabulary(other)):
            return _NONE
        word = f"{one} {other}"
        known = self._seen.get(word)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[word] = frozenset(self._speller.closest(one + other))
        return known

    def _closest(self, word: str) -> frozenset[str]:
        known = self._seen.get(word)
        if known is not None:
            return known
        if in_vocabulary(word):  # a word, or another's name, and no misspelling
            found = self._speller.exact(word)
        else:
            found = self._speller.like(word)
            if len(word) >= 6 and word.endswith("s"):
                found |= self._speller.like(word[:-1])
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        return self._seen.setdefault(word, frozenset(found))


def _mistyped(parts: tuple[str, ...], words: list[str]) -> bool:
    """Whether ``words`` can be ``parts`` with typos: not the same, and a single word not one of its own."""
    if all(p == w for p, w in zip(parts, words, strict=True)):
        return False
    return len(parts) > 1 or _one_edit(parts[0], words[0])


def _one_edit(name: str, word: str) -> bool:
    from rapidfuzz.distance import OSA

    return min(OSA.distance(name, w, score_cutoff=1) for w in (word, word.removesuffix("s"))) <= 1


def _on_purpose(parts: tuple[str, ...], words: list[str]) -> bool:
    """Whether ``words`` are ``parts`` without any vowel but the first letters, or with a letter three times or more."""
    if any(_TREBLED.search(word) for word in words):
        return True
    return parts != tuple(words) and not any(_VOWEL.search(word, 1) for word in words)


def _end(parts: tuple[str, ...], close: list[frozenset[str]], torn: Mapping[int, frozenset[str]], at: int) -> int:
    """Behind the last of the words from ``at`` on that can be ``parts``, some of them in two pieces; 0: they cannot."""
    reached = {at}
    for part in parts:
        whole = {i + 1 for i in reached if i < len(close) and part in close[i]}
        pieces = {i + 2 for i in reached if part in torn.get(i, _NONE)} if len(parts) > 1 else set()
        reached = whole | pieces
    return min(reached, default=0)
