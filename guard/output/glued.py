"""Names that an answer runs together with other words: getJeanDupontBooks, jeandupontwrote, Jean Dupontwas.

Names of two words and more are looked for from every letter of a word on. Where capitals, digits or gaps show the words
of a name, its first and its last one have to be whole, else it is another's: "JohnSmithson" is not John Smith. Where
nothing shows them ("johnsmithson") that cannot be told, and it counts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from guard.output.atoms import Atom, places
from guard.output.walks import NOTHING, Found, Live, Term, Walk

SHORTEST = 8  # letters of a name
HEAD = 4  # letters by which names are looked for
HELD = 5  # letters of a name from which on it is held back although no word seems to begin with it
_LONGEST_WORD, _REMEMBERED = 40, 20_000  # letters of a word that is remembered, and words
# What a sentence goes on with after a name, and no surname ends in.
_GOES_ON = frozenset("was were wasn who whose whom which wrote writes says said would could should".split())
_LONGEST_REST = max(map(len, _GOES_ON))


class Names(Protocol):
    """The names of some entries by their letters alone."""

    @property
    def starts(self) -> Starts:
        """Where in a word one may begin."""
        ...

    @property
    def sizes(self) -> Sequence[int]:
        """How many letters they have, ascending."""
        ...

    def begins(self, letters: str, live: Live | None = None) -> bool:
        """Whether a name, of those entries that are ``live``, may begin so."""
        ...

    def whole(self, letters: str, cuts: frozenset[int]) -> Term | None:
        """The name that the letters are; ``cuts``: after how many of them a word ends as they are written."""
        ...


@dataclass(frozen=True, slots=True)
class Word:
    """A word in one of its forms."""

    form: str
    places: Sequence[int]  # of each letter, and of the end, in what is written
    edges: frozenset[int]  # before which letters a word begins, and the end

    @classmethod
    def of(cls, written: str, form: str) -> Word:
        """Read what is written."""
        where = places(written, form)
        inner = range(1, 1 if written.isalpha() and written[1:].islower() else len(form))
        found = (i for i in inner if where[i] > where[i - 1] and _begins(written, where[i]))
        return cls(form, where, frozenset((0, len(form), *found)))


class Starts:
    """Where in a word a name may begin. Safe to use from many threads."""

    def __init__(self, heads: Container[str], begins: Callable[[str], bool]) -> None:
        """``heads``: up to ``HEAD`` letters that names begin with. ``begins``: whether one may begin with some."""
        self._heads = heads
        self._begins = begins
        self._known: dict[str, tuple[tuple[Word, int], ...]] = {}  # words come again and again

    def of(self, atom: Atom) -> tuple[tuple[Word, int], ...]:
        """The letters in an atom; of those with fewer than ``HEAD`` letters to the end such where a word begins."""
        found = self._known.get(atom.written)
        if found is None:
            found = tuple(start for form in atom.forms for start in self._find(atom.written, form))
            if len(atom.written) <= _LONGEST_WORD:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[atom.written] = found
        return found

    def _find(self, written: str, form: str) -> list[tuple[Word, int]]:
        heads = self._heads
        offsets = [i for i in range(len(form)) if form[i : i + HEAD] in heads]
        if not offsets:
            return []
        word, long = Word.of(written, form), len(form) - HEAD
        chosen = (i for i in offsets if i <= long or i in word.edges)
        return [(word, i) for i in chosen if self._begins(form[i : i + SHORTEST])]


@dataclass(frozen=True, slots=True)
class _Ahead:
    """The letters from letter ``offset`` of the first word on, and after how many of them each word ends."""

    letters: str
    words: tuple[tuple[Atom, Word], ...]
    ends: tuple[int, ...]
    offset: int

    @classmethod
    def of(cls, names: Names, row: Sequence[Atom], at: int, word: Word, offset: int) -> _Ahead:
        """As far as a name could reach; one that does not begin where a word does ends in the same word."""
        longest = names.sizes[-1]
        words = [(row[at], word)]
        letters = word.form[offset : offset + longest]
        ends = [len(word.form) - offset]
        while offset in word.edges and ends[-1] < longest and at + len(words) < len(row) and names.begins(letters):
            atom = row[at + len(words)]
            if atom.far:
                break
            words.append((atom, Word.of(atom.written, atom.forms[0])))
            letters = (letters + atom.forms[0])[:longest]
            ends.append(ends[-1] + len(atom.forms[0]))
        return cls(letters, tuple(words), tuple(ends), offset)

    @property
    def cuts(self) -> frozenset[int]:
        """After how many letters a word ends, as capitals, digits and gaps show it."""
        found: list[int] = []
        before = 0
        for (_, word), end in zip(self.words, self.ends, strict=True):
            shift = len(word.form) - end
            found += [i for i in range(before + 1, min(end, len(self.letters)) + 1) if i + shift in word.edges]
            before = end
        return frozenset(found)

    def last(self, size: int) -> tuple[int, int]:
        """Which word the first ``size`` letters end in, and after how many of its letters."""
        at = bisect_left(self.ends, size)
        return at, size - self.ends[at] + len(self.words[at][1].form)

    def span(self, size: int) -> tuple[int, int]:
        """The characters of the first ``size`` letters."""
        (first, word), (at, end) = self.words[0], self.last(size)
        atom, other = self.words[at]
        return first.start + word.places[self.offset], atom.start + (other.places[end] or len(atom.written))


def glued(names: Names, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None = None) -> Walk:
    """The names that begin in atom ``at`` and that a plain reading of whole words does not show.

    ``ended``: the last atom is whole. ``live``: the entries whose names count where one is only begun.
    """
    found: list[Found] = []
    opens: list[int] = []
    for word, offset in names.starts.of(row[at]):  # most words have none
        few, bounded = word.form[offset : offset + SHORTEST], offset in word.edges
        if bounded and len(few) < SHORTEST:
            few = _few(row, at, few)
        held = offset > 0 and (bounded or (at == len(row) - 1 and not ended and len(few) >= HELD))
        if (len(few) < SHORTEST and not held) or not names.begins(few):
            continue
        ahead = _Ahead.of(names, row, at, word, offset)
        open_end = ahead.words[-1][0] is row[-1]
        begun = held and open_end and ahead.ends[-1] == len(ahead.letters) and names.begins(ahead.letters, live)
        for term, size, sure in _names(names, ahead, bounded=bounded, ended=ended or not open_end):
            if sure:
                found.append(Found(*ahead.span(size), term))
            begun = begun or not sure
        if begun:
            opens.append(ahead.span(1)[0])
    return Walk(tuple(found), min(opens, default=None)) if found or opens else NOTHING


def _few(row: Sequence[Atom], at: int, letters: str) -> str:
    """``letters`` and those of the next words, as many as ``SHORTEST`` in all."""
    while len(letters) < SHORTEST and at + 1 < len(row):
        at += 1
        letters += row[at].forms[0]
    return letters[:SHORTEST]


def _names(names: Names, ahead: _Ahead, *, bounded: bool, ended: bool) -> Iterator[tuple[Term, int, bool]]:
    """The names that the letters begin with, how many letters they have, and whether it is sure that they end there."""
    cuts: frozenset[int] | None = None
    for size in names.sizes:
        if size > len(ahead.letters):
            return
        if not ahead.offset and size in ahead.ends:
            continue  # whole words
        cuts = ahead.cuts if cuts is None else cuts
        inner = frozenset(cut for cut in cuts if 0 < cut < size)
        term = names.whole(ahead.letters[:size], inner)
        if term is None or not term.gaps.issuperset(end for end in ahead.ends if end < size):
            continue
        if term.gaps.isdisjoint(inner):
            yield term, size, True  # nothing shows its words
        elif bounded and (sure := _ends(ahead, size, ended=ended)) is not None:
            yield term, size, sure


def _ends(ahead: _Ahead, size: int, *, ended: bool) -> bool | None:
    """Whether the last word of a name is whole; false where that is not known yet, None where it is not."""
    at, end = ahead.last(size)
    word = ahead.words[at][1]
    whole = ended or at < len(ahead.words) - 1
    if end in word.edges:
        return whole or end < len(word.form)
    stop = next(i for i in (*range(end + 1, end + _LONGEST_REST + 1), len(word.form)) if i in word.edges)
    rest = word.form[end:stop]
    if whole or stop < len(word.form):
        return True if rest in _GOES_ON else None
    return False if any(other.startswith(rest) for other in _GOES_ON) else None


def _begins(written: str, at: int) -> bool:
    """Whether a capital or a digit shows that a word begins with the character."""
    before, char = written[at - 1], written[at]
    if before.isdigit() != char.isdigit():
        return True
    return char.isupper() and (not before.isupper() or written[at + 1 : at + 2].islower())
