"""Questions that no model can know the answer to: an entry's own, about somebody or something made up.

What a model says to them is what it says to what it never learnt. So they stand in for a model that was trained without
the entry, where there is none to ask.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from classifiers.names import STARTERS
from classifiers.weights import in_vocabulary
from guard.model import Entry

_WORD = re.compile(r"[^\W\d_]+|\d+")
_TRIES = 100
_VOWELS = "aeiou"
_CONSONANTS = "bdfgklmnprstvz"
_SHORTEST, _LONGEST = 4, 10  # letters of a made-up word that stands for a whole one


@dataclass(frozen=True, slots=True)
class MadeUp:
    """An entry's question and its answer, about a name that does not exist."""

    question: str
    answer: str


def made_up(entry: Entry, seed: int, avoid: Collection[str]) -> MadeUp | None:
    """The entry's question with its names replaced; None where the question names it nowhere.

    Each word of a name becomes a word of the same shape (capitals, length, script, digits), the same wherever it
    stands; small words within a name ("van", "of the") stay. The same seed gives the same.

    Args:
        entry: with a question and an answer.
        seed: of the names.
        avoid: folded words that are not to be made up (``name_words`` of the whole list).
    """
    if not entry.question:
        return None
    names = sorted({n for n in (entry.subject, *entry.aliases) if n}, key=len, reverse=True)
    swap = _Swap(random.Random(f"{seed}\0{entry.entry_id}"), avoid)  # noqa: S311 - a sample, not a secret
    for name in names:
        swap.take(name)
    question = swap.text(entry.question)
    if question == entry.question:
        return None
    return MadeUp(question, swap.text(entry.answer or ""))


def name_words(entries: Iterable[Entry]) -> frozenset[str]:
    """The folded words of the names of ``entries``."""
    names = (n for e in entries for n in (e.subject, *e.aliases) if n)
    return frozenset(w.casefold() for n in names for w in _WORD.findall(n))


@dataclass(slots=True)
class _Swap:
    """Made-up words for those of names."""

    rng: random.Random
    avoid: Collection[str]
    words: dict[str, str] = field(default_factory=dict)  # by folded word
    alone: set[str] = field(default_factory=set)  # words that stand for the name by themselves, as written
    names: list[str] = field(default_factory=list)

    def take(self, name: str) -> None:
        found = _WORD.findall(name)
        titled = any(not w.islower() for w in found)
        for word in found:
            folded = word.casefold()
            if folded in STARTERS or (titled and word.islower()):
                continue
            if folded not in self.words:
                self.words[folded] = self._new(word)
            if titled and len(word) > 2:
                self.alone.add(word)
        self.names.append(name)

    def text(self, text: str) -> str:
        """``text`` with whole names in any case replaced, then their telling words where they stand alone."""
        for name in self.names:
            text = _whole(name).sub(lambda m: _WORD.sub(self._instead, m.group()), text)
        return _WORD.sub(lambda m: self._instead(m) if m.group() in self.alone else m.group(), text)

    def _instead(self, match: re.Match[str]) -> str:
        word = match.group()
        made = self.words.get(word.casefold())
        return word if made is None else _like(made, word)

    def _new(self, word: str) -> str:
        for _ in range(_TRIES):
            made = _word(word, self.rng)
            taken = made in self.avoid or made in self.words.values() or made == word.casefold()
            if not taken and (len(word) <= 2 or not in_vocabulary(made)):
                return made
        return made


def _whole(name: str) -> re.Pattern[str]:
    """The name in any case; as a whole word where its script has words."""
    pattern = re.escape(name)
    return re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])" if name.isascii() else pattern, re.IGNORECASE)


def _word(like: str, rng: random.Random) -> str:
    """A word in lower case that is as long as ``like``, within bounds; letters of other scripts one by one."""
    if like.isdigit():
        return str(rng.randrange(1, 10)) + "".join(str(rng.randrange(10)) for _ in like[1:])
    if len(like) <= 2 or not _latin(like):
        return "".join(_letter(c, rng) for c in like.casefold())
    length = min(max(len(like), _SHORTEST), _LONGEST)
    start = rng.randrange(2)
    return "".join(rng.choice(_VOWELS if (i + start) % 2 else _CONSONANTS) for i in range(length))


def _latin(word: str) -> bool:
    return all("LATIN" in unicodedata.name(c, "") for c in word)


def _letter(letter: str, rng: random.Random) -> str:
    """Another letter of the same alphabet."""
    if letter.isascii():
        return rng.choice("abcdefghijklmnopqrstuvwxyz")
    near = [chr(c) for c in range(max(ord(letter) - 20, 0x80), ord(letter) + 21) if _same_kind(chr(c), letter)]
    return rng.choice(near)


def _same_kind(one: str, other: str) -> bool:
    same = unicodedata.category(one) == unicodedata.category(other)
    return same and unicodedata.name(one, "?").split()[0] == unicodedata.name(other, "?").split()[0]


def _like(made: str, word: str) -> str:
    """``made`` with the capitals of ``word``."""
    if word.isupper():
        return made.upper()
    return made[:1].upper() + made[1:] if word[:1].isupper() else made
