"""Latency beyond the encoder and agreement with flat search at many entries; time until a change is in force."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.data.traffic import unrelated
from benchmarks.detection.results import Line
from classifiers.detector import Detector
from classifiers.index import VectorIndex, backend_for
from classifiers.types import Encoder, Target
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Store

Floats = npt.NDArray[np.float32]

_TARGETS_MS = {10_000: 1.5, 100_000: 2.0, 1_000_000: 5.0}
_DIM = 384
_ASKED = 400

_ONSETS = "b br c ch d dr f g gr h j k kl l m n p pr r s sh st t tr v w y z".split()
_NUCLEI = "a e i o u ai ea io ou".split()
_CODAS = ["", "l", "n", "r", "s", "th", "m", "nd"]
_FORMS = (
    "Where was {n} born?", "What does {n} work as?", "When did {n} publish the first book?",
    "Which prize did {n} win?", "Who are the parents of {n}?", "In which city does {n} live?",
)  # fmt: skip


def made_up(count: int, seed: int) -> list[tuple[str, str]]:
    """``count`` different names with a question about each."""
    rng = np.random.default_rng(seed)

    def word() -> str:
        parts = [rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS) for _ in range(rng.integers(2, 4))]
        return "".join(parts).capitalize()

    pool = [word() for _ in range(max(400, int(3 * count**0.5)))]
    names: dict[str, None] = {}
    while len(names) < count:
        for a, b in rng.integers(len(pool), size=(count, 2)):
            names[f"{pool[a]} {pool[b]}"] = None
    return [(n, _FORMS[i % len(_FORMS)].format(n=n)) for i, n in enumerate(list(names)[:count])]


def clustered(count: int, seed: int) -> Floats:
    """Unit vectors ``(count, 384)`` in clumps, as questions of a few forms about many people make them."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(count // 200, 20), _DIM), dtype=np.float32)
    out = np.empty((count, _DIM), np.float32)
    for at in range(0, count, 50_000):
        size = min(50_000, count - at)
        out[at : at + size] = centres[rng.integers(len(centres), size=size)]
        out[at : at + size] += 0.8 * rng.standard_normal((size, _DIM), dtype=np.float32)
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return out


class Ready:
    """Stands in for the encoder, so that what is timed is everything else: vectors are looked up, not worked out."""

    name = "ready"
    dim = _DIM

    def __init__(self, vectors: Floats) -> None:
        self._vectors = vectors

    def encode(self, texts: Sequence[str]) -> Floats:
        """A row for each text, the same for the same text."""
        return self._vectors[[hash(t) % len(self._vectors) for t in texts]]


def latencies(sizes: Sequence[int], seed: int) -> Iterator[Line]:
    """Lines for each number of entries."""
    import faiss

    faiss.omp_set_num_threads(1)
    for size in sizes:
        yield from _index(size, seed)
        yield from _whole(size, seed)


def _index(size: int, seed: int) -> Iterator[Line]:
    vectors = clustered(size, seed)
    rng = np.random.default_rng(seed + 1)
    asked = vectors[rng.integers(size, size=_ASKED)] + 0.03 * rng.standard_normal((_ASKED, _DIM), dtype=np.float32)
    asked = np.ascontiguousarray(asked / np.linalg.norm(asked, axis=1, keepdims=True), np.float32)
    began = time.perf_counter()
    index = VectorIndex(vectors)
    built = time.perf_counter() - began
    _, exact = VectorIndex(vectors, backend="flat").search(asked, 1)
    took: list[float] = []
    hits = 0
    for row, query in enumerate(asked):
        start = time.perf_counter()
        _, found = index.search(query[None, :], 16)
        took.append((time.perf_counter() - start) * 1000)
        hits += int(found[0, 0] == exact[row, 0])
    where = f"{size:,} rows, {backend_for(size)}"
    yield Line("index", f"{where}: p50", statistics.median(took), "ms", more=False, note=f"built in {built:.1f} s")
    yield Line("index", f"{where}: recall@1", hits / _ASKED, "share", more=True, target=0.99)


def _whole(size: int, seed: int) -> Iterator[Line]:
    people = made_up(size, seed)
    encoder = Ready(clustered(5000, seed))
    began = time.perf_counter()
    targets = [Target("forget", str(i), (name,), (text,), "fact") for i, (name, text) in enumerate(people)]
    detector = Detector.build(targets, {}, encoder)
    built = time.perf_counter() - began
    rng = np.random.default_rng(seed + 2)
    asked = [people[i][1] for i in rng.integers(size, size=_ASKED)]
    for name, texts in (("about an entry", asked), ("unrelated", unrelated(_ASKED, seed))):
        took: list[float] = []
        for text in texts:
            start = time.perf_counter()
            detector.judge([text])
            took.append((time.perf_counter() - start) * 1000)
        goal = _TARGETS_MS.get(size)
        note = f"built in {built:.0f} s" if name == "about an entry" else ""
        yield Line("beyond encoder", f"{size:,} entries, {name}: p50", statistics.median(took), "ms", False, goal,
                   note=note)  # fmt: skip


def changes(encoder: Encoder, seed: int, *, bulk: int = 10_000) -> Iterator[Line]:
    """Time until 1 entry and ``bulk`` entries are in force, and what requests wait meanwhile."""
    people = made_up(bulk + 250, seed)
    made = [Entry(str(i), "forget", subject=name, question=text) for i, (name, text) in enumerate(people)]
    first, made = made[:200], made[200:]
    prompts = [p for pair in zip(unrelated(200, seed), (e.question or "" for e in first), strict=True) for p in pair]
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder)}/lists.db")
        manager = SnapshotManager(store, encoder)
        manager.change(lambda s: s.put_list(ForgetList("forget")))
        manager.change(lambda s: s.add_entries("forget", first))
        quiet = _waits(manager, prompts, lambda n: n >= len(prompts))
        began = time.perf_counter()
        done = threading.Event()
        fault: list[BaseException] = []

        def load() -> None:
            try:
                manager.change(lambda s: s.add_entries("forget", made[:bulk]))
            except BaseException as error:  # noqa: BLE001 - shown below
                fault.append(error)
            done.set()

        threading.Thread(target=load, daemon=True).start()
        busy = _waits(manager, prompts, lambda n: n >= 2 and done.is_set())
        if fault:
            raise fault[0]
        yield Line("changes", f"{bulk:,} entries in force after", time.perf_counter() - began, "s", False, 60.0)
        for name, waits in (("quiet", quiet), ("meanwhile", busy)):
            yield Line("changes", f"a request's detector, {name}: p50", statistics.median(waits), "ms", more=False)
            yield Line("changes", f"a request's detector, {name}: p99", statistics.quantiles(waits, n=100)[98], "ms",
                       more=False, note=f"n = {len(waits)}")  # fmt: skip
        manager.tidy()
        took: list[float] = []
        for entry in made[bulk:]:
            start = time.perf_counter()
            manager.change(partial(_add, entry))
            took.append((time.perf_counter() - start) * 1000)
        where = f"to {bulk:,}"
        yield Line("changes", f"1 entry more {where}: p50", statistics.median(took), "ms", False, 100.0)
        yield Line("changes", f"1 entry more {where}: worst of {len(took)}", max(took), "ms", more=False)
        store.close()


def _add(entry: Entry, store: Store) -> int:
    return store.add_entries("forget", [entry])


def _waits(manager: SnapshotManager, prompts: Sequence[str], until: Callable[[int], bool]) -> list[float]:
    """Judge prompts at about 100 a second until ``until(how many)``; milliseconds for each."""
    waits: list[float] = []
    while not until(len(waits)):
        start = time.perf_counter()
        manager.current.detector.judge([prompts[len(waits) % len(prompts)]])
        waits.append((time.perf_counter() - start) * 1000)
        time.sleep(0.01)
    return waits
