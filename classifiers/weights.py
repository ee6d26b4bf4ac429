"""How much a word tells: from the rank that the encoder's vocabulary gives it, and nothing language-specific else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache

from classifiers.normalise import fold_words

SPECIFIC = 0.35  # from this weight on a word helps to tell one subject from another

_MONTHS = {
    name: str(number)
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sep sept", "october oct", "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")
_FIRST_WORD = 1996  # where the words begin in BERT's vocabulary, most frequent first
_COMMON, _RARE = 600, 12_000


def content(text: str) -> list[str]:
    """The folded words of ``text``, with months as numbers, numbers without leading zeros and plurals cut."""
    return [normal(word) for word in fold_words(text).split() if len(word) <= _LONGEST]


@lru_cache(maxsize=100_000)
def normal(word: str) -> str:
    """A folded word as ``content`` has it."""
    word = _MONTHS.get(word, word)
    ordinal = _ORDINAL.match(word)
    word = ordinal.group(1) if ordinal else word
    if word.isdigit():
        return word.lstrip("0") or "0"
    if len(word) <= 3 or not word.endswith("s") or word.endswith("ss"):
        return word
    ranks = _ranks()
    own, singular = ranks.get(word), ranks.get(word[:-1])
    return word if own is not None and (singular is None or own < singular) else word[:-1]


_LONGEST = 64  # letters; what is longer is no word
MONTHS = frozenset(_MONTHS)


@lru_cache(maxsize=100_000)
def weight(word: str) -> float:
    """0 for the commonest words, 1 for rare ones, names the vocabulary lacks, and years."""
    if word.isdigit():
        return 1.0 if len(word) >= 3 else 0.4
    ranks = _ranks()
    rank = ranks.get(word) or ranks.get(word + "s")
    if rank is None:
        return 1.0 if len(word) > 2 else 0.2
    return min(1.0, max(0.0, math.log(rank / _COMMON) / math.log(_RARE / _COMMON)))


def specific(word: str) -> bool:
    """Whether the folded ``word`` helps to tell one subject from another."""
    return weight(word) >= SPECIFIC or word.isdigit()


def in_vocabulary(word: str) -> bool:
    """Whether the encoder knows the folded ``word`` as one."""
    return word in _ranks()


def unknown(words: Iterable[str]) -> list[str]:
    """Those of the folded ``words`` that the encoder does not know."""
    ranks = _ranks()
    return [word for word in words if word not in ranks]


def total(words: Iterable[str]) -> float:
    """The weights of distinct words, summed."""
    return sum(map(weight, set(words)))


@lru_cache(maxsize=1)
def _ranks() -> dict[str, int]:
    from tokenizers import Tokenizer

    from classifiers.encoder import minilm_folder

    vocabulary = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json")).get_vocab()
    return {word: i - _FIRST_WORD + 1 for word, i in vocabulary.items() if i >= _FIRST_WORD and word.isalpha()}


_LONGEST_WORD = 18
_UNKNOWN = 9.5  # cost of a letter in a word that the vocabulary lacks, against log rank for one that it has


def split_words(run: str) -> list[str]:
    """Letters without spaces as the likeliest words by rank; capital letters inside begin a word."""
    lower = run.lower()
    if len(lower) != len(run):
        return [run]
    ranks = _ranks()
    best = [0.0] + [math.inf] * len(run)
    back = [0] * (len(run) + 1)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST_WORD), end):
            word = lower[start:end]
            rank = ranks.get(word)
            if rank is None or (len(word) == 1 and word not in "ai"):
                cost = _UNKNOWN * (end - start) ** 0.5 + 6 if end - start > 3 else _UNKNOWN * (end - start)
            else:
                cost = math.log(rank + 10)
            if any(c.isupper() for c in run[start + 1 : end]):
                cost += 6
            if best[start] + cost < best[end]:
                best[end], back[end] = best[start] + cost, start
    words: list[str] = []
    end = len(run)
    while end:
        words.append(run[back[end] : end])
        end = back[end]
    return words[::-1]
