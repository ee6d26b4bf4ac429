"""Letters for other letters, and letters in another order. Only a text with words that are none can hide things so."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache

from classifiers.reading import Reading
from classifiers.weights import in_vocabulary

_COMMON = frozenset(
    "the of and to in is are was were a an who what where when which how did does do for with on at by from it this "
    "that tell me you can name about his her their born author".split()
)
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[^\W_]{3,}")
_LETTERS = re.compile(r"[A-Za-z]{3,}")
_ENDINGS = ("s", "es", "d", "ed", "r", "er", "ing", "ly")
_TELLING_WORDS = 3
_GUESSED_LETTERS = 7
_GUESSED_WORDS = 12
_GUESSED_TEXT = 4000  # characters of a text whose strange words may be a name in cipher


def strange(text: str) -> bool:
    """Whether a word of ``text`` is not one that the encoder knows."""
    words = _WORD.findall(text.lower())
    return not words or not all(in_vocabulary(w) or _inflected(w) for w in words)


def _inflected(word: str) -> bool:
    """Whether ``word`` is one that the encoder knows, with an ending."""
    return len(word) > 5 and any(word.endswith(end) and in_vocabulary(word[: -len(end)]) for end in _ENDINGS)


def _english(text: str) -> int:
    return sum(word in _COMMON for word in re.findall(r"[a-z]+", text[:4000].lower()))


def rot13(reading: Reading) -> Iterator[Reading]:
    """Letters turned by 13; worth the encoder only where that makes more English."""
    text = codecs.encode(reading.text, "rot13")
    yield Reading("rot13", text, reading.starts, reading.ends, semantic=_english(text) > _english(reading.text))


def reverse(reading: Reading) -> Iterator[Reading]:
    """Back to front; worth the encoder only where that makes more English."""
    text = reading.text[::-1]
    better = _english(text) > _english(reading.text)
    yield Reading("reversed", text, reading.starts[::-1], reading.ends[::-1], semantic=better)


def words_reversed(reading: Reading) -> Iterator[Reading]:
    """Every word back to front; worth the encoder only where that makes more English."""
    places = [i for m in re.finditer(r"\S+|\s+", reading.text) for i in _backwards(m)]
    text = "".join([reading.text[i] for i in places])
    starts, ends = [reading.starts[i] for i in places], [reading.ends[i] for i in places]
    yield Reading("words-reversed", text, starts, ends, semantic=_english(text) > _english(reading.text))


def _backwards(run: re.Match[str]) -> range:
    return range(run.end() - 1, run.start() - 1, -1)


def substituted(reading: Reading) -> Iterator[Reading]:
    """Letters turned by any number, or the alphabet turned round: the whole text, or the strange words alone."""
    words = [m for m in _LETTERS.finditer(reading.text) if not in_vocabulary(m.group().lower())]
    if sum(len(m.group()) for m in words) < _GUESSED_LETTERS:
        return
    if len(words) >= _TELLING_WORDS:
        sample = " ".join(m.group().lower() for m in words[:40])
        known = {name: sum(map(in_vocabulary, sample.translate(to).split())) for name, to in _tables().items()}
        best = max(known, key=lambda n: known[n])
        if known[best] >= max(2, 0.4 * min(40, len(words))):
            yield Reading(best, reading.text.translate(_tables()[best]), reading.starts, reading.ends)
            return
    if len(words) <= _GUESSED_WORDS and len(reading.text) <= _GUESSED_TEXT:
        yield _guesses(reading, words)


def _guesses(reading: Reading, words: list[re.Match[str]]) -> Reading:
    """``words`` under every table, one a line."""
    line = " ".join(m.group() for m in words) + "\n"
    places = [i for m in words for i in (*range(m.start(), m.end()), m.end() - 1)]
    starts, ends = [reading.starts[i] for i in places], [reading.ends[i] for i in places]
    text = "".join([line.translate(to) for to in _tables().values()])
    many = len(_tables())
    return Reading("substituted", text, starts * many, ends * many, semantic=False, guessed=True)


CIPHERS = {
    "rot13": rot13,
    "reversed": reverse,
    "words-reversed": words_reversed,
    "substituted": substituted,
}


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[int, int]]:
    shifts = {f"caesar-{k}": _LOWER[k:] + _LOWER[:k] for k in range(1, 26) if k != 13}
    return {
        name: str.maketrans(_LOWER + _LOWER.upper(), to + to.upper())
        for name, to in (shifts | {"atbash": _LOWER[::-1]}).items()
    }


def turnings(word: str) -> list[str]:
    """A word in every cipher of single letters, and back to front; always in the same order."""
    return [*(word.translate(to) for to in _tables().values()), codecs.encode(word, "rot13"), word[::-1]]
