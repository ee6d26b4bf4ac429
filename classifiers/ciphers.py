"""Letters for other letters, and letters in another order. Only a text with words that are none can hide things so."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import lru_cache

from classifiers.reading import Reading, edited
from classifiers.weights import in_vocabulary, unknown, weight

_COMMON = frozenset(
    "the of and to in is are was were a an who what where when which how did does do for with on at by from it this "
    "that tell me you can name about his her their born author".split()
)
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[^\W_]{3,}")
_ASCII_LETTERS = re.compile(r"[A-Za-z]{3,}")
_LETTERS = re.compile(r"(?=[^\W\d_]*[A-Za-z])[^\W\d_]{3,}")  # what a cipher leaves as it is may stand among them
_ENDINGS = ("s", "es", "d", "ed", "r", "er", "ing", "ly")
_TELLING_WORDS = 3
_GUESSED_LETTERS = 7
_GUESSED_WORDS = 12
_GUESSED_TEXT = 40_000  # characters of a text whose strange words may be a name in cipher


def strange(text: str) -> bool:
    """Whether a word of ``text`` is not one that the encoder knows."""
    words = _WORD.findall(text.lower())
    return not words or not all(map(_inflected, unknown(words)))


def _inflected(word: str) -> bool:
    """Whether ``word`` is one that the encoder knows, with an ending."""
    return len(word) > 5 and any(word.endswith(end) and in_vocabulary(word[: -len(end)]) for end in _ENDINGS)


def _english(text: str) -> int:
    return _common_words(text[:4000])


@lru_cache(maxsize=64)
def _common_words(text: str) -> int:
    return sum(word in _COMMON for word in re.findall(r"[a-z]+", text.lower()))


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
    letters = _ASCII_LETTERS if reading.text.isascii() else _LETTERS
    words = [m for m in letters.finditer(reading.text) if not in_vocabulary(m.group().lower())]
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


_PIG = re.compile(r"(?<![^\W_])([^\W\d_]{1,24})ay(?![^\W_])", re.IGNORECASE)
_MOVED = re.compile(r"[^\W\d_aeiou]{0,4}$", re.IGNORECASE)


def pig_latin(reading: Reading) -> Iterator[Reading]:
    """First consonants at the end of a word, and "ay": "ereWhay asway"; where they stood shows in a capital letter."""
    if reading.text.lower().count("ay") < _TELLING_WORDS:
        return
    found = [m for m in _PIG.finditer(reading.text) if not in_vocabulary(m.group().lower())]
    if len(found) < _TELLING_WORDS:
        return
    for letters in (1, 0):  # letters that are put back where no word comes out
        made = edited(reading, "pig-latin", ((m.start(), m.end(), _put_back(m.group(1), letters)) for m in found),
                      semantic=False)  # fmt: skip
        if made:
            yield made


def _put_back(word: str, unknown: int) -> str:
    capital = next((i for i, c in enumerate(word) if i and c.isupper() and not word.isupper()), 0)
    if capital:
        return word[capital:] + word[:capital]
    moved = _MOVED.search(word)
    most = min(len(moved.group()) if moved else 0, len(word) - 1)
    forms = [word[len(word) - k :] + word[: len(word) - k] for k in range(most + 1)]
    known = [form for form in forms if in_vocabulary(form.lower())]
    return min(known, key=lambda form: weight(form.lower())) if known else forms[min(unknown, most)]


CIPHERS = {
    "rot13": rot13,
    "reversed": reverse,
    "words-reversed": words_reversed,
    "substituted": substituted,
    "pig-latin": pig_latin,
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
