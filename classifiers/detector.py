"""Is this text about something to forget? The facade over the stages of the cascade."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from classifiers.allow import Allowed
from classifiers.batching import Batching
from classifiers.conversation import Mentioned, Mentions, in_context, weakened
from classifiers.hashed_names import is_hashed
from classifiers.normalise import fold_words, words
from classifiers.pipeline import Key, Part, Seen, Setup, Stage, Timer, look
from classifiers.scan import Read, read
from classifiers.score import Signals
from classifiers.scorers import Head, Scorer
from classifiers.segment import Floats, Segment
from classifiers.static import StaticEmbedding
from classifiers.types import DetectorError, Encoder, Target, TextTooLong, Verdict
from classifiers.vectors import VectorCache
from classifiers.verdicts import carried, plain, plain_near, verdicts

MAX_TEXT = 1_000_000  # characters
MAX_TOTAL = 2_500_000  # characters of all texts of one call

_MERGE_BELOW = 256


@dataclass(frozen=True, slots=True)
class Judged:
    """What a call of ``inspect`` found, for each text, and the milliseconds that each stage took for all of them."""

    verdicts: list[tuple[Verdict, ...]]
    scores: list[dict[str, float]]  # the highest score of every list that saw anything
    stages: list[Stage]  # the last stage that the text needed
    ms: dict[str, float]
    mentioned: list[Mentioned]  # the names in each text

    @property
    def early(self) -> list[bool]:
        """Whether the text needed no encoder."""
        return [stage != "encoder" for stage in self.stages]


class Detector:
    """Judges texts against targets. Immutable, safe to use from many threads; a change makes another.

    Its targets lie in segments: a large one and a few small ones that recent changes made, so that a
    change costs what it adds. ``merged`` makes one segment of them again.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        allowed: Allowed,
        thresholds: Mapping[str, float | None],
        setup: Setup,
        off: Collection[str] = (),
        calibrated: Mapping[str, float] | None = None,
    ) -> None:
        self._parts = tuple(p for p in parts if p.segment.targets)
        self._allowed = allowed
        self._thresholds = thresholds
        self._setup = setup
        self._off = frozenset(off)
        self._calibrated = calibrated or {}

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
        scorers: Mapping[str, Scorer] | None = None,
    ) -> Detector:
        """A detector for ``targets``.

        Args:
            targets: the entries of all lists.
            thresholds: by list name; None or a missing name is the calibrated one, else the scorer's.
            encoder: for entry texts and prompts alike.
            cache: vectors of earlier builds with the same encoder.
            off: lists whose entries flag nothing for now.
            scorer: makes a score of the evidence; default the head, not fitted.
            scorers: those of single lists.

        Raises:
            DetectorError: the encoder failed.
        """
        setup = Setup(encoder, cache or VectorCache(), scorer or Head(), scorers or {})
        return cls([], Allowed(), thresholds, setup, off)._holding(list(targets))

    def changed(
        self,
        thresholds: Mapping[str, float | None],
        *,
        added: Sequence[Target] = (),
        removed: Iterable[Key] = (),
        off: Collection[str] = (),
        scorers: Mapping[str, Scorer] | None = None,
    ) -> Detector:
        """A detector with ``added`` (which replace entries of the same key) and without ``removed``.

        Raises:
            DetectorError: the encoder failed.
        """
        gone = frozenset(removed) | {(t.list_name, t.entry_id) for t in added}
        parts = [Part(p.segment, p.dead | {k for k in gone if p.segment.holds(k)}) for p in self._parts]
        fresh = [t for t in added if not t.allow]
        if fresh:
            while parts and (len(parts) > 1 or len(parts[0].segment.targets) < _MERGE_BELOW):
                living = parts[-1].living()
                if len(living) > max(_MERGE_BELOW, 4 * len(fresh)):
                    break
                fresh = [*living, *fresh]
                parts.pop()
            parts.append(Part(self._segment(fresh)))
        allowed = self._allowed
        if any(t.allow for t in added) or gone & allowed.targets.keys():
            kept = [t for k, t in allowed.targets.items() if k not in gone]
            allowed = self._allow([*kept, *(t for t in added if t.allow)])
        setup = self._setup if scorers is None else replace(self._setup, scorers=scorers)
        return Detector(parts, allowed, thresholds, setup, off, self._calibrated)

    @property
    def wants_merging(self) -> bool:
        """Whether so much has changed that one segment would serve better."""
        first = len(self._parts[0].segment.targets) if self._parts else 0
        later = sum(len(p.segment.targets) for p in self._parts[1:])
        return later > max(_MERGE_BELOW, first // 4) or sum(len(p.dead) for p in self._parts) > max(256, first // 4)

    def merged(self) -> Detector:
        """The same in one segment."""
        return self._holding([*self.targets(), *self._allowed.targets.values()])

    def learnt(
        self,
        *,
        head: Scorer | None = None,
        calibrated: Mapping[str, float] | None = None,
        static: StaticEmbedding | None = None,
        bound: float | None = None,
    ) -> Detector:
        """The same entries with what was fitted to them; what is None stays, but for ``bound``, which goes."""
        setup = replace(self._setup, scorer=head or self._setup.scorer, bound=bound)
        parts = self._parts
        if static is not None and static is not setup.static:
            setup = replace(setup, static=static)
            parts = tuple(Part(p.segment.with_static(static), p.dead) for p in parts)
        kept = self._calibrated if calibrated is None else calibrated
        return Detector(parts, self._allowed, self._thresholds, setup, self._off, kept)

    def scored_by(self, kind: type, encoder: Encoder) -> Detector:
        """The same with only the lists whose scorer is of ``kind`` in force, and ``encoder`` for the texts to judge."""
        other = {name for name in self.lists if not isinstance(self._setup.scorer_of(name), kind)}
        scorers = {name: s for name, s in self._setup.scorers.items() if name not in other}
        setup = replace(self._setup, encoder=encoder, scorers=scorers)
        return Detector(self._parts, self._allowed, self._thresholds, setup, self._off | other, self._calibrated)

    @property
    def setup(self) -> Setup:
        """What it works with beside its entries."""
        return self._setup

    @property
    def lists(self) -> set[str]:
        """The names of lists that it has entries of and that are not off."""
        return {t.list_name for t in self.targets()} - self._off

    @property
    def any_free(self) -> bool:
        """Whether an entry has no name, so that only meaning can tell."""
        return any(p.segment.prepared.any_free for p in self._parts)

    def names_hashed(self, text: str) -> bool:
        """Whether ``text`` names an entry whose texts are not kept."""
        indexes = [p.segment.prepared.hashed for p in self._parts if p.segment.prepared.hashed]
        if not indexes:
            return False
        item = read(text)[0]
        return any(True for index in indexes for _ in index.places(text, item.view, cased=item.cased))

    def targets(self) -> list[Target]:
        """Every entry in it that is to be flagged."""
        return [t for p in self._parts for t in p.living()]

    def texts(self) -> Iterator[str]:
        """Every text whose vector it holds."""
        for part in self._parts:
            yield from part.segment.texts(part.dead)
        for target in self._allowed.targets.values():
            yield from target.texts

    def index_files(self) -> set[str]:
        """The files of indexes that hold nothing but entries in force."""
        return {p.segment.kept_as for p in self._parts if p.segment.kept_as and not p.dead}

    def threshold(self, list_name: str) -> float:
        """The score from which a text is about the list: the operator's, else the calibrated, else the scorer's."""
        given = self._thresholds.get(list_name)
        if given is not None:
            return given
        return self._calibrated.get(list_name, self._setup.scorer_of(list_name).threshold)

    def judge(self, texts: Sequence[str]) -> list[tuple[Verdict, ...]]:
        """For each text its verdicts, at most one for each list; none is an empty tuple.

        Raises:
            TextTooLong: a text has more than ``MAX_TEXT`` characters, or all together more than ``MAX_TOTAL``.
            DetectorError: the texts could not be judged.
        """
        return self.inspect(texts).verdicts

    def inspect(self, texts: Sequence[str]) -> Judged:
        """As ``judge``, with scores, stages and times; raises the same."""
        timer = Timer()
        seen = self._look(texts, timer)
        scores: list[dict[str, float]] = []
        for own in seen:
            best: dict[str, float] = {}
            for target, found in own.found:
                best[target.list_name] = max(best.get(target.list_name, 0.0), found.score)
            scores.append(best)
        try:
            made = [self._verdicts(text, own) for text, own in zip(texts, seen, strict=True)]
            mentioned = [self._mentioned(own.reads) for own in seen]
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging") from error
        return Judged(made, scores, [own.stage for own in seen], timer.ms, mentioned)

    def signals(self, texts: Sequence[str]) -> list[dict[Key, Signals]]:
        """For each text the evidence for every entry that came into question; raises as ``judge`` does."""
        return [
            {(t.list_name, t.entry_id): f.signals for t, f in own.found if f.signals}
            for own in self._look(texts, Timer())
        ]

    def free_windows(self, texts: Sequence[str]) -> list[list[str]]:
        """For each text the windows for which it is flagged by entries without a name; raises as ``judge`` does."""
        return [
            [f.window.text for t, f in own.found if f.window and not t.named and f.score >= self.threshold(t.list_name)]
            for own in self._look(texts, Timer())
        ]

    def static_nearest(self, vectors: Floats) -> Floats:
        """See ``Segment.static_nearest``; over all segments."""
        nearest: Floats = np.maximum.reduce([p.segment.static_nearest(vectors) for p in self._parts])
        return nearest

    def judge_turns(self, turns: Sequence[str]) -> list[tuple[Verdict, ...]]:
        """As ``judge``, for the turns of one conversation in order: a follow-up is also judged with earlier names.

        "Who is A?", "And where was she born?": the second is flagged where "A: And where was she born?" would
        be. A name counts for ``conversation.REACH`` turns, less with each, and only for a turn that points back.
        """
        judged = self.inspect(turns)
        return self.follow_ups(turns, judged.verdicts, judged.mentioned)

    def follow_ups(
        self,
        turns: Sequence[str],
        found: Sequence[tuple[Verdict, ...]],
        mentioned: Sequence[Mentioned],
    ) -> list[tuple[Verdict, ...]]:
        """What ``judge_turns`` returns, for ``turns`` of which ``inspect`` told verdicts and names."""
        made = list(found)
        if len(turns) < 2 or not self._parts:
            return made
        try:
            return self._follow(turns, made, mentioned)
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging a conversation") from error

    def explain(self, text: str, *, limit: int = 5) -> dict[str, Any]:
        """What was seen in ``text`` as plain values for JSON: the verdicts, the nearest entries, time by stage.

        What is near is looked for although nothing in the text calls for it; the verdicts are those of ``judge``.
        Raises as ``judge`` does.
        """
        judged = self.inspect([text])
        found = self._look([text], Timer(), explore=True)[0].found
        nearest = sorted(found, key=lambda item: (-item[1].score, -item[1].cosine))[:limit]
        return {
            "flagged": bool(judged.verdicts[0]),
            "verdicts": [plain(v, text) for v in judged.verdicts[0]],
            "nearest": [plain_near(t, best, self.threshold(t.list_name)) for t, best in nearest],
            "ended_at": judged.stages[0],
            "scorer": self._setup.scorer.name,
            "latency_ms": {k: round(v, 3) for k, v in judged.ms.items()},
        }

    def _look(self, texts: Sequence[str], timer: Timer, *, explore: bool = False) -> list[Seen]:
        if any(len(t) > MAX_TEXT for t in texts):
            raise TextTooLong(f"a text has more than {MAX_TEXT} characters")
        if sum(map(len, texts)) > MAX_TOTAL:
            raise TextTooLong(f"the texts together have more than {MAX_TOTAL} characters")
        try:
            return look(self._parts, texts, self._setup, self._off, timer, explore=explore)
        except DetectorError:
            raise
        except Exception as error:
            raise DetectorError(f"{type(error).__name__} while judging") from error

    def _verdicts(self, text: str, seen: Seen) -> tuple[Verdict, ...]:
        return verdicts(text, seen.found, self.threshold, self._allowed, self._setup.encoder)

    def _follow(
        self, turns: Sequence[str], made: list[tuple[Verdict, ...]], mentioned: Sequence[Mentioned]
    ) -> list[tuple[Verdict, ...]]:
        mentions = Mentions()
        for i, turn in enumerate(turns):
            mentions.note(i, mentioned[i])
            if not i or made[i]:
                continue
            taken = in_context(turns, i, mentions)
            for found, (_, ago) in zip(self.judge([text for text, _ in taken]), taken, strict=True):
                kept = [v for v in found if weakened(v.score, ago) >= v.threshold]
                if kept:
                    made[i] = carried(kept, turn)
                    break
        return made

    def _mentioned(self, reads: Sequence[Read]) -> Mentioned:
        """The names in a text that was read so."""
        quoted = False
        names: dict[str, str] = {}
        parts: dict[str, set[str]] = defaultdict(set)
        for item in reads:
            for part in self._parts:
                prepared = part.segment.prepared
                for name, kind, place in item.names(part.segment.names, prepared.hashed):
                    written = item.reading.text[place.start : place.end]
                    quoted = quoted or is_hashed(name)
                    if kind not in ("partial", "titled"):
                        names.update(
                            [(fold_words(written), written)] if is_hashed(name) else [(name, prepared.written[name])]
                        )
                    elif not is_hashed(name):  # of which the whole is not known
                        parts[name].update(words(written).text.split())
        return Mentioned(names, parts, quoted)

    def _holding(self, targets: Sequence[Target]) -> Detector:
        """This detector's ways over other targets, in one segment."""
        allowed = self._allow([t for t in targets if t.allow])
        part = Part(self._segment([t for t in targets if not t.allow]))
        return Detector([part], allowed, self._thresholds, self._setup, self._off, self._calibrated)

    def _allow(self, targets: Sequence[Target]) -> Allowed:
        try:
            return Allowed.build(targets, _apart(self._setup.encoder), self._setup.cache)
        except Exception as error:
            raise DetectorError(f"allow-list entries could not be encoded: {error}") from error

    def _segment(self, targets: Sequence[Target]) -> Segment:
        setup = self._setup
        try:
            return Segment.build(targets, _apart(setup.encoder), setup.cache, setup.static)
        except Exception as error:
            raise DetectorError(f"entries could not be indexed: {error}") from error


def _apart(encoder: Encoder) -> Encoder:
    return encoder.apart if isinstance(encoder, Batching) else encoder
