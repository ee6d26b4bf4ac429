"""Text as runs of letters and digits with the gaps between them, read alike however it is written.

A disguise that changes single characters (case, accents, full-width or look-alike letters, invisible characters,
digits for letters) gives a run other ``forms``; one that puts something between letters gives more runs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from classifiers.glyphs import confusables
from classifiers.lexical import unspaced
from classifiers.normalise import fold_words
from classifiers.reading import clean

SEAM = "\0"  # stands between pieces of text that may belong together, such as the strings of a JSON document
_VANISHING = "\u200b"  # stands for what only changes how other characters look
_UNSPACED = "\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_ATOM = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}](?:{_VANISHING}*[^\W_{_UNSPACED}])*")
_ASCII_ATOM = re.compile(r"[A-Za-z0-9]+")
_SIGNS = {"@": "a", "$": "s", "!": "i", "|": "l", "€": "e", "+": "t"}
_DIGITS = str.maketrans("4305789621", "aeostbggzi")
_LONGEST_ATOM = 64
_LONGEST_GAP = 24  # characters


@dataclass(frozen=True, slots=True)
class Atom:
    """A run of letters and digits at ``[start, end)``; ``spaced``: white space stands before it, ``far``: a lot does.

    ``forms``: the ways to read what is ``written``. ``sign``: the letter that a single mark before it may stand for.
    """

    start: int
    end: int
    written: str
    forms: tuple[str, ...]
    spaced: bool
    far: bool
    sign: str


def plain(text: str) -> str:
    """``text`` with every character either as it is or as the plain one it stands for, in the same places."""
    return text if text.isascii() else text.translate(_TABLE)


def atoms(text: str, *, spaced: bool = True) -> list[Atom]:
    """The runs of a ``plain`` text; ``spaced``: white space or nothing stands before it."""
    found: list[Atom] = []
    end = 0
    for match in (_ASCII_ATOM if text.isascii() else _ATOM).finditer(text):
        start, run = match.start(), match.group()
        if start == end:
            found.append(Atom(start, match.end(), run, _forms(run), spaced and not end, False, ""))
        else:
            gap = text[end:start]
            blank = not gap.isprintable() or " " in gap
            blank = blank and any(map(str.isspace, gap))
            sign = _SIGNS.get(gap, "") if len(gap) == 1 else ""
            found.append(Atom(start, match.end(), run, _forms(run), blank, len(gap) > _LONGEST_GAP, sign))
        end = match.end()
    return found


def letters(text: str) -> tuple[str, tuple[int, ...]]:
    """The folded letters and digits of ``text``, and after how many of them a word ends."""
    words = _ASCII_ATOM.findall(text.lower()) if text.isascii() else [a.forms[0] for a in atoms(plain(text))]
    ends = tuple(accumulate(map(len, words)))
    return "".join(words), ends[:-1]


def places(run: str, form: str) -> Sequence[int]:
    """Where in ``run`` each letter of a form of it stands, and where the run ends; all at 0 where that is not known."""
    if len(run) == len(form):
        return range(len(form) + 1)
    where = [i for i, char in enumerate(run) for _ in _forms(char)[0] if char != _VANISHING]
    return [*(where if len(where) == len(form) else [0] * len(form)), len(run)]


@lru_cache(maxsize=65536)
def _forms(run: str) -> tuple[str, ...]:
    """The ways to read a run, the plain one first."""
    if run.isascii():
        lower = run.lower()
        return (lower,) if run.isalpha() or run.isdigit() or len(run) > 24 else _leet(lower)
    bare = run.replace(_VANISHING, "")[:_LONGEST_ATOM]
    found = [fold_words(bare).replace(" ", ""), *_leet(fold_words("".join(map(_lookalike, bare))).replace(" ", ""))]
    return tuple(dict.fromkeys(f for f in found if f)) or (bare,)


def _leet(word: str) -> tuple[str, ...]:
    if word.isalpha() or word.isdigit():
        return (word,)
    one = word.translate(_DIGITS)
    forms = (word, one, one.replace("i", "l")) if "1" in word else (word, one)
    return tuple(dict.fromkeys(forms))


@lru_cache(maxsize=65536)
def _lookalike(char: str) -> str:
    """The Latin letter that ``char`` looks like, else itself."""
    if char.isascii():
        return char
    found = next(confusables(clean(f"a{char}")), None)
    return found.text[1:] if found else char


class _Table(dict[int, str]):
    """Characters to those they stand for, worked out when they first occur."""

    def __missing__(self, point: int) -> str:
        found = self[point] = _plainly(chr(point))
        return found


def _plainly(char: str) -> str:
    if 0xE0020 <= ord(char) <= 0xE007E:  # tag characters, which no screen shows
        return chr(ord(char) - 0xE0000)
    if char.isascii() or char.isalnum() or unspaced(char):
        return char
    if unicodedata.category(char) in ("Cf", "Cs", "Cn", "Mn", "Me"):
        return _VANISHING
    if char.isspace():
        return " "
    folded = fold_words(unicodedata.normalize("NFKD", char)) or fold_words(_lookalike(char))
    return folded[0] if folded else char


_TABLE = _Table()


def vanishes(text: str) -> bool:
    """Whether a ``plain`` text holds nothing that ends a word."""
    return not text.strip(_VANISHING)


def sentences(text: str) -> Iterator[str]:
    """``text`` in sentences, roughly."""
    for piece in _STOP.split(text):
        if piece.strip():
            yield piece.strip()


_STOP = re.compile(r"(?<=[.!?])\s+|\n|[。！？]")
