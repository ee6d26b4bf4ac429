"""What a source of protected terms tells of a text: which of them begin at one place, and whether more may."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from guard.model import Entry
from guard.output.atoms import Atom

Live = Callable[[Entry, bool], bool]  # whether an entry's name (true) or value (false) counts

LONGEST = 160  # letters of a term


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
    """A term at characters ``[start, end)``."""

    start: int
    end: int
    term: Term


@dataclass(frozen=True, slots=True)
class Walk:
    """What begins in one atom: terms, and from which character on more text could make another one."""

    found: tuple[Found, ...] = ()
    opens: int | None = None

    def __or__(self, other: Walk) -> Walk:
        """What either tells."""
        if self is NOTHING or other is NOTHING:
            return other if self is NOTHING else self
        opens = [walk.opens for walk in (self, other) if walk.opens is not None]
        return Walk(self.found + other.found, min(opens, default=None))


NOTHING = Walk()


class TermSource(Protocol):
    """Knows the terms of some entries."""

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries whose terms it knows."""
        ...

    def walk(self, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None = None) -> Walk:
        """The terms that begin in atom ``at``; ``ended``: the last atom is whole. ``live``: of these entries only."""
        ...

    def named(self, entry: Entry) -> Iterator[Entry]:
        """The entries that share a name with ``entry``."""
        ...
