"""Letters for other letters, and letters in another order. Only a text with words that are none can hide things so."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from functools import lru_cache

from classifiers.plain import Stretch, beside
from classifiers.reading import Reading, edited
from classifiers.weights import in_vocabulary, unknown, weight

_COMMON = frozenset(
    "the of and to in is are was were a an who what where when which how did does do for with on at by from it this "
    "that tell me you can name about his her their born author".split()
)
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_WORD = re.compile(r"[^\W_]{3,}")
_SHORT = 1200  # characters of a text that is undone as a whole
_SEARCHED = 64  # words that are searched for one by one, which is faster than to look at all
_NEAR = 24  # characters beside a strange word that are undone with it: a part of a name may happen to be a word
_ASCII_LETTERS = re.compile(r"[A-Za-z]{3,}")
_LETTERS = re.compile(r"(?=[^\W\d_]*[A-Za-z])[^\W\d_]{3,}")  # what a cipher leaves as it is may stand among them
_ENDINGS = ("s", "es", "d", "ed", "r", "er", "ing", "ly")
_TELLING_WORDS = 3
_BY_CHANCE = 0.08  # of the words of nonsense may be common ones; of English are some 40 %
_GUESSED_LETTERS = 7
_TELLING_SHARE, _TELLING_SHARE_OF_PASSAGE = 0.4, 0.6
_FEWEST_KNOWN, _SAMPLE = 2, 40
_GUESSED_WORDS, _GUESSED_OF_PASSAGES = 12, 48
_GUESSED_TEXT = 40_000  # characters of a text whose strange words may be a name in cipher


def strange_part(reading: Reading) -> Reading | None:
    """Of a long text the words that the encoder does not know and what stands beside them; None without such words.

    What a cipher hides is strange words; it does not make a text of them that others stand in.
    """
    text = reading.text
    words = set(_WORD.findall(text.lower()))
    odd = {word for word in unknown(words) if not (word.isdigit() or _inflected(word))}
    if words and not odd:
        return None
    if len(text) <= _SHORT or not words:
        return reading
    return reading.part(beside(text, _places(text, odd), near=_NEAR))


def _places(text: str, odd: Set[str]) -> list[Stretch]:
    lower = text.lower()
    if len(lower) != len(text) or len(odd) > _SEARCHED:
        return [match.span() for match in _WORD.finditer(text) if match.group().lower() in odd]
    found: list[Stretch] = []
    for word in odd:
        at = lower.find(word)
        while at >= 0:
            found.append((at, at + len(word)))
            at = lower.find(word, at + len(word))
    return sorted(found)


def _inflected(word: str) -> bool:
    """Whether ``word`` is one that the encoder knows, with an ending."""
    return len(word) > 5 and any(word.endswith(end) and in_vocabulary(word[: -len(end)]) for end in _ENDINGS)


def _more_english(text: str, parent: str) -> bool:
    """Whether ``text`` is worth the encoder: it has more common words than ``parent``, and not by chance."""
    common, words = _common_words(text[:4000])
    return common > max(_common_words(parent[:4000])[0], _BY_CHANCE * words)


@lru_cache(maxsize=64)
def _common_words(text: str) -> tuple[int, int]:
    words = re.findall(r"[a-z]+", text.lower())
    return sum(map(_COMMON.__contains__, words)), len(words)


def rot13(reading: Reading) -> Iterator[Reading]:
    """Letters turned by 13; worth the encoder only where that makes more English."""
    text = codecs.encode(reading.text, "rot13")
    yield Reading("rot13", text, reading.starts, reading.ends, semantic=_more_english(text, reading.text))


def reverse(reading: Reading) -> Iterator[Reading]:
    """Back to front; worth the encoder only where that makes more English."""
    text = reading.text[::-1]
    better = _more_english(text, reading.text)
    yield Reading("reversed", text, reading.starts[::-1], reading.ends[::-1], semantic=better)


_PIECE = re.compile(r"\S+|\s+")


def words_reversed(reading: Reading) -> Iterator[Reading]:
    """Every word back to front; worth the encoder only where that makes more English."""
    pieces = _PIECE.findall(reading.text)
    text = "".join([piece[::-1] for piece in pieces])
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for piece in pieces:
        starts.extend(reading.starts[at : at + len(piece)][::-1])
        ends.extend(reading.ends[at : at + len(piece)][::-1])
        at += len(piece)
    yield Reading("words-reversed", text, starts, ends, semantic=_more_english(text, reading.text))


def substituted(reading: Reading) -> Iterator[Reading]:
    """Letters turned by any number, or the alphabet turned round: all of it, a passage, or strange words alone."""
    letters = _ASCII_LETTERS if reading.text.isascii() else _LETTERS
    words = [m for m in letters.finditer(reading.text) if not in_vocabulary(m.group().lower())]
    if sum(len(m.group()) for m in words) < _GUESSED_LETTERS:
        return
    best = _table_of(words, _TELLING_SHARE)
    if best:
        yield Reading(best, reading.text.translate(_tables()[best]), reading.starts, reading.ends)
        return
    passages = _passages(words)
    for passage in passages if len(passages) > 1 else ():
        best = _table_of(passage, _TELLING_SHARE_OF_PASSAGE)
        if best:
            part = reading.part([(passage[0].start(), passage[-1].end())])
            yield replace(part, name=best, text=part.text.translate(_tables()[best]))
    if len(words) > _GUESSED_WORDS:  # a name has two words as a rule
        words = _different([passage for passage in passages if len(passage) > 1])
    if words and len(reading.text) <= _GUESSED_TEXT:
        yield _guesses(reading, words)


def _table_of(words: Sequence[re.Match[str]], share: float) -> str | None:
    """The cipher that makes words that are known of such a share of strange ones."""
    if len(words) < _TELLING_WORDS:
        return None
    sample = " ".join(m.group().lower() for m in words[:_SAMPLE])
    known = {name: sum(map(in_vocabulary, sample.translate(to).split())) for name, to in _tables().items()}
    best = max(known, key=lambda n: known[n])
    return best if known[best] >= max(_FEWEST_KNOWN, share * min(_SAMPLE, len(words))) else None


def _passages(words: Sequence[re.Match[str]]) -> list[list[re.Match[str]]]:
    """Strange words with few others between them."""
    found: list[list[re.Match[str]]] = []
    for word in words:
        if found and word.start() - found[-1][-1].end() <= _NEAR:
            found[-1].append(word)
        else:
            found.append([word])
    return found


def _different(passages: Sequence[list[re.Match[str]]]) -> list[re.Match[str]]:
    """The words of different passages, as many as are guessed at in a long text."""
    distinct = {tuple(m.group().lower() for m in passage): passage for passage in passages}
    return [word for passage in distinct.values() for word in passage][:_GUESSED_OF_PASSAGES]


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
