"""The forget lists in force: one frozen value, swapped whole when they change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import structlog

from classifiers.batching import Batching
from classifiers.detector import Detector
from classifiers.types import DetectorError, Encoder, Target
from classifiers.vectors import VectorCache
from guard.model import Entry, ForgetList
from guard.store import Changes, Contents, Store

T = TypeVar("T")
log = structlog.get_logger("letheward.snapshot")

_TIDY_AFTER = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one request is judged by, from beginning to end."""

    revision: int
    lists: Mapping[str, ForgetList]
    entries: Mapping[tuple[str, str], Entry]  # by (list, id)
    detector: Detector


class SnapshotManager:
    """Holds the snapshot in force and builds the next one aside after each change.

    ``vectors_file`` keeps the vectors of entries from one run to the next.
    """

    def __init__(self, store: Store, encoder: Encoder, *, vectors_file: Path | None = None) -> None:
        self.store = store
        self._encoder = Batching(encoder)
        self._cache = VectorCache(vectors_file)
        self._changing = threading.Lock()
        self._tidying = threading.Lock()
        self._tidy_due = threading.Event()
        self._stale = False
        self._current = self._whole(store.load())
        self._tidy_later()

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
            revision = self._refresh()
        self._tidy_later()
        return result, revision

    def refresh(self) -> int:
        """Bring what is stored into force; returns the revision."""
        with self._changing:
            return self._refresh()

    def tidy(self) -> None:
        """Join the detector's segments where many changes left many, and save the vectors."""
        with self._tidying:
            while self._current.detector.wants_merging:
                before = self._current.detector
                merged = before.merged()
                with self._changing:
                    now = self._current
                    if now.detector is before:
                        self._current = Snapshot(now.revision, now.lists, now.entries, merged)
            with self._changing:
                self._cache.keep(list(self._current.detector.texts()))
            self._cache.save(self._encoder)

    def _tidy_later(self) -> None:
        if not self._tidy_due.is_set():
            self._tidy_due.set()
            threading.Thread(target=self._tidy_quietly, name="letheward-tidy", daemon=True).start()

    def _tidy_quietly(self) -> None:
        time.sleep(_TIDY_AFTER)  # changes come in bursts
        self._tidy_due.clear()
        try:
            self.tidy()
        except (DetectorError, OSError) as error:  # what is in force stays in force
            log.warning("tidy_failed", error=str(error))

    def _refresh(self) -> int:
        self._stale = True
        changes = self.store.changes(self._current.revision)
        self._current = self._whole(self.store.load()) if changes is None else self._changed(changes)
        self._stale = False
        return self._current.revision

    def _whole(self, contents: Contents) -> Snapshot:
        entries = {(e.list_name, e.entry_id): e for e in contents.entries}
        targets = map(target, contents.entries)
        detector = Detector.build(
            targets, _thresholds(contents.lists), self._encoder, cache=self._cache, off=_off(contents.lists)
        )
        return _snapshot(contents.revision, contents.lists, entries, detector)

    def _changed(self, changes: Changes) -> Snapshot:
        now = self._current
        entries = dict(now.entries)
        gone = set(changes.touched) | {k for k in entries if k[0] in changes.emptied}
        for key in gone:
            entries.pop(key, None)
        entries.update(((e.list_name, e.entry_id), e) for e in changes.entries)
        added = [target(e) for e in changes.entries]
        detector = now.detector.changed(_thresholds(changes.lists), added=added, removed=gone, off=_off(changes.lists))
        return _snapshot(changes.revision, changes.lists, entries, detector)


def _snapshot(
    revision: int, lists: tuple[ForgetList, ...], entries: dict[tuple[str, str], Entry], detector: Detector
) -> Snapshot:
    by_name = {item.name: item for item in lists}
    return Snapshot(revision, MappingProxyType(by_name), MappingProxyType(entries), detector)


def _thresholds(lists: Iterable[ForgetList]) -> dict[str, float | None]:
    return {item.name: item.threshold for item in lists}


def _off(lists: Iterable[ForgetList]) -> frozenset[str]:
    return frozenset(item.name for item in lists if not item.enabled)


def target(entry: Entry) -> Target:
    """What the detector needs of an entry."""
    names = tuple(filter(None, (entry.subject, *entry.aliases)))
    texts = tuple(dict.fromkeys(filter(None, (entry.question, *entry.paraphrases, entry.text))))
    facts = (entry.answer,) if entry.answer else ()
    return Target(entry.list_name, entry.entry_id, names, texts, entry.scope, entry.kind == "allow", facts)
