"""The stages of the cascade over some texts: readings, names and descriptions, static embedding, encoder, weighing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from classifiers.scan import MAX_WINDOWS, Look, Read, Scan, read
from classifiers.scorers import Scorer
from classifiers.segment import Encoded, Found, Segment
from classifiers.static import StaticEmbedding
from classifiers.types import Encoder, Target
from classifiers.vectors import VectorCache

Key = tuple[str, str]  # list, entry
Stage = Literal["names", "static", "encoder"]
STAGES = ("read", "scan", "static", "encode", "weigh")

_EXPLORED_WINDOWS = 16


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, and which of its entries have been removed or replaced since it was built."""

    segment: Segment
    dead: frozenset[Key] = frozenset()

    def living(self) -> list[Target]:
        """Its entries in force."""
        return [t for t in self.segment.targets if (t.list_name, t.entry_id) not in self.dead]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a detector works with beside its entries.

    ``scorers`` are by list, with ``scorer`` for every other; ``bound``: static similarity below which a text is far
    from all that has no name, None until it is calibrated.
    """

    encoder: Encoder
    cache: VectorCache
    scorer: Scorer
    scorers: Mapping[str, Scorer] = field(default_factory=dict)
    static: StaticEmbedding | None = None
    bound: float | None = None

    def scorer_of(self, list_name: str) -> Scorer:
        """The scorer of a list."""
        return self.scorers.get(list_name, self.scorer)

    @property
    def everywhere(self) -> list[Scorer]:
        """Scorers that want every window encoded."""
        return [s for s in (self.scorer, *self.scorers.values()) if s.everywhere]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one text shows of each target in force that came into question, and the last stage that it needed."""

    found: list[tuple[Target, Found]]
    stage: Stage
    reads: Sequence[Read] = ()  # of the text


@dataclass(slots=True)
class Timer:
    """Milliseconds by stage."""

    ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block."""
        began = time.perf_counter()
        yield
        self.ms[name] += (time.perf_counter() - began) * 1000


def look(
    parts: Sequence[Part], texts: Sequence[str], setup: Setup, off: frozenset[str], timer: Timer, *, explore: bool
) -> list[Seen]:
    """Run ``texts`` through the stages. ``explore``: find what is near although nothing calls for it."""
    if not parts:
        return [Seen([], "names") for _ in texts]
    with timer.stage("read"):
        reads = [read(text) for text in texts]
    with timer.stage("scan"):
        scans = [[part.segment.scan(r) for part in parts] for r in reads]
    for own, r in zip(scans, reads, strict=True):
        if explore or setup.everywhere:
            more = _everything(r) if setup.everywhere else _some(r)
            for scanned in own:
                scanned.looks.extend(more)
    needed: list[Stage] = ["static" if any(s.looks for s in own) else "names" for own in scans]
    if setup.static is not None and setup.bound is not None and not explore and not setup.everywhere:
        with timer.stage("static"):
            for own in scans:
                _leave_out_what_is_far(parts, own, setup.static, setup.bound)
    for i, own in enumerate(scans):
        needed[i] = "encoder" if any(s.looks for s in own) else needed[i]
    with timer.stage("encode"):
        encoded = _encode([look for own in scans for s in own for look in s.looks], setup)
    with timer.stage("weigh"):
        search = explore or bool(setup.everywhere)
        return [
            Seen(list(_weigh(parts, own, encoded, setup, off, search=search)), stage, r)
            for own, stage, r in zip(scans, needed, reads, strict=True)
        ]


def _everything(reads: Sequence[Read]) -> list[Look]:
    windows = [w for r in reads if r.reading.semantic for w in r.windows[:MAX_WINDOWS]]
    return [Look(w, frozenset(), {}, search=True) for w in windows]


def _some(reads: Sequence[Read]) -> list[Look]:
    return [Look(w, frozenset(), {}, search=True) for w in reads[0].windows[:_EXPLORED_WINDOWS]]


def _leave_out_what_is_far(parts: Sequence[Part], scans: Sequence[Scan], static: StaticEmbedding, bound: float) -> None:
    """Drop the windows that name and describe nobody and that no entry without a name is near."""
    for part, scanned in zip(parts, scans, strict=True):
        open_to_all = [look for look in scanned.looks if not look.named and not look.described]
        if not open_to_all:
            continue
        vectors, known = static.encode([look.window.text for look in open_to_all])
        far = (part.segment.static_nearest(vectors) < bound) & known
        dropped = {id(look) for look, gone in zip(open_to_all, far, strict=True) if gone}
        scanned.looks[:] = [look for look in scanned.looks if id(look) not in dropped]


def _encode(looks: Sequence[Look], setup: Setup) -> Encoded:
    pieces = list(dict.fromkeys(piece for look in looks for piece in look.pieces))
    vectors = setup.encoder.encode(pieces) if pieces else ()
    trained: dict[str, dict[str, float]] = {}
    windows = list(dict.fromkeys(look.window.text for look in looks))
    for name, scorer in setup.scorers.items():
        if scorer.classifier is not None and windows:
            trained[name] = dict(zip(windows, map(float, scorer.classifier.probabilities(windows)), strict=True))
    return Encoded({t: np.asarray(v) for t, v in zip(pieces, vectors, strict=True)}, trained)


def _weigh(
    parts: Sequence[Part], scans: Sequence[Scan], encoded: Encoded, setup: Setup, off: frozenset[str], *, search: bool
) -> Iterator[tuple[Target, Found]]:
    for part, scanned in zip(parts, scans, strict=True):
        for i, best in part.segment.weigh(scanned, encoded, setup.scorer_of, search=search).items():
            target = part.segment.targets[i]
            if target.list_name not in off and (target.list_name, target.entry_id) not in part.dead:
                yield target, best
