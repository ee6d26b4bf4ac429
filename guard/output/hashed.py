"""The protected terms of entries that are kept without their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from classifiers.textless import FIRST, PHRASE, Hasher
from guard.model import Entry
from guard.output.atoms import Atom
from guard.output.terms import Found, Live, Term, Terms, TermSource, Walk


class HashedTerms:
    """Terms of entries that are kept without their texts: known only word by word, and only when a word is whole."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = tuple(entries)
        self._hashers: dict[str, Hasher] = {}
        self._firsts: dict[str, set[bytes]] = defaultdict(set)
        self._names: dict[bytes, list[Entry]] = defaultdict(list)
        self._values: dict[bytes, list[Entry]] = defaultdict(list)
        self._bases: dict[bytes, tuple[str, ...]] = {}
        self._longest = 1
        for entry in entries:
            if entry.kept is not None:
                self._take(entry)

    @property
    def entries(self) -> Sequence[Entry]:
        """The entries whose terms it knows."""
        return self._entries

    def _take(self, entry: Entry) -> None:
        kept = entry.kept
        if kept is None:
            return
        self._hashers.setdefault(kept.salt, Hasher(bytes.fromhex(kept.salt)))
        self._longest = max(self._longest, kept.longest)
        split = PHRASE.stop - PHRASE.start
        for value in map(bytes.fromhex, kept.values):
            self._values[value[:split]].append(entry)
            self._firsts[kept.salt].add(value[split:])
        for name in kept.names:
            for item in name.split(" "):
                kind, *fields = item.split(":")
                if kind in ("full", "derived") and len(fields) == 2:
                    phrase = bytes.fromhex(fields[0])
                    self._names[phrase].append(entry)
                    self._bases[phrase] = tuple({*self._bases.get(phrase, ()), name})
                    self._firsts[kept.salt].add(bytes.fromhex(fields[1]))

    def named(self, entry: Entry) -> Iterator[Entry]:
        """The entries that share a hashed name with ``entry``."""
        for name in entry.kept.names if entry.kept else ():
            yield from self._names.get(bytes.fromhex(name.split(" ")[0].split(":")[1]), ())

    def walk(self, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None = None) -> Walk:
        """See ``TermSource``. A word that is not whole may be any."""
        if at == len(row) - 1 and not ended:
            return Walk((), live is None)
        found: list[Found] = []
        grows = False
        for salt, hasher in self._hashers.items():
            firsts = self._firsts[salt]
            if not any(hasher.word(form)[FIRST] in firsts for form in row[at].forms):
                continue
            last = min(len(row), at + self._longest)
            for i in range(at, last if ended else min(last, len(row) - 1)):
                phrase = hasher.of(" ".join(a.forms[0] for a in row[at : i + 1]))[PHRASE]
                if phrase in self._names or phrase in self._values:
                    found.append(Found(at, i, self._term(phrase)))
            grows = grows or at + self._longest > len(row) - 1
        return Walk(tuple(found), grows and live is None)

    def _term(self, phrase: bytes) -> Term:
        names, values = (tuple(owners.get(phrase, ())) for owners in (self._names, self._values))
        return Term(phrase.hex(), frozenset(), self._bases.get(phrase, ()), names, values)


def sources(entries: Iterable[Entry]) -> list[TermSource]:
    """The sources that know ``entries``."""
    chosen = [e for e in entries if e.kind == "forget"]
    plain = [e for e in chosen if e.kept is None]
    hashed = [e for e in chosen if e.kept is not None]
    made: list[TermSource] = [Terms(plain)] if plain else []
    return [*made, HashedTerms(hashed)] if hashed else made
