"""An immutable part of the detector: some targets with their names, vectors and index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from classifiers.description import described
from classifiers.index import VectorIndex
from classifiers.lexical import NameIndex
from classifiers.scan import Look, Read, Scan, Sighting, Window, scan
from classifiers.score import Signals
from classifiers.scorers import Scorer
from classifiers.targets import Prepared, prepare
from classifiers.types import Encoder, Target
from classifiers.vectors import VectorCache

Floats = npt.NDArray[np.float32]

_NEIGHBOURS = 16
# Of a subject with very many entries only the nearest are weighed one by one.
_WEIGHED = 64


@dataclass(slots=True)
class Found:
    """The best that was seen of one target in a text so far."""

    score: float = -1.0
    cosine: float = 0.0
    described: float = 0.0
    signals: Signals | None = None
    window: Window | None = None
    sighting: Sighting = field(default_factory=Sighting)


class Segment:
    """Judges texts against its own targets. Safe to use from many threads."""

    def __init__(self, prepared: Prepared, names: NameIndex, vectors: Floats, bare: Floats) -> None:
        self.prepared = prepared
        self.names = names
        self._vectors = vectors  # (rows, dim)
        # Half precision: compared one by one, never searched, and there may be a million.
        self._bare = bare.astype(np.float16)  # (rows with a bare text, dim)
        self._bare_row = {row: i for i, row in enumerate(prepared.bare)}
        self._index = VectorIndex(vectors)
        self._keys = {(t.list_name, t.entry_id): i for i, t in enumerate(prepared.targets)}

    @classmethod
    def build(cls, targets: Sequence[Target], encoder: Encoder, cache: VectorCache) -> Segment:
        """A segment of ``targets``; texts that the cache lacks are encoded."""
        prepared = prepare(targets)
        names = NameIndex(prepared.written.values())
        bare = cache.vectors(list(prepared.bare.values()), encoder)
        return cls(prepared, names, cache.vectors(prepared.texts, encoder), bare)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What it knows."""
        return self.prepared.targets

    def holds(self, key: tuple[str, str]) -> bool:
        """Whether the entry (list, id) is here."""
        return key in self._keys

    def scan(self, reads: Sequence[Read]) -> Scan:
        """What to weigh, before anything is encoded."""
        return scan(reads, self.prepared, self.names)

    def weigh(
        self, scanned: Scan, vectors: Mapping[str, Floats], scorer: Scorer, *, search: bool = False
    ) -> dict[int, Found]:
        """The best that the text shows of each target in question.

        ``vectors`` are by window text; ``search``: entries near in meaning are in question too.
        """
        best: dict[int, Found] = {}
        for target, sighting in scanned.named.items():
            # The name alone, and all there is where more was said than may be encoded: the safe reading of it.
            alone = self._signals(target, sighting, 1.0 if scanned.overflow else 0.0, 0.0)
            best[target] = Found(scorer.score(alone), signals=alone, sighting=sighting)
        for look in scanned.looks:
            vector = vectors.get(look.window.text)
            if vector is not None:
                bare = vectors.get(look.bare) if look.bare is not None else None
                self._weigh_one(best, look, vector, bare, scorer, search=search)
        return best

    def _weigh_one(
        self, best: dict[int, Found], look: Look, vector: Floats, bare: Floats | None, scorer: Scorer, *, search: bool
    ) -> None:
        points: dict[int, float] = dict.fromkeys(look.named, 0.0)
        for subject, value in look.described.items():
            points.update(dict.fromkeys(self.prepared.members[subject], value))
        if look.search or search:
            _, rows = self._index.search(vector[None, :], _NEIGHBOURS)
            for target in {self.prepared.target_of[r] for r in rows[0] if r >= 0}:
                points.setdefault(target, 0.0)
        chosen = [t for t in points if t in self.prepared.rows_of]
        if not chosen:
            return
        rows_of = [self.prepared.rows_of[t] for t in chosen]
        cosines = self._vectors[np.concatenate([np.asarray(r) for r in rows_of])] @ vector
        starts = np.cumsum([0, *map(len, rows_of[:-1])])
        nearest = np.maximum.reduceat(cosines, starts)
        for at in np.argsort(-nearest)[:_WEIGHED]:
            target = chosen[at]
            own = self._cosine_bare(target, bare)
            named = target in look.named or self.targets[target].scope == "subject"
            self._note(best, target, look.window, float(nearest[at]), own, points[target], scorer, named=named)

    def _cosine_bare(self, target: int, bare: Floats | None) -> float | None:
        """Cosine of the window and the nearest of the target's texts, both without names."""
        rows = [self._bare_row[r] for r in self.prepared.rows_of[target] if r in self._bare_row]
        if bare is None or not rows:
            return None
        return float((self._bare[rows].astype(np.float32) @ bare).max())

    def _note(
        self,
        best: dict[int, Found],
        target: int,
        window: Window,
        cosine: float,
        bare: float | None,
        points: float,
        scorer: Scorer,
        *,
        named: bool,
    ) -> None:
        found = best.setdefault(target, Found())
        contradicted = False
        if self.prepared.free[target]:
            words = frozenset(self.prepared.subjects[self.prepared.subject_of[target]])
            points = described(window.particulars, words)
            contradicted = bool(window.particulars.groups) and not points
        sighting = found.sighting if named else Sighting()
        signals = self._signals(target, sighting, cosine, points, bare=bare, contradicted=contradicted)
        value = scorer.score(signals)
        if (value, cosine) > (found.score, found.cosine):
            found.score, found.cosine, found.described = value, cosine, points
            found.signals, found.window = signals, window

    def _signals(
        self,
        target: int,
        sighting: Sighting,
        cosine: float,
        points: float,
        *,
        bare: float | None = None,
        contradicted: bool = False,
    ) -> Signals:
        scope, free = self.targets[target].scope, self.prepared.free[target]
        return Signals(scope, sighting.strength, cosine, points, free, contradicted, sighting.broken, bare)
