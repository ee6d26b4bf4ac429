"""One immutable set of targets with its automaton and vectors. A detector is a few of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from classifiers.description import compared
from classifiers.index import IndexFiles, VectorIndex
from classifiers.language import foreign
from classifiers.lexical import NameIndex
from classifiers.scan import Look, Read, Scan, Sighting, Window, scan
from classifiers.score import Signals
from classifiers.scorers import Scorer
from classifiers.static import StaticEmbedding
from classifiers.targets import Prepared, prepare
from classifiers.types import Encoder, Target
from classifiers.vectors import VectorCache

Floats = npt.NDArray[np.float32]
ScorerOf = Callable[[str], Scorer]  # by list name

_NEIGHBOURS = 16
# Of the entries in question in one window, those nearest in meaning are weighed.
_WEIGHED = 64


@dataclass(slots=True)
class Found:
    """The best that was seen of a target so far."""

    score: float = -1.0
    cosine: float = 0.0
    described: float = 0.0
    signals: Signals | None = None
    window: Window | None = None
    sighting: Sighting = field(default_factory=Sighting)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What was worked out for the texts to weigh: vectors ``(dim,)``, and by list what a trained classifier says."""

    vectors: Mapping[str, Floats]
    trained: Mapping[str, Mapping[str, float]]


class Segment:
    """Judges texts against its own targets. Safe to use from many threads."""

    def __init__(
        self,
        prepared: Prepared,
        names: NameIndex,
        vectors: Floats,
        bare: Floats,
        static: StaticEmbedding | None,
        indexes: IndexFiles | None,
        *,
        multilingual: bool,
    ) -> None:
        self.prepared = prepared
        self.names = names
        self._multilingual = multilingual
        self._vectors = vectors  # (rows, dim)
        self._index = VectorIndex(vectors, files=indexes)
        # Half precision: compared one by one, never searched, and there may be a million.
        self._bare = bare.astype(np.float16)  # (rows with a bare text, dim)
        self._bare_row = {row: i for i, row in enumerate(prepared.bare)}
        self._keys = {(t.list_name, t.entry_id): i for i, t in enumerate(prepared.targets)}
        self._first_of = {t.list_name: i for i, t in reversed(list(enumerate(prepared.targets)))}
        self._static = _free_index(prepared, static)

    @classmethod
    def build(
        cls, targets: Sequence[Target], encoder: Encoder, cache: VectorCache, static: StaticEmbedding | None = None
    ) -> Segment:
        """A segment of ``targets``; texts that the cache lacks are encoded."""
        prepared = prepare(targets)
        names = NameIndex(prepared.written.values())
        bare = _vectors(prepared.bare, prepared.given_bare, encoder, cache)
        vectors = _vectors(dict(enumerate(prepared.texts)), prepared.given, encoder, cache)
        multilingual = bool(getattr(encoder, "multilingual", False))
        return cls(prepared, names, vectors, bare, static, cache.indexes, multilingual=multilingual)

    def with_static(self, static: StaticEmbedding) -> Segment:
        """The same with a static stage."""
        other = object.__new__(Segment)
        other.__dict__ = self.__dict__ | {"_static": _free_index(self.prepared, static)}
        return other

    @property
    def targets(self) -> tuple[Target, ...]:
        """What it knows."""
        return self.prepared.targets

    @property
    def kept_as(self) -> str | None:
        """The name of its index's file, if any."""
        return self._index.kept_as

    def holds(self, key: tuple[str, str]) -> bool:
        """Whether the entry (list, id) is here."""
        return key in self._keys

    def texts(self, dead: frozenset[tuple[str, str]]) -> Iterator[str]:
        """Every text whose vector it holds, but for those of ``dead`` entries."""
        for row, (text, i) in enumerate(zip(self.prepared.texts, self.prepared.target_of, strict=True)):
            target = self.targets[i]
            if target.textless is None and (target.list_name, target.entry_id) not in dead:
                yield text
                if row in self.prepared.bare:
                    yield self.prepared.bare[row]

    def scan(self, reads: Sequence[Read]) -> Scan:
        """What to weigh, before anything is encoded."""
        return scan(reads, self.prepared, self.names)

    def static_nearest(self, vectors: Floats) -> Floats:
        """Of static ``vectors`` ``(n, static dim)`` the similarity to the nearest entry without a name, ``(n,)``."""
        if self._static is None:  # nothing can be called far
            return np.ones(len(vectors), np.float32)
        scores, _ = self._static.search(vectors, 1)
        return scores[:, 0] if scores.shape[1] else np.full(len(vectors), -1, np.float32)

    def weigh(self, scanned: Scan, encoded: Encoded, scorer_of: ScorerOf, *, search: bool = False) -> dict[int, Found]:
        """The best that the text shows of each target in question.

        ``search``: entries near in meaning are in question too, in whatever window.
        """
        best: dict[int, Found] = {}
        for target, sighting in scanned.named.items():
            # The name alone, and all there is where more was said than may be encoded: the safe reading of it.
            alone = self._signals(target, sighting, 1.0 if scanned.overflow else 0.0, 0.0)
            value = scorer_of(self.targets[target].list_name).score(alone)
            best[target] = Found(value, signals=alone, sighting=sighting)
        for look in scanned.looks:
            if look.window.text in encoded.vectors:
                self._weigh_one(best, look, encoded, scorer_of, search=search)
        return best

    def _weigh_one(
        self, best: dict[int, Found], look: Look, encoded: Encoded, scorer_of: ScorerOf, *, search: bool
    ) -> None:
        vector = encoded.vectors[look.window.text]
        bare = encoded.vectors.get(look.bare) if look.bare is not None else None
        points: dict[int, float] = dict.fromkeys(look.named, 0.0)
        for subject, value in look.described.items():
            points.update(dict.fromkeys(self.prepared.members[subject], value))
        if look.search or search:
            _, rows = self._index.search(vector[None, :], _NEIGHBOURS)
            for target in {self.prepared.target_of[r] for r in rows[0] if r >= 0}:
                points.setdefault(target, 0.0)
        for list_name in encoded.trained.keys() & self._first_of.keys():
            points.setdefault(self._first_of[list_name], 0.0)  # its classifier judges it, near entry or not
        for target, cosine in self._nearest(list(points), vector):
            found = best.setdefault(target, Found())
            named = target in look.named or self.targets[target].scope == "subject"
            sighting = found.sighting if named else Sighting()
            free, contradicted = points[target], False
            if self.prepared.free[target]:
                free, contradicted = self._told(target, look.window)
            signals = self._signals(
                target, sighting, cosine, free, bare=self._cosine_bare(target, bare), contradicted=contradicted,
                trained=encoded.trained.get(self.targets[target].list_name, {}).get(look.window.text),
                answered=target in look.answered,
            )  # fmt: skip
            score = scorer_of(self.targets[target].list_name).score(signals)
            if (score, cosine) > (found.score, found.cosine):
                found.score, found.cosine, found.described = score, cosine, free
                found.signals, found.window = signals, look.window

    def _nearest(self, targets: Sequence[int], vector: Floats) -> list[tuple[int, float]]:
        """Targets nearest to ``vector``, each with the cosine of its nearest text."""
        chosen = [t for t in targets if t in self.prepared.rows_of]
        if not chosen:
            return []
        rows_of = [self.prepared.rows_of[t] for t in chosen]
        cosines = self._vectors[np.concatenate([np.asarray(r) for r in rows_of])] @ vector
        nearest = np.maximum.reduceat(cosines, np.cumsum([0, *map(len, rows_of[:-1])]))
        return [(chosen[at], float(nearest[at])) for at in np.argsort(-nearest)[:_WEIGHED]]

    def _cosine_bare(self, target: int, bare: Floats | None) -> float | None:
        """Cosine of the window and the nearest of the target's texts, both without names."""
        rows = [self._bare_row[r] for r in self.prepared.rows_of[target] if r in self._bare_row]
        if bare is None or not rows:
            return None
        return float((self._bare[rows].astype(np.float32) @ bare).max())

    def _told(self, target: int, window: Window) -> tuple[float, bool]:
        """Points for details of the window that are true of the target, and whether it gives others instead."""
        words = self.prepared.said(self.prepared.subject_of[target], window.words)
        points, contradicted = compared(window.particulars, words)
        # Of a foreign text the details are in other words than the entry's.
        return points, contradicted and not (self._multilingual and foreign(window.text))

    def _signals(
        self,
        target: int,
        sighting: Sighting,
        cosine: float,
        points: float,
        *,
        bare: float | None = None,
        contradicted: bool = False,
        trained: float | None = None,
        answered: bool = False,
    ) -> Signals:
        scope, free = self.targets[target].scope, self.prepared.free[target]
        broken = sighting.broken or (sighting.foreign and not self._multilingual)
        return Signals(scope, sighting.strength, cosine, points, free, contradicted, broken, bare, trained, answered)


def _vectors(texts: Mapping[int, str], given: Mapping[int, Floats], encoder: Encoder, cache: VectorCache) -> Floats:
    """``(len(texts), dim)``: of each row the vector that is ``given``, else that of its text."""
    encoded = cache.vectors([text for row, text in texts.items() if row not in given], encoder)
    if not given:
        return encoded
    vectors = np.empty((len(texts), encoder.dim), np.float32)
    apart = np.asarray([row in given for row in texts])
    vectors[~apart] = encoded
    vectors[apart] = np.stack([given[row] for row in texts if row in given])
    return vectors


def _free_index(prepared: Prepared, static: StaticEmbedding | None) -> VectorIndex | None:
    """Static vectors of the texts of entries without a name; None where one of them has none that means anything.

    A text that is not kept has none.
    """
    if static is None or any(prepared.free[prepared.target_of[row]] for row in prepared.given):
        return None
    vectors, known = static.encode([t for t, i in zip(prepared.texts, prepared.target_of, strict=True)
                                    if prepared.free[i]])  # fmt: skip
    return VectorIndex(vectors) if known.all() else None
