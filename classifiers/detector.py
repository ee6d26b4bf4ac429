"""Is this text about something to forget? The facade over normaliser, names, encoder and index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from classifiers.index import VectorIndex
from classifiers.lexical import NameHit, NameIndex
from classifiers.normalise import fold_words, words
from classifiers.score import DEFAULT_THRESHOLD, Signals, particulars, score
from classifiers.types import DetectorError, Encoder, Evidence, Span, Target, Verdict
from classifiers.windows import windows

Floats = npt.NDArray[np.float32]

_NEIGHBOURS = 16


class VectorCache:
    """Vectors of entry texts, kept from one build to the next so that a change encodes only what is new."""

    def __init__(self) -> None:
        self._vectors: dict[str, Floats] = {}

    def vectors(self, texts: Sequence[str], encoder: Encoder) -> Floats:
        """``(len(texts), dim)``; afterwards the cache holds these texts and no others."""
        missing = [t for t in dict.fromkeys(texts) if t not in self._vectors]
        fresh = dict(zip(missing, encoder.encode(missing), strict=True)) if missing else {}
        self._vectors = {t: fresh[t] if t in fresh else self._vectors[t] for t in texts}
        if not texts:
            return np.empty((0, encoder.dim), np.float32)
        return np.stack([self._vectors[t] for t in texts])


@dataclass(frozen=True, slots=True)
class _Row:
    """One text of one target, behind one row of the index."""

    target: int
    has_name: bool
    particulars: tuple[str, ...]


@dataclass(slots=True)
class _Best:
    """The best that was seen of one target in a text so far."""

    score: float = -1.0
    cosine: float = 0.0
    named: bool = False
    window: Span | None = None
    seen: list[Span] = field(default_factory=list)


class Detector:
    """Judges texts against targets. Immutable, safe to use from many threads; build another for a change."""

    def __init__(
        self,
        targets: Sequence[Target],
        thresholds: Mapping[str, float],
        encoder: Encoder,
        names: NameIndex,
        by_name: Mapping[str, Sequence[int]],
        rows: Sequence[_Row],
        vectors: Floats,
    ) -> None:
        self._targets = targets
        self._thresholds = thresholds
        self._encoder = encoder
        self._names = names
        self._by_name = by_name
        self._rows = rows
        self._vectors = vectors  # (rows, dim)
        self._index = VectorIndex(vectors)
        self._rows_of: dict[int, list[int]] = defaultdict(list)
        for i, row in enumerate(rows):
            self._rows_of[row.target].append(i)

    @classmethod
    def build(
        cls,
        targets: Iterable[Target],
        thresholds: Mapping[str, float | None],
        encoder: Encoder,
        *,
        cache: VectorCache | None = None,
    ) -> Detector:
        """A detector for ``targets``.

        Args:
            targets: the entries of all lists in force.
            thresholds: by list name; None or a missing name is the default.
            encoder: for entry texts and prompts alike.
            cache: vectors of earlier builds with the same encoder.

        Raises:
            DetectorError: the encoder failed.
        """
        targets = tuple(targets)
        by_name: dict[str, list[int]] = defaultdict(list)
        rows: list[_Row] = []
        texts: list[str] = []
        for i, target in enumerate(targets):
            folded = {fold_words(name) for name in target.names} - {""}
            for name in folded:
                by_name[name].append(i)
            for text in target.texts:
                inside = f" {fold_words(text)} "
                rows.append(_Row(i, any(f" {n} " in inside for n in folded), particulars(text)))
                texts.append(text)
        try:
            vectors = (cache or VectorCache()).vectors(texts, encoder)
        except Exception as error:
            raise DetectorError(f"entry texts could not be encoded: {error}") from error
        limits = {t.list_name: _threshold(thresholds.get(t.list_name)) for t in targets}
        return cls(targets, limits, encoder, NameIndex(by_name), by_name, rows, vectors)

    def judge(self, texts: Sequence[str]) -> list[tuple[Verdict, ...]]:
        """For each text its verdicts, at most one for each list; none is an empty tuple.

        Raises:
            DetectorError: the texts could not be judged.
        """
        try:
            return [self._verdicts(best) for best in self._look(texts)]
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging") from error

    def explain(self, text: str, *, limit: int = 5) -> dict[str, Any]:
        """What was seen in ``text`` as plain values for JSON: the verdicts, and the nearest entries with signals.

        Raises:
            DetectorError: the text could not be judged.
        """
        try:
            best = self._look([text])[0]
            verdicts = self._verdicts(best)
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging") from error
        nearest = sorted(best.items(), key=lambda item: -item[1].score)[:limit]
        return {
            "flagged": bool(verdicts),
            "verdicts": [_plain(v, text) for v in verdicts],
            "nearest": [
                {
                    "list": self._targets[i].list_name,
                    "entry": self._targets[i].entry_id,
                    "score": round(found.score, 4),
                    "threshold": self._thresholds[self._targets[i].list_name],
                    "named": found.named,
                    "cosine": round(found.cosine, 4),
                }
                for i, found in nearest
            ],
        }

    def _look(self, texts: Sequence[str]) -> list[dict[int, _Best]]:
        """For each text, what was seen of each target that came into question."""
        if not self._targets:
            return [{} for _ in texts]
        spans = [windows(text) for text in texts]
        pieces = [text[s.start : s.end] for text, own in zip(texts, spans, strict=True) for s in own]
        vectors = self._encoder.encode(pieces) if self._rows else np.empty((len(pieces), 0), np.float32)
        cosines, rows = self._index.search(vectors, _NEIGHBOURS)
        found: list[dict[int, _Best]] = []
        at = 0
        for text, own in zip(texts, spans, strict=True):
            here = slice(at, at + len(own))
            found.append(self._one(text, own, vectors[here], cosines[here], rows[here]))
            at += len(own)
        return found

    def _one(
        self, text: str, spans: Sequence[Span], vectors: Floats, cosines: Floats, rows: npt.NDArray[np.int64]
    ) -> dict[int, _Best]:
        view = words(text)
        hits = [(hit, view.raw(hit.start, hit.end)) for hit in self._names.find(view)]
        best: dict[int, _Best] = defaultdict(_Best)
        named = self._named(hits)
        for target, seen in named.items():
            best[target].named = True
            best[target].seen = seen
        for w, span in enumerate(spans):
            candidates = {self._rows[r].target for r in rows[w] if r >= 0} | named.keys()
            inside = f" {fold_words(text[span.start : span.end])} "
            for target in candidates:
                self._consider(best[target], target, span, vectors[w], inside)
        return dict(best)

    def _named(self, hits: Sequence[tuple[NameHit, Span]]) -> dict[int, list[Span]]:
        named: dict[int, list[Span]] = defaultdict(list)
        for hit, span in hits:
            for target in self._by_name[hit.name]:
                named[target].append(span)
        return named

    def _consider(self, best: _Best, target: int, span: Span, vector: Floats, inside: str) -> None:
        own = self._rows_of.get(target, [])
        cosines = self._vectors[own] @ vector if own else np.zeros(0, np.float32)
        seen = [(self._rows[r], float(c)) for r, c in zip(own, cosines, strict=True)] or [(_Row(target, True, ()), 0.0)]
        for row, cosine in seen:
            share = sum(f" {p} " in inside for p in row.particulars) / len(row.particulars) if row.particulars else 0.0
            signals = Signals(self._targets[target].scope, best.named, cosine, row.has_name, share)
            value = score(signals)
            if value > best.score:
                best.score, best.cosine, best.window = value, cosine, span

    def _verdicts(self, best: Mapping[int, _Best]) -> tuple[Verdict, ...]:
        by_list: dict[str, list[tuple[int, _Best]]] = defaultdict(list)
        for i, found in best.items():
            name = self._targets[i].list_name
            if found.score >= self._thresholds[name]:
                by_list[name].append((i, found))
        return tuple(self._verdict(name, flagged) for name, flagged in sorted(by_list.items()))

    def _verdict(self, list_name: str, flagged: Sequence[tuple[int, _Best]]) -> Verdict:
        winner, top = max(flagged, key=lambda item: (item[1].score, item[1].cosine))
        spans: list[Span] = []
        for _, found in flagged:
            spans += found.seen or ([found.window] if found.window else [])
        entry_id = self._targets[winner].entry_id
        evidence = [Evidence("semantic", "raw", entry_id, top.cosine)]
        if top.named:
            evidence.insert(0, Evidence("lexical", "words", entry_id, 1.0))
        return Verdict(list_name, entry_id, top.score, self._thresholds[list_name], merge(spans), tuple(evidence))


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """``spans`` sorted, those that touch or overlap as one."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _threshold(given: float | None) -> float:
    return DEFAULT_THRESHOLD if given is None else given


def _plain(verdict: Verdict, text: str) -> dict[str, Any]:
    return {
        "list": verdict.list_name,
        "entry": verdict.entry_id,
        "score": round(verdict.score, 4),
        "threshold": verdict.threshold,
        "spans": [{"start": s.start, "end": s.end, "text": text[s.start : s.end]} for s in verdict.spans],
        "evidence": [
            {"stage": e.stage, "view": e.view, "entry": e.entry_id, "score": round(e.score, 4)}
            for e in verdict.evidence
        ],
    }
