"""Keeps the forget lists in force: one frozen value, swapped whole when they change."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

import structlog

from classifiers.batching import Batching
from classifiers.calibrate import Calibration
from classifiers.detector import Detector
from classifiers.fitting import Aim, Stoppable, calibrate_on, learn
from classifiers.scorers import Scorer, create_scorer
from classifiers.static import StaticEmbedding, load_or_distil
from classifiers.targets import prepare
from classifiers.types import DetectorError, Encoder
from classifiers.vectors import VectorCache
from guard.in_force import Snapshot, Ways, off, snapshot_of, target, thresholds
from guard.model import Entry, ForgetList
from guard.resting import Resting
from guard.store import Changes, Contents, Invalid, Store, StoreError
from guard.turns import one_at_a_time
from guard.vectors_only import OtherEncoder, check_encoder

T = TypeVar("T")
log = structlog.get_logger("letheward.snapshot")

_TIDY_AFTER = 1.0  # seconds
# Learning takes seconds; after it this many times as long goes by before the next, however often lists change.
# While requests are under way, half of that is spread over it.
_REST = 4
_BETWEEN = 2
_HALT = 30.0  # seconds


class SnapshotManager:
    """Holds the snapshot in force and builds the next one aside after each change."""

    def __init__(self, store: Store, encoder: Encoder, ways: Ways | None = None) -> None:
        """Bring what is stored into force.

        Raises:
            StoreError: the store cannot be read.
            DetectorError: the entries cannot be encoded.
            ValueError: a list's scorer cannot be used.
        """
        self.store = store
        self._ways = ways or Ways()
        self._encoder = Batching(encoder)
        file = self._ways.folder / "vectors.bin" if self._ways.folder else None
        self._cache = VectorCache(file, shared=self._ways.shared)
        self._scorers: dict[str, Scorer] = {}
        self._static: StaticEmbedding | None = None
        self._changing = threading.Lock()
        self._tidying = threading.Lock()
        self._tidy_due = threading.Event()
        self._rest_until = 0.0
        self._stop = threading.Event()
        self._tidiers: list[threading.Thread] = []
        # A thread inside a native library when the interpreter ends would end it with a fault.
        self._halt = weakref.finalize(self, _halt, self._stop, self._tidiers)
        self.busy: Callable[[], bool] = lambda: False  # whether requests are under way, which learning gives way to
        self._stale = False
        self._before: list[Callable[[Snapshot], object]] = []
        self._when_tidying: list[Callable[[Snapshot], object]] = []
        self._current = self._whole(self._read(store.load))
        self._tidy_later()

    @property
    def current(self) -> Snapshot:
        """The snapshot in force."""
        return self._current

    @property
    def encoder(self) -> Encoder:
        """For entries: prompts do not wait behind them."""
        return self._encoder.apart

    @property
    def stopped(self) -> bool:
        """Whether it was closed."""
        return self._stop.is_set()

    @property
    def stale(self) -> bool:
        """True where a stored change could not be brought into force, or the store has been away for too long."""
        return self._stale or (self._ways.max_age is not None and self.age > self._ways.max_age)

    @property
    def age(self) -> float:
        """Seconds since the store was last read: so old what is in force may be."""
        return time.monotonic() - self._seen

    def close(self) -> None:
        """End what goes on in the background, and close the store."""
        self._halt()
        self.store.close()

    def change(self, apply: Callable[[Store], T]) -> tuple[T, int]:
        """Run ``apply`` on the store and bring the result into force; returns its value and the revision.

        Blocking: call it off the event loop. When it returns, the change is on disk and the next
        request is judged by it. A fault after the commit leaves ``stale`` true until ``refresh`` succeeds.
        """
        with self._changing:
            result = apply(self.store)
            with self._stale_where_it_fails():
                revision = self._take_in(self._news())
        self._tidy_later()
        return result, revision

    def refresh(self) -> int:
        """Bring what is stored into force, whoever changed it; returns the revision. Blocking.

        Raises:
            StoreError: the store cannot be read. What was in force stays in force, which is no reason to refuse
                requests: nobody was told by this process that anything had changed.
            DetectorError: a change cannot be brought into force; ``stale`` is true until it is.
        """
        with self._changing:
            before = self._current.revision
            if self._read(self.store.revision) == before and not self._stale:
                return before
            news = self._news()
            with self._stale_where_it_fails():
                revision = self._take_in(news)
        self._tidy_later()
        return revision

    def prepare(self, entries: Sequence[Entry]) -> None:
        """Encode ``entries`` before they are stored, so that the change waits for nothing. Blocking.

        Raises:
            DetectorError: they cannot be encoded.
        """
        found = prepare([target(entry) for entry in entries if entry.kept is None])
        try:
            self._cache.vectors([*found.texts, *found.bare.values()], self._encoder.apart)
        except Exception as error:
            raise DetectorError(f"entries could not be encoded: {error}") from error

    def before(self, ready: Callable[[Snapshot], object]) -> None:
        """Have ``ready`` called with each snapshot before it comes into force, so that no request waits for it."""
        self._before.append(ready)

    def when_tidying(self, also: Callable[[Snapshot], object]) -> None:
        """Have ``also`` called with what is in force where changes have come together, off every request's way."""
        self._when_tidying.append(also)

    def forget_shared(self) -> None:
        """Empty what was left for other processes, where they have had time to take it."""
        self._cache.forget_shared()

    def retune(self, false_positive_rate: float) -> None:
        """Calibrate to another rate from now on; the thresholds follow in the background."""
        self._ways = replace(self._ways, false_positive_rate=false_positive_rate)
        self._tidy_later()

    def check_scorer(self, name: str | None) -> None:
        """See that a list can have the scorer ``name``.

        Raises:
            Invalid: it cannot; the message says what to do.
        """
        try:
            self._scorer(name or self._ways.scorer)
        except (ValueError, RuntimeError) as error:
            raise Invalid(str(error)) from error

    def own_scorers(self, lists: Iterable[ForgetList]) -> dict[str, Scorer]:
        """The scorers of lists that do not have the server's.

        Raises:
            ValueError: one cannot be used.
        """
        return {item.name: self._scorer(item.scorer) for item in lists if item.scorer}

    def calibrate(self, name: str, traffic: Sequence[str], aim: Aim) -> Calibration:
        """A threshold for a list, on ``traffic`` that is to pass, or made-up traffic; nothing is changed. Blocking.

        Raises:
            NotFound: there is no such list.
            Invalid: it has no entries to ask about.
            DetectorError: the texts could not be judged.
        """
        self.store.get_list(name)
        detector = self._current.detector
        if name not in detector.lists:
            raise Invalid(f"the list {name!r} has no entries")
        return calibrate_on(detector, name, traffic, aim)

    def tidy(self) -> None:
        """Join the detector's segments where many changes left many, and what else did, learn, and save the vectors."""
        with self._tidying:
            while self._current.detector.wants_merging:
                before = self._current.detector
                merged = before.merged()
                with self._changing:
                    if self._current.detector is before:
                        self._current = replace(self._current, detector=merged)
            for also in self._when_tidying:
                also(self._current)
            if self._ways.learning:
                shared = self._ways.folder if self._ways.shared else None
                with one_at_a_time(shared and shared / "learning.lock", self._stop.is_set) as go_on:
                    if go_on:
                        self._learn()
            with self._changing:
                self._cache.keep(list(self._current.detector.texts()))
                if self._cache.indexes is not None:
                    self._cache.indexes.keep(self._current.detector.index_files())
            self._cache.save(self._encoder)

    def _learn(self) -> None:
        began = time.monotonic()
        now, resting = self._current, Resting(self.busy, self._stop, _BETWEEN)
        if now.detector.any_free and self._static is None:
            file = self._ways.folder / f"static-{self._encoder.name}.bin" if self._ways.folder else None
            self._static = load_or_distil(file, Stoppable(self._encoder.apart, self._stop.is_set))
        aims = {item.name: self._aim(item) for item in now.lists.values()}
        found = learn(now.detector, aims, static=self._static, stop=self._stop.is_set, between=resting)
        with self._changing:
            # Entries may have changed meanwhile: what was learnt is about nearly the same ones, and learnt again soon.
            detector = self._current.detector.learnt(
                head=found.head if self._ways.scorer == "head" else None, calibrated=found.thresholds,
                static=self._static, bound=found.bound,
            )  # fmt: skip
            self._current = replace(
                self._current, detector=detector, calibrations=MappingProxyType(dict(found.calibrations))
            )
        took = time.monotonic() - began
        self._rest_until = time.monotonic() + _REST * (took - resting.rested) - resting.rested
        log.info("learnt", revision=now.revision, head_s=round(found.head_s, 3), s=round(took, 3),
                 thresholds={k: round(v, 4) for k, v in found.thresholds.items()})  # fmt: skip

    def _aim(self, item: ForgetList) -> Aim:
        return Aim(item.false_positive_rate or self._ways.false_positive_rate, item.recall_floor)

    def _tidy_later(self) -> None:
        if self._tidy_due.is_set() or self._stop.is_set():
            return
        self._tidy_due.set()
        thread = threading.Thread(target=_tidy_quietly, args=(weakref.ref(self),), name="letheward-tidy", daemon=True)
        self._tidiers[:] = [*(t for t in self._tidiers if t.is_alive()), thread]
        thread.start()

    def wait(self) -> bool:
        """Wait until changes have had time to come together; whether to go on then."""
        stopped = self._stop.wait(max(_TIDY_AFTER, self._rest_until - time.monotonic()))
        self._tidy_due.clear()
        return not stopped

    def _news(self) -> Changes | Contents:
        return self._read(lambda: self.store.changes(self._current.revision) or self.store.load())

    def _read(self, read: Callable[[], T]) -> T:
        began = time.monotonic()
        found = read()
        self._seen = began
        return found

    def _take_in(self, news: Changes | Contents) -> int:
        if self._stale or news.revision != self._current.revision:
            made = self._whole(news) if isinstance(news, Contents) else self._changed(news)
            for ready in self._before:
                ready(made)
            self._current = made
        self._stale = False
        return self._current.revision

    @contextmanager
    def _stale_where_it_fails(self) -> Iterator[None]:
        """Until then requests are judged by what is in force: nobody was told yet that it had changed."""
        try:
            yield
        except BaseException:
            self._stale = True
            raise

    def _whole(self, contents: Contents) -> Snapshot:
        entries = {(e.list_name, e.entry_id): e for e in contents.entries}
        self._comparable(contents.entries)
        detector = Detector.build(
            map(target, contents.entries), thresholds(contents.lists), self._encoder, cache=self._cache,
            off=off(contents.lists), scorer=self._scorer(self._ways.scorer), scorers=self.own_scorers(contents.lists),
        )  # fmt: skip
        return snapshot_of(contents.revision, contents.lists, entries, detector, contents.fits)

    def _changed(self, changes: Changes) -> Snapshot:
        now = self._current
        self._comparable(changes.entries)
        entries = dict(now.entries)
        gone = set(changes.touched) | {k for k in entries if k[0] in changes.emptied}
        for key in gone:
            entries.pop(key, None)
        entries.update(((e.list_name, e.entry_id), e) for e in changes.entries)
        detector = now.detector.changed(
            thresholds(changes.lists), added=[target(e) for e in changes.entries], removed=gone,
            off=off(changes.lists), scorers=self.own_scorers(changes.lists),
        )  # fmt: skip
        made = snapshot_of(changes.revision, changes.lists, entries, detector, changes.fits)
        return replace(made, calibrations=now.calibrations)

    def _comparable(self, entries: Iterable[Entry]) -> None:
        """Rather none of the lists than one that would silently flag nothing."""
        try:
            check_encoder(entries, self._encoder)
        except OtherEncoder as error:
            raise StoreError(str(error)) from error

    def _scorer(self, name: str) -> Scorer:
        if name not in self._scorers:
            self._scorers[name] = create_scorer(name, self._ways.classifiers)
        return self._scorers[name]


def _tidy_quietly(manager: weakref.ref[SnapshotManager]) -> None:
    held = manager()
    if held is None or not held.wait():
        return
    try:
        held.tidy()
    except (DetectorError, OSError, ValueError, RuntimeError) as error:  # what is in force stays in force
        if not held.stopped:
            log.warning("tidy_failed", error=str(error))


def _halt(stop: threading.Event, threads: Sequence[threading.Thread]) -> None:
    stop.set()
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join(_HALT)
