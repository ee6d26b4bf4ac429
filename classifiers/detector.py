"""Is this text about something to forget? The facade over readings, names, descriptions, encoder and index."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from classifiers.allow import Allowed
from classifiers.batching import Batching
from classifiers.conversation import Mentions, refers, resolved
from classifiers.scan import MAX_WINDOWS, Look, Read, Scan, read
from classifiers.score import Signals
from classifiers.scorers import Rule, Scorer
from classifiers.segment import Floats, Found, Segment
from classifiers.types import DetectorError, Encoder, Evidence, Span, Target, TextTooLong, Verdict
from classifiers.vectors import VectorCache

MAX_TEXT = 1_000_000  # characters
MAX_TOTAL = 2_500_000  # characters of all texts of one call

Key = tuple[str, str]  # list, entry

_MERGE_BELOW = 256
_COMPARED = 256  # texts that an allowed question is held against
_EXPLAINED_WINDOWS = 16


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment, and which of its entries have been removed or replaced since it was built."""

    segment: Segment
    dead: frozenset[Key] = frozenset()

    def living(self) -> list[Target]:
        return [t for t in self.segment.targets if (t.list_name, t.entry_id) not in self.dead]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a call of ``inspect`` found, for each text, and the milliseconds that each stage took for all of them."""

    verdicts: list[tuple[Verdict, ...]]
    scores: list[dict[str, float]]  # the highest score of every list that saw anything
    early: list[bool]  # whether the text needed no encoder
    ms: dict[str, float]


@dataclass(slots=True)
class _Timer:
    """Milliseconds by stage."""

    ms: dict[str, float] = field(default_factory=lambda: {"read": 0.0, "scan": 0.0, "encode": 0.0, "weigh": 0.0})

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.ms[name] += (time.perf_counter() - began) * 1000


class Detector:
    """Judges texts against targets. Immutable, safe to use from many threads; a change makes another.

    Its targets lie in segments: a large one and a few small ones that recent changes made, so that a
    change costs what it adds. ``merged`` makes one segment of them again.
    """

    def __init__(
        self,
        parts: Sequence[_Part],
        allowed: Allowed,
        thresholds: Mapping[str, float | None],
        encoder: Encoder,
        cache: VectorCache,
        off: Collection[str] = (),
        scorer: Scorer | None = None,
    ) -> None:
        self._parts = tuple(p for p in parts if p.segment.targets)
        self._allowed = allowed
        self._thresholds = thresholds
        self._encoder = encoder
        self._cache = cache
        self._off = frozenset(off)
        self._scorer = scorer or Rule()

    @classmethod
    def build(
        cls,
        targets: Iterable[Target],
        thresholds: Mapping[str, float | None],
        encoder: Encoder,
        *,
        cache: VectorCache | None = None,
        off: Collection[str] = (),
        scorer: Scorer | None = None,
    ) -> Detector:
        """A detector for ``targets``.

        Args:
            targets: the entries of all lists.
            thresholds: by list name; None or a missing name is the default.
            encoder: for entry texts and prompts alike.
            cache: vectors of earlier builds with the same encoder.
            off: lists whose entries flag nothing for now.
            scorer: makes a score of the evidence; default the rule.

        Raises:
            DetectorError: the encoder failed.
        """
        cache = cache or VectorCache()
        whole = list(targets)
        allowed = _allowed([t for t in whole if t.allow], encoder, cache)
        part = _Part(_segment([t for t in whole if not t.allow], encoder, cache))
        return cls([part], allowed, thresholds, encoder, cache, off, scorer)

    def changed(
        self,
        thresholds: Mapping[str, float | None],
        *,
        added: Sequence[Target] = (),
        removed: Iterable[Key] = (),
        off: Collection[str] = (),
    ) -> Detector:
        """A detector with ``added`` (which replace entries of the same key) and without ``removed``.

        Raises:
            DetectorError: the encoder failed.
        """
        gone = frozenset(removed) | {(t.list_name, t.entry_id) for t in added}
        parts = [_Part(p.segment, p.dead | {k for k in gone if p.segment.holds(k)}) for p in self._parts]
        fresh = [t for t in added if not t.allow]
        if fresh:
            while parts and (len(parts) > 1 or len(parts[0].segment.targets) < _MERGE_BELOW):
                living = parts[-1].living()
                if len(living) > max(_MERGE_BELOW, 4 * len(fresh)):
                    break
                fresh = [*living, *fresh]
                parts.pop()
            parts.append(_Part(_segment(fresh, self._encoder, self._cache)))
        allowed = self._allowed
        if any(t.allow for t in added) or gone & allowed.targets.keys():
            kept = [t for k, t in allowed.targets.items() if k not in gone]
            allowed = _allowed([*kept, *(t for t in added if t.allow)], self._encoder, self._cache)
        return Detector(parts, allowed, thresholds, self._encoder, self._cache, off, self._scorer)

    @property
    def wants_merging(self) -> bool:
        """Whether so much has changed that one segment would serve better."""
        first = len(self._parts[0].segment.targets) if self._parts else 0
        later = sum(len(p.segment.targets) for p in self._parts[1:])
        return later > max(_MERGE_BELOW, first // 4) or sum(len(p.dead) for p in self._parts) > max(256, first // 4)

    def merged(self) -> Detector:
        """The same in one segment."""
        living = [t for p in self._parts for t in p.living()]
        living += self._allowed.targets.values()
        return Detector.build(
            living, self._thresholds, self._encoder, cache=self._cache, off=self._off, scorer=self._scorer
        )

    def with_scorer(self, scorer: Scorer) -> Detector:
        """The same entries under another scorer."""
        return Detector(self._parts, self._allowed, self._thresholds, self._encoder, self._cache, self._off, scorer)

    @property
    def scorer(self) -> Scorer:
        """What makes a score of the evidence."""
        return self._scorer

    def targets(self) -> list[Target]:
        """Every entry in it that is to be flagged."""
        return [t for p in self._parts for t in p.living()]

    def texts(self) -> Iterator[str]:
        """The texts of every entry."""
        for part in self._parts:
            for target in part.living():
                yield from target.texts
        for target in self._allowed.targets.values():
            yield from target.texts

    def judge(self, texts: Sequence[str]) -> list[tuple[Verdict, ...]]:
        """For each text its verdicts, at most one for each list; none is an empty tuple.

        Raises:
            TextTooLong: a text has more than ``MAX_TEXT`` characters.
            DetectorError: the texts could not be judged.
        """
        return [verdicts for verdicts, _ in self._judge(texts, _Timer())]

    def inspect(self, texts: Sequence[str]) -> Judged:
        """As ``judge``, with scores, early exits and times.

        Raises:
            TextTooLong: a text has more than ``MAX_TEXT`` characters.
            DetectorError: the texts could not be judged.
        """
        timer = _Timer()
        judged = self._judge(texts, timer)
        scores: list[dict[str, float]] = []
        for _, pairs in judged:
            best: dict[str, float] = {}
            for target, seen in pairs:
                best[target.list_name] = max(best.get(target.list_name, 0.0), seen.score)
            scores.append(best)
        early = [not any(seen.window for _, seen in pairs) for _, pairs in judged]
        return Judged([verdicts for verdicts, _ in judged], scores, early, timer.ms)

    def signals(self, texts: Sequence[str]) -> list[dict[Key, Signals]]:
        """For each text the evidence for every entry that came into question.

        Raises:
            DetectorError: the texts could not be judged.
        """
        judged = self._judge(texts, _Timer())
        return [{(t.list_name, t.entry_id): f.signals for t, f in pairs if f.signals} for _, pairs in judged]

    def ends_early(self, text: str) -> bool:
        """Whether ``text`` is judged without the encoder."""
        reads = read(text)
        return not self._scorer.everywhere and not any(part.segment.scan(reads).looks for part in self._parts)

    def judge_turns(self, turns: Sequence[str]) -> list[tuple[Verdict, ...]]:
        """As ``judge``, for the turns of one conversation in order: a follow-up is also judged with earlier names.

        "Who is A?", "And where was she born?": the second is flagged where "A: And where was she born?" would
        be. A name counts for ``conversation.REACH`` turns, and only for a turn that points back.

        Raises:
            TextTooLong: a text has more than ``MAX_TEXT`` characters.
            DetectorError: the texts could not be judged.
        """
        return self.follow_ups(turns, self.judge(turns))

    def follow_ups(self, turns: Sequence[str], verdicts: Sequence[tuple[Verdict, ...]]) -> list[tuple[Verdict, ...]]:
        """What ``judge_turns`` returns, for ``turns`` that ``judge`` gave ``verdicts``."""
        verdicts = list(verdicts)
        if len(turns) < 2 or not self._parts:
            return verdicts
        try:
            return self._follow(turns, verdicts)
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging a conversation") from error

    def _follow(self, turns: Sequence[str], verdicts: list[tuple[Verdict, ...]]) -> list[tuple[Verdict, ...]]:
        mentions = Mentions()
        for i, turn in enumerate(turns):
            mentions.note(i, *self._mentioned(turn))
            if not i or verdicts[i] or not refers(turn):
                continue
            for found in self.judge(resolved(turn, mentions.live(i))):
                if found:
                    whole = (Span(0, len(turn)),)
                    verdicts[i] = tuple(replace(v, spans=whole, evidence=_carried(v)) for v in found)
                    break
        return verdicts

    def _mentioned(self, turn: str) -> tuple[dict[str, str], dict[str, set[str]]]:
        """Names in ``turn`` (folded to written), and parts of names."""
        names: dict[str, str] = {}
        parts: dict[str, set[str]] = defaultdict(set)
        for item in read(turn):
            for part in self._parts:
                for hit in part.segment.names.find(item.view, joined=item.reading.joined):
                    if hit.kind == "partial":
                        parts[hit.name].add(item.view.text[hit.start : hit.end])
                    else:
                        names[hit.name] = part.segment.prepared.written[hit.name]
        return names, parts

    def explain(self, text: str, *, limit: int = 5) -> dict[str, Any]:
        """What was seen in ``text`` as plain values for JSON: the verdicts, the nearest entries, time by stage.

        Raises:
            TextTooLong: it has more than ``MAX_TEXT`` characters.
            DetectorError: the text could not be judged.
        """
        timer = _Timer()
        verdicts, found = self._judge([text], timer, explain=True)[0]
        nearest = sorted(found, key=lambda item: (-item[1].score, -item[1].cosine))[:limit]
        return {
            "flagged": bool(verdicts),
            "verdicts": [_plain(v, text) for v in verdicts],
            "nearest": [
                {
                    "list": target.list_name,
                    "entry": target.entry_id,
                    "score": round(best.score, 4),
                    "threshold": self._threshold(target.list_name),
                    "name": best.sighting.strength,
                    "cosine": round(best.cosine, 4),
                    "described": round(best.described, 2),
                    "view": best.sighting.view or (best.window.view if best.window else "raw"),
                }
                for target, best in nearest
            ],
            "latency_ms": {k: round(v, 3) for k, v in timer.ms.items()},
        }

    def _judge(
        self, texts: Sequence[str], timer: _Timer, *, explain: bool = False
    ) -> list[tuple[tuple[Verdict, ...], list[tuple[Target, Found]]]]:
        if any(len(t) > MAX_TEXT for t in texts):
            raise TextTooLong(f"a text has more than {MAX_TEXT} characters")
        if sum(map(len, texts)) > MAX_TOTAL:
            raise TextTooLong(f"the texts together have more than {MAX_TOTAL} characters")
        try:
            found = self._look(texts, timer, explain=explain)
            return [(self._verdicts(text, best), best) for text, best in zip(texts, found, strict=True)]
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging") from error

    def _look(self, texts: Sequence[str], timer: _Timer, *, explain: bool) -> list[list[tuple[Target, Found]]]:
        """For each text, what was seen of each target in force that came into question."""
        if not self._parts:
            return [[] for _ in texts]
        with timer.stage("read"):
            reads = [read(text) for text in texts]
        with timer.stage("scan"):
            scans = [[part.segment.scan(r) for part in self._parts] for r in reads]
            if explain or self._scorer.everywhere:
                most = None if self._scorer.everywhere else _EXPLAINED_WINDOWS
                for own, r in zip(scans, reads, strict=True):
                    for scanned in own:
                        scanned.looks.extend(_more(r, most))
        with timer.stage("encode"):
            pieces = list(dict.fromkeys(t for own in scans for s in own for look in s.looks for t in look.pieces))
            encoded = self._encoder.encode(pieces) if pieces else ()
            vectors: dict[str, Floats] = {t: np.asarray(v) for t, v in zip(pieces, encoded, strict=True)}
        with timer.stage("weigh"):
            search = explain or self._scorer.everywhere
            return [list(self._weigh(own, vectors, search=search)) for own in scans]

    def _weigh(
        self, scans: Sequence[Scan], vectors: Mapping[str, Floats], *, search: bool
    ) -> Iterator[tuple[Target, Found]]:
        for part, scanned in zip(self._parts, scans, strict=True):
            for i, best in part.segment.weigh(scanned, vectors, self._scorer, search=search).items():
                target = part.segment.targets[i]
                if target.list_name not in self._off and (target.list_name, target.entry_id) not in part.dead:
                    yield target, best

    def _threshold(self, list_name: str) -> float:
        given = self._thresholds.get(list_name)
        return self._scorer.threshold if given is None else given

    def _verdicts(self, text: str, found: Sequence[tuple[Target, Found]]) -> tuple[Verdict, ...]:
        by_list: dict[str, list[tuple[Target, Found]]] = defaultdict(list)
        for target, best in found:
            if best.score >= self._threshold(target.list_name):
                by_list[target.list_name].append((target, best))
        verdicts: list[Verdict] = []
        for name, flagged in sorted(by_list.items()):
            verdict = self._verdict(name, flagged)
            forbidden = list(dict.fromkeys(t for target, _ in flagged for t in target.texts))[:_COMPARED]
            if not self._allowed.permits(text, verdict, forbidden, self._encoder):
                verdicts.append(verdict)
        return tuple(verdicts)

    def _verdict(self, list_name: str, flagged: Sequence[tuple[Target, Found]]) -> Verdict:
        target, top = max(flagged, key=lambda item: (item[1].score, item[1].cosine))
        spans: list[Span] = []
        for _, best in flagged:
            spans += best.sighting.spans or ([best.window.raw] if best.window else [])
        evidence: list[Evidence] = []
        seen = top.sighting
        if seen.strength:
            evidence.append(Evidence(f"name ({seen.kind})", seen.view, target.entry_id, seen.strength))
        if top.described:
            evidence.append(Evidence("description", _view(top), target.entry_id, top.described))
        if top.window:
            evidence.append(Evidence("semantic", _view(top), target.entry_id, top.cosine))
        return Verdict(list_name, target.entry_id, top.score, self._threshold(list_name), merge(spans), tuple(evidence))


def _carried(verdict: Verdict) -> tuple[Evidence, ...]:
    """Evidence with the word that it comes from an earlier turn."""
    return tuple(replace(e, view=f"{e.view}, with a name of an earlier turn") for e in verdict.evidence)


def _view(found: Found) -> str:
    return found.window.view if found.window else found.sighting.view


def _apart(encoder: Encoder) -> Encoder:
    return encoder.apart if isinstance(encoder, Batching) else encoder


def _allowed(targets: Sequence[Target], encoder: Encoder, cache: VectorCache) -> Allowed:
    try:
        return Allowed.build(targets, _apart(encoder), cache)
    except Exception as error:
        raise DetectorError(f"allow-list entries could not be encoded: {error}") from error


def _segment(targets: Sequence[Target], encoder: Encoder, cache: VectorCache) -> Segment:
    try:
        return Segment.build(targets, _apart(encoder), cache)
    except Exception as error:
        raise DetectorError(f"entries could not be indexed: {error}") from error


def _more(reads: Sequence[Read], most: int | None) -> list[Look]:
    """Windows to encode although nothing in them calls for it: of the plain reading, or of every one."""
    chosen = reads[:1] if most else [r for r in reads if r.reading.semantic]
    windows = [w for r in chosen for w in r.windows[: most or MAX_WINDOWS]]
    return [Look(w, frozenset(), {}, search=True) for w in windows]


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """``spans`` sorted, those that touch or overlap as one."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


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
