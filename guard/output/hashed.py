"""The protected terms of entries that are kept without their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import pairwise

from classifiers.textless import FIRST, PHRASE, Hasher
from classifiers.weights import in_vocabulary
from guard.model import Entry
from guard.output.atoms import Atom
from guard.output.glued import HEAD, SHORTEST, Starts, glued
from guard.output.terms import Terms
from guard.output.walks import Found, Live, Term, TermSource, Walk


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
        self._joined: dict[str, _Joined] = {}
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
        hasher = self._hashers.setdefault(kept.salt, Hasher(bytes.fromhex(kept.salt)))
        joined = self._joined.setdefault(kept.salt, _Joined(hasher, self._names))
        self._longest = max(self._longest, kept.longest)
        split = PHRASE.stop - PHRASE.start
        for value in map(bytes.fromhex, kept.values):
            self._values[value[:split]].append(entry)
            self._firsts[kept.salt].add(value[split:])
        for name in kept.names:
            joined.take(name, entry)
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
            return Walk((), row[at].start if live is None else None)
        walk = self._walk(row, at, ended=ended, live=live)
        for joined in self._joined.values():
            if joined.sizes:
                walk |= glued(joined, row, at, ended=ended, live=live)
        return walk

    def _walk(self, row: Sequence[Atom], at: int, *, ended: bool, live: Live | None) -> Walk:
        """The terms that are made of whole words."""
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
                    found.append(Found(row[at].start, row[i].end, self._term(phrase)))
            grows = grows or at + self._longest > len(row) - 1
        return Walk(tuple(found), row[at].start if grows and live is None else None)

    def _term(self, phrase: bytes) -> Term:
        names, values = (tuple(owners.get(phrase, ())) for owners in (self._names, self._values))
        return Term(phrase.hex(), frozenset(), self._bases.get(phrase, ()), names, values)


class _Joined:
    """The names of one list by their letters alone (``glued.Names``), their words in the order they are written in."""

    def __init__(self, hasher: Hasher, phrases: Container[bytes]) -> None:
        """``phrases``: the names word by word, as they fill."""
        self.starts = Starts(self, self.begins)
        self.sizes: list[int] = []
        self._hasher = hasher
        self._phrases = phrases
        self._prefixes: set[bytes] = set()
        self._names: dict[bytes, list[tuple[str, Entry]]] = defaultdict(list)

    def take(self, name: str, entry: Entry) -> None:
        """Take a name of two words and more, as ``vectors_only`` writes it, that is long enough."""
        items = [item.split(":") for item in name.split(" ")]
        if sum(item[0] == "part" for item in items) < 2:
            return
        for kind, *fields in items:
            if kind == "joined" and int(fields[2]) >= SHORTEST:
                self._names[bytes.fromhex(fields[0])].append((name, entry))
                self._prefixes.add(bytes.fromhex(fields[1]))
                self.sizes = sorted({*self.sizes, int(fields[2])})

    def __contains__(self, head: object) -> bool:
        """Whether a name may begin with these letters, ``HEAD`` or fewer."""
        return len(str(head)) < HEAD or self._hasher.prefix(str(head)) in self._prefixes

    def begins(self, letters: str, live: Live | None = None) -> bool:
        """See ``glued.Names``."""
        return live is None and len(letters) <= self.sizes[-1] and letters[:HEAD] in self

    def whole(self, letters: str, cuts: frozenset[int]) -> Term | None:
        """See ``glued.Names``. Its gaps are the cuts, where these are where its words end."""
        own = self._names.get(self._hasher.joined(letters)[PHRASE])
        if own is None or in_vocabulary(letters):
            return None
        edges = [0, *sorted(cuts), len(letters)]
        words = " ".join(letters[a:b] for a, b in pairwise(edges))
        gaps = cuts if self._hasher.of(words)[PHRASE] in self._phrases else frozenset[int]()
        return Term(letters, gaps, tuple(name for name, _ in own), tuple(entry for _, entry in own))


def sources(entries: Iterable[Entry]) -> list[TermSource]:
    """The sources that know ``entries``."""
    chosen = [e for e in entries if e.kind == "forget"]
    plain = [e for e in chosen if e.kept is None]
    hashed = [e for e in chosen if e.kept is not None]
    made: list[TermSource] = [Terms(plain)] if plain else []
    return [*made, HashedTerms(hashed)] if hashed else made
