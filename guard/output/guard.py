"""The guard of answers for a snapshot: what it protects, list by list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from guard.in_force import Snapshot
from guard.model import Entry
from guard.output.context import Context, key, nameless
from guard.output.hashed import sources
from guard.output.meaning import Meaning
from guard.output.types import Asked, Key
from guard.output.walks import TermSource
from guard.output.watch import Watch

_MERGE_BELOW = 256  # entries


class AnswerGuard:
    """Watches answers. Immutable, safe to use from many threads; a change makes another.

    The terms of each list lie in parts, a large one and a few small ones that recent changes made, so that a change
    costs what it adds. An entry that was replaced or removed stays in its part and counts no more.
    """

    def __init__(self, snapshot: Snapshot, parts: Mapping[str, tuple[TermSource, ...]], meaning: Meaning) -> None:
        self._snapshot = snapshot
        self._parts = parts
        self._meaning = meaning
        self._allow: dict[str, list[Entry]] = defaultdict(list)
        free: set[str] = set()
        for entry in snapshot.entries.values():
            if entry.kind == "allow":
                self._allow[entry.list_name].append(entry)
            elif nameless(entry):
                free.add(entry.list_name)
        self._free = frozenset(free)

    @classmethod
    def build(cls, snapshot: Snapshot) -> AnswerGuard:
        """The guard for a snapshot. Blocking."""
        by_list: dict[str, list[Entry]] = defaultdict(list)
        for entry in snapshot.entries.values():
            by_list[entry.list_name].append(entry)
        parts = {name: tuple(sources(own)) for name, own in by_list.items()}
        return cls(snapshot, parts, Meaning(snapshot.detector, snapshot.entries))

    def updated(self, snapshot: Snapshot) -> AnswerGuard:
        """The guard for a later snapshot; works out only what changed. Blocking, for milliseconds."""
        known = self._snapshot.entries
        fresh: dict[str, list[Entry]] = defaultdict(list)
        for own, entry in snapshot.entries.items():
            before = known.get(own)
            if before is not entry and before != entry:
                fresh[entry.list_name].append(entry)
        names = {name for name, _ in snapshot.entries} if len(snapshot.entries) < len(known) else None
        parts = {n: p for n, p in self._parts.items() if names is None or n in names}
        for name, own_entries in fresh.items():
            parts[name] = self._joined(parts.get(name, ()), own_entries, snapshot)
        return AnswerGuard(snapshot, parts, self._meaning.using(snapshot.detector, snapshot.entries))

    @property
    def wants_merging(self) -> bool:
        """Whether a list has changed so much that one part would serve better."""
        return any(self._worn(name, own) for name, own in self._parts.items())

    def merged(self) -> AnswerGuard:
        """The same with one part for each list. Blocking."""
        worn = {name for name, own in self._parts.items() if self._worn(name, own)}
        by_list: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._snapshot.entries.values():
            if entry.list_name in worn:
                by_list[entry.list_name].append(entry)
        parts = {n: p for n, p in self._parts.items() if n not in worn}
        parts |= {name: tuple(sources(own)) for name, own in by_list.items()}
        return AnswerGuard(self._snapshot, parts, self._meaning)

    def watch(self, asked: Asked) -> Watch:
        """A watch for the answer to a request; reads the request's texts."""
        lists = self._snapshot.lists
        chosen = sorted(name for name in asked.lists if name in lists and lists[name].enabled)
        own = [source for name in chosen for source in self._parts.get(name, ())]
        flagged = [e for k in asked.flagged if k[0] in chosen and (e := self._snapshot.entries.get(k)) is not None]
        allow = [entry for name in chosen for entry in self._allow.get(name, ())]
        blind = frozenset(name for name, _ in asked.flagged) if asked.blind else frozenset()
        context = Context.of(asked, own, self._alive, flagged, allow)
        return Watch(context, own, self._meaning, self._alive, free=self._free.intersection(chosen), blind=blind)

    def _alive(self, entry: Entry) -> bool:
        now = self._snapshot.entries.get(key(entry))
        return now is entry or now == entry

    def _joined(self, parts: tuple[TermSource, ...], fresh: list[Entry], snapshot: Snapshot) -> tuple[TermSource, ...]:
        """``parts`` with one more for ``fresh``, joined with small ones before it."""
        kept = list(parts)
        taken: dict[Key, Entry] = {key(e): e for e in fresh}
        while kept and (len(kept) > 1 or len(kept[0].entries) < _MERGE_BELOW):
            if len(kept[-1].entries) > max(_MERGE_BELOW, 4 * len(taken)):
                break
            living = (e for e in kept.pop().entries if snapshot.entries.get(key(e)) == e)
            taken = {key(e): e for e in living} | taken
        return (*kept, *sources(taken.values()))

    def _worn(self, name: str, parts: Iterable[TermSource]) -> bool:
        sizes = [len(p.entries) for p in parts]
        return len(sizes) > 2 and sum(sizes[1:]) > max(_MERGE_BELOW, sizes[0] // 4)
