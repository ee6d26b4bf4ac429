"""Finds protected terms in text that arrives in pieces, and tells from where on more text could make one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.lexical import unspaced
from guard.output.atoms import Atom, atoms, plain, vanishes
from guard.output.walks import LONGEST, Term, TermSource

_LONGEST_TAIL = 4000  # characters
_LONGEST_WORD = LONGEST + 40  # of a word that goes on, what is read again


@dataclass(frozen=True, slots=True)
class Seen:
    """A term at ``[start, end)`` of all text fed so far."""

    start: int
    end: int
    term: Term


class Scanner:
    """Reads one text. Only what may still grow into a term is read again with the next piece."""

    def __init__(self, sources: Sequence[TermSource]) -> None:
        self._sources = sources
        self._tail = ""
        self._at = 0  # where the tail begins
        self._told: set[tuple[int, int]] = set()
        self.open_at = 0  # text from here on may be the beginning of a term

    @property
    def length(self) -> int:
        """Characters fed so far."""
        return self._at + len(self._tail)

    @property
    def tail(self) -> str:
        """What will be read again with the next piece."""
        return self._tail

    def feed(self, text: str) -> list[Seen]:
        """Read the next piece; what was found that is whole."""
        self._tail += plain(text)
        return self._scan(ended=False)

    def finish(self) -> list[Seen]:
        """No more text comes."""
        return self._scan(ended=True)

    def _scan(self, *, ended: bool) -> list[Seen]:
        tail = self._tail
        row = atoms(tail)
        if not row:
            self._keep(len(tail), len(tail))
            return []
        last = row[-1]
        ended = ended or not vanishes(tail[last.end :]) or unspaced(tail[last.end - 1])
        seen: list[Seen] = []
        opens = kept = len(tail)
        for at in range(len(row)):
            for source in self._sources:
                walk = source.walk(row, at, ended=ended)
                if walk.opens is not None:
                    opens, kept = min(opens, walk.opens), min(kept, row[at].start)
                for found in walk.found:
                    if not (found.term.opener and tail[found.start].islower()):
                        seen.append(Seen(self._at + found.start, self._at + found.end, found.term))
        fresh = [s for s in seen if (s.start, s.end) not in self._told]
        self._told = {(s.start, s.end) for s in seen}
        self._keep(opens, kept if ended else max(min(kept, last.start), _within(last, opens)))
        return fresh

    def _keep(self, opens: int, keep: int) -> None:
        keep = max(keep, len(self._tail) - _LONGEST_TAIL)
        self.open_at = self._at + max(opens, keep)
        self._at += keep
        self._tail = self._tail[keep:]


def _within(last: Atom, opens: int) -> int:
    """From where on a word that goes on is to be read again, where it is too long to be read from its beginning."""
    return min(opens, last.end) - _LONGEST_WORD if last.written.isascii() else 0


def find(text: str, sources: Sequence[TermSource]) -> list[Seen]:
    """Every term in a whole text."""
    scanner = Scanner(sources)
    return [*scanner.feed(text), *scanner.finish()]
