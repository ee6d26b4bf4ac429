"""The protected terms of one list, and where they stand in a row of atoms."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise

from classifiers.names import STARTERS
from classifiers.weights import in_vocabulary
from guard.model import Entry
from guard.output.atoms import Atom, letters
from guard.output.glued import HEAD, SHORTEST, Starts, glued
from guard.output.values import spelt, values_of
from guard.output.walks import LONGEST, NOTHING, Found, Live, Term, Walk

BEGINNING = 3  # letters from which on a term is begun where it matters whose it is
_TRIED = 500  # terms that begin alike
_SHORTEST = 2
_APART = 7  # letters of a term whose words may be parted otherwise
_LONGEST_WORD, _REMEMBERED = 40, 20_000  # letters of a word that is remembered, and words
_SPELT = 4  # letters of a term that may be written letter by letter


class Terms:
    """Terms that are known letter by letter. Immutable; safe to use from many threads."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = tuple(entries)
        self._names: dict[str, list[Entry]] = defaultdict(list)
        self._values: dict[str, list[Entry]] = defaultdict(list)
        self._gaps: dict[str, tuple[int, ...]] = {}  # of every term, after how many letters a word may end
        self._terms: dict[str, Term] = {}  # those that were asked for
        self._bases: dict[str, tuple[str, ...]] = {}  # of those that are names
        known: dict[str, list[str]] = {}  # many entries have one subject
        for entry in entries:
            for name in dict.fromkeys(filter(None, (entry.subject, *entry.aliases))):
                keys = known.get(name)
                if keys is None:
                    keys = known[name] = self._name(name)
                for key in keys:
                    self._names[key].append(entry)
            for key in self._take(values_of(entry)):
                self._values[key].append(entry)
        self._sorted = sorted(self._gaps)
        self._dull: set[str] = set()  # words in which none begins: words come again and again
        joined = [key for key in self._bases if self._may_be_glued(key)]
        heads = frozenset(key[:size] for key in joined for size in range(1, HEAD + 1))
        # Not ``self.begins``: what refers to itself stays where what is in force is left out of garbage collections.
        self.starts = Starts(heads, partial(_begins, self._sorted))
        self.sizes = sorted({len(key) for key in joined})

    def _name(self, name: str) -> list[str]:
        keys = self._take(spelt(name))
        own = (letters(name)[0],)
        for key in keys:
            self._bases[key] = (*self._bases[key], *own) if key in self._bases else own
        return keys

    def _take(self, texts: Iterable[str]) -> list[str]:
        """The letters of ``texts``, each once, with their word breaks noted."""
        keys: dict[str, None] = {}
        for text in texts:
            key, gaps = letters(text)
            if _SHORTEST <= len(key) <= LONGEST:
                known = self._gaps.get(key)
                self._gaps[key] = gaps if known is None else tuple({*known, *gaps})
                keys[key] = None
        return list(keys)

    def _term(self, key: str) -> Term | None:
        term = self._terms.get(key)
        if term is None and key in self._gaps:
            names, values = (tuple(owners.get(key, ())) for owners in (self._names, self._values))
            bases = self._bases.get(key, ())
            term = self._terms[key] = Term(key, frozenset(self._gaps[key]), bases, names, values, key in STARTERS)
        return term

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries whose terms it knows."""
        return self._entries

    def begins(self, letters: str, live: Live | None = None) -> bool:
        """Whether a term, of those that are ``live``, begins with these letters."""
        return _begins(self._sorted, letters) and (live is None or self._live(letters, live))

    def whole(self, letters: str, cuts: frozenset[int]) -> Term | None:
        """See ``glued.Names``."""
        return self._term(letters) if letters in self._bases and self._may_be_glued(letters) else None

    def _may_be_glued(self, key: str) -> bool:
        """Whether a name is long enough to be told among other letters, has two words, and is no word itself."""
        if len(key) < SHORTEST or not self._gaps[key]:
            return False
        edges = [0, *sorted(self._gaps[key]), len(key)]
        return sum(b - a > 1 for a, b in pairwise(edges)) > 1 and not in_vocabulary(key)

    def named(self, entry: Entry) -> Iterator[Entry]:
        """The entries that share a name with ``entry``."""
        for name in filter(None, (entry.subject, *entry.aliases)):
            term = self._term(letters(name)[0])
            if term:
                yield from term.names

    def walk(self, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None = None) -> Walk:
        """See ``TermSource``."""
        atom = row[at]
        if atom.written in self._dull:
            return NOTHING  # most words
        starts = self.starts.of(atom)
        if len(atom.forms) == 1 and not self.begins(atom.forms[0]) and self._exact(atom.forms[0]) is None:
            if not starts:
                self._found_dull(atom.written)
            walk = NOTHING
        else:
            walk = self._walk(row, at, ended=ended, live=live)
        return walk | glued(self, row, at, ended=ended, live=live) if starts else walk

    def _found_dull(self, word: str) -> None:
        if len(word) <= _LONGEST_WORD:
            if len(self._dull) >= _REMEMBERED:
                self._dull.clear()
            self._dull.add(word)

    def _walk(self, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None) -> Walk:
        """The terms that are made of whole words."""
        found: list[Found] = []
        runs: list[tuple[str, tuple[int, ...]]] = [("", ())]
        single = True
        for i in range(at, len(row)):
            atom = row[i]
            if i > at:
                if atom.far:
                    return Walk(tuple(found))
                if atom.spaced:
                    runs = [(run, (*spaces, len(run))) for run, spaces in runs]
                elif atom.sign:
                    runs += [(run + atom.sign, spaces) for run, spaces in runs]
            single = single and atom.end - atom.start == 1
            whole = ended or i < len(row) - 1
            after: list[tuple[str, tuple[int, ...]]] = []
            for run, spaces in runs:
                for form in atom.forms:
                    longer = run + form
                    if whole and (term := self._exact(longer)) and _fits(longer, spaces, term, single=single):
                        found.append(Found(row[at].start, atom.end, term))
                    if len(longer) <= LONGEST and self.begins(longer):
                        after.append((longer, spaces))
            runs = after
            if not runs:
                return Walk(tuple(found))
        return Walk(tuple(found), row[at].start if any(self._live(run, live) for run, _ in runs) else None)

    def _exact(self, run: str) -> Term | None:
        term = self._term(run)
        if term is None and len(run) > _SPELT and run[-1] == "s":
            term = self._term(run[:-1])  # a plural, or a possessive without its apostrophe
            if term is not None and term.gaps:
                return None
        return term

    def _live(self, run: str, live: Live | None) -> bool:
        """Whether a term that begins so is one of those that count."""
        if live is None:
            return True
        if len(run) < BEGINNING:
            return False
        at = bisect_left(self._sorted, run)
        for key in (*self._sorted[at : at + _TRIED], ""):
            if not key.startswith(run):
                return False
            term = self._term(key)
            if term and (any(live(e, True) for e in term.names) or any(live(e, False) for e in term.values)):
                return True
        return True


def _fits(run: str, spaces: tuple[int, ...], term: Term, *, single: bool) -> bool:
    """Whether words that end after so many letters make the term: where its own end, or apart on purpose."""
    if not spaces or term.gaps.issuperset(spaces):
        return True
    return (single and len(run) >= _SPELT) or (len(run) >= _APART and not run.isdigit())


def _begins(ordered: Sequence[str], letters: str) -> bool:
    """Whether one of the ``ordered`` begins with these letters."""
    at = bisect_left(ordered, letters)
    return at < len(ordered) and ordered[at].startswith(letters)
