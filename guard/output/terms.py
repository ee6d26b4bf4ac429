"""The protected terms of one list, and where they stand in a row of atoms."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from classifiers.names import STARTERS
from guard.model import Entry
from guard.output.atoms import Atom, letters
from guard.output.values import spelt, values_of

Live = Callable[[Entry, bool], bool]  # whether an entry's name (true) or value (false) counts

LONGEST = 160  # letters of a term
BEGINNING = 3  # letters from which on a term is begun where it matters whose it is
_TRIED = 500  # terms that begin alike
_SHORTEST = 2
_APART = 7  # letters of a term whose words may be parted otherwise
_SPELT = 4  # letters of a term that may be written letter by letter


@dataclass(frozen=True, slots=True)
class Term:
    """Whose name, and whose answer's value, a run of letters is.

    ``gaps``: after how many letters a word may end. ``bases``: the names, as they are written in full, of which it is
    a way to write.
    """

    letters: str  # or the hash of them
    gaps: frozenset[int]
    bases: tuple[str, ...] = ()
    names: tuple[Entry, ...] = ()
    values: tuple[Entry, ...] = ()
    opener: bool = False  # a word that sentences are made of: only with a capital is it a name

    @property
    def words(self) -> list[str]:
        """Its words."""
        edges = [0, *sorted(self.gaps), len(self.letters)]
        return [self.letters[a:b] for a, b in pairwise(edges) if a < b]


@dataclass(frozen=True, slots=True)
class Found:
    """A term from atom ``first`` to atom ``last``."""

    first: int
    last: int
    term: Term


@dataclass(frozen=True, slots=True)
class Walk:
    """What begins at one atom: terms, and whether more text could make another one of it."""

    found: tuple[Found, ...] = ()
    open: bool = False


NOTHING = Walk()


class TermSource(Protocol):
    """Knows the terms of some entries."""

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries whose terms it knows."""
        ...

    def walk(self, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None = None) -> Walk:
        """The terms that begin at atom ``at``; ``ended``: the last atom is whole. ``live``: of these entries only."""
        ...

    def named(self, entry: Entry) -> Iterator[Entry]:
        """The entries that share a name with ``entry``."""
        ...


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

    def begins(self, run: str) -> bool:
        """Whether a term begins with these letters."""
        at = bisect_left(self._sorted, run)
        return at < len(self._sorted) and self._sorted[at].startswith(run)

    def named(self, entry: Entry) -> Iterator[Entry]:
        """The entries that share a name with ``entry``."""
        for name in filter(None, (entry.subject, *entry.aliases)):
            term = self._term(letters(name)[0])
            if term:
                yield from term.names

    def walk(self, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None = None) -> Walk:
        """See ``TermSource``."""
        first = row[at].forms
        if len(first) == 1 and not self.begins(first[0]) and not first[0].endswith("s"):
            return NOTHING  # most words
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
                        found.append(Found(at, i, term))
                    if len(longer) <= LONGEST and self.begins(longer):
                        after.append((longer, spaces))
            runs = after
            if not runs:
                return Walk(tuple(found))
        return Walk(tuple(found), any(self._live(run, live) for run, _ in runs))

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
