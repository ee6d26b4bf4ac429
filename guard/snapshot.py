"""The forget lists in force: one frozen value, swapped whole when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from classifiers.detector import Detector, VectorCache
from classifiers.types import Encoder, Target
from guard.model import Entry, ForgetList
from guard.store import Contents, Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one request is judged by, from beginning to end."""

    revision: int
    lists: Mapping[str, ForgetList]
    entries: Mapping[tuple[str, str], Entry]  # by (list, id), of enabled lists
    detector: Detector


class SnapshotManager:
    """Holds the snapshot in force and builds the next one aside after each change."""

    def __init__(self, store: Store, encoder: Encoder) -> None:
        self.store = store
        self._encoder = encoder
        self._cache = VectorCache()
        self._changing = threading.Lock()
        self._stale = False
        self._current = self._build(store.load())

    @property
    def current(self) -> Snapshot:
        """The snapshot in force."""
        return self._current

    @property
    def stale(self) -> bool:
        """True where a stored change could not be brought into force."""
        return self._stale

    def change(self, apply: Callable[[Store], T]) -> tuple[T, int]:
        """Run ``apply`` on the store and bring the result into force; returns its value and the revision.

        Blocking: call it off the event loop. When it returns, the change is on disk and the next
        request is judged by it. A fault after the commit leaves ``stale`` true until ``refresh`` succeeds.
        """
        with self._changing:
            result = apply(self.store)
            return result, self._refresh()

    def refresh(self) -> int:
        """Bring what is stored into force; returns the revision."""
        with self._changing:
            return self._refresh()

    def _refresh(self) -> int:
        self._stale = True
        self._current = self._build(self.store.load())
        self._stale = False
        return self._current.revision

    def _build(self, contents: Contents) -> Snapshot:
        lists = {item.name: item for item in contents.lists}
        active = [e for e in contents.entries if lists[e.list_name].enabled]
        thresholds = {name: item.threshold for name, item in lists.items()}
        detector = Detector.build(map(target, active), thresholds, self._encoder, cache=self._cache)
        entries = {(e.list_name, e.entry_id): e for e in active}
        return Snapshot(contents.revision, MappingProxyType(lists), MappingProxyType(entries), detector)


def target(entry: Entry) -> Target:
    """What the detector needs of an entry."""
    names = tuple(filter(None, (entry.subject, *entry.aliases)))
    texts = tuple(dict.fromkeys(filter(None, (entry.question, *entry.paraphrases, entry.text))))
    return Target(entry.list_name, entry.entry_id, names, texts, entry.scope)
