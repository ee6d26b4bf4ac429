"""The forget set of a corpus as a list in force, in this process."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from benchmarks.data.corpus import Corpus
from benchmarks.methods.guard_list import LIST, entries, further, later
from benchmarks.methods.guards import GuardOptions
from classifiers.registry import create_encoder
from guard.in_force import Snapshot, Ways
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Store

_LEARNT_WITHIN = 600.0  # seconds


class Listed:
    """The forget set as a list in force, learnt by the real detector, for one guard or for several."""

    def __init__(self, corpus: Corpus, limits: GuardOptions | None = None, *, cache_dir: Path | None = None) -> None:
        """Set it up.

        Args:
            corpus: ``forget`` makes the list.
            limits: from when on a prompt is flagged.
            cache_dir: keeps the detector's vectors between runs; None: nothing is kept, and this takes its full time.

        Raises:
            RuntimeError: the detector does not learn the list.
        """
        began = time.perf_counter()
        limits = limits or GuardOptions()
        self.limits = limits.threshold, limits.false_positive_rate
        self._open = ExitStack()
        scratch = self._open.enter_context(tempfile.TemporaryDirectory())
        store = Store.open(f"sqlite:///{scratch}/lists.db")
        ways = Ways(cache_dir or Path(scratch), learning=True)
        self._manager = SnapshotManager(store, create_encoder("minilm-int8"), ways)
        self._open.callback(self._manager.close)
        own = ForgetList(LIST, threshold=limits.threshold, false_positive_rate=limits.false_positive_rate)
        made = entries(corpus)
        self._manager.change(lambda s: (s.put_list(own), s.add_entries(LIST, made)))
        self._learn()
        self._snapshot = self._manager.current
        self.setup_seconds = time.perf_counter() - began

    def snapshot(self, own: ForgetList) -> Snapshot:
        """What is in force, with the list's settings as those of ``own``."""
        return replace(self._snapshot, lists=MappingProxyType({LIST: own}))

    def deletion_seconds(self, count: int) -> float:
        """See ``Inside``: until a change is stored and in force; what was added is taken out again.

        Raises:
            RuntimeError: a question about a new subject is not flagged.
        """
        spent = 0.0
        new = [later(given) for given in further(count)]
        for entry in new:
            began = time.perf_counter()
            self._manager.change(partial(_add, entry))
            now = self._manager.current
            spent += time.perf_counter() - began
            if not now.detector.inspect([str(entry.question)]).verdicts[0]:
                raise RuntimeError(f"{entry.question!r} was added to the list and is not flagged")
        self._manager.change(lambda s: s.remove_entries(LIST, [entry.entry_id for entry in new]))
        return spent / count

    def close(self) -> None:
        """End what goes on in the background."""
        self._open.close()

    def _learn(self) -> None:
        """Wait until the detector has learnt the list, as a server does in the background."""
        deadline = time.monotonic() + _LEARNT_WITHIN
        while LIST not in self._manager.current.calibrations:
            if time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"the detector has not learnt the list within {_LEARNT_WITHIN:.0f} s")
            time.sleep(0.05)


def _add(entry: Entry, store: Store) -> int:
    return store.add_entries(LIST, [entry])
