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
    return [_normal(word) for word in fold_words(text).split()]


def _normal(word: str) -> str:
    word = _MONTHS.get(word, word)
    ordinal = _ORDINAL.match(word)
    word = ordinal.group(1) if ordinal else word
    if word.isdigit():
        return word.lstrip("0") or "0"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


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


def total(words: Iterable[str]) -> float:
    """The weights of distinct words, summed."""
    return sum(map(weight, set(words)))


@lru_cache(maxsize=1)
def _ranks() -> dict[str, int]:
    from tokenizers import Tokenizer

    from classifiers.encoder import minilm_folder

    vocabulary = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json")).get_vocab()
    return {word: i - _FIRST_WORD + 1 for word, i in vocabulary.items() if i >= _FIRST_WORD and word.isalpha()}
