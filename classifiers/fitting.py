"""What a detector learns from its entries after a change: the head, thresholds by list, the static stage's bound."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.calibrate import DEFAULT_TARGET, Calibration, calibrate
from classifiers.detector import Detector
from classifiers.head import Example, examples
from classifiers.ordinary import prompts
from classifiers.pipeline import Key
from classifiers.score import Signals
from classifiers.scorers import Head
from classifiers.segment import Floats
from classifiers.static import StaticEmbedding
from classifiers.types import SCOPES, Encoder, Target

# Ordinary prompts and hard negatives to calibrate on. Half choose the threshold, which at the default rate takes 199.
_ORDINARY, _ORDINARY_FREE = 1200, 420
_SHORT = 300  # characters
_ENTRIES = 120
_CHUNK = 8  # texts at a time, so that prompts get their turn in between
_MARGIN = 0.08  # what the static bound stays below the least that was flagged


@dataclass(frozen=True, slots=True)
class Aim:
    """What an operator asks of a list: a false-positive rate, and if need be a recall that goes before it."""

    false_positive_rate: float = DEFAULT_TARGET
    recall_floor: float | None = None


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was fitted, and how well it did on texts that had no part in it."""

    head: Head
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)  # by list
    bound: float | None = None
    head_s: float = 0.0
    whole_s: float = 0.0

    @property
    def thresholds(self) -> dict[str, float]:
        """By list."""
        return {name: found.threshold for name, found in self.calibrations.items()}


def _go_on() -> None:
    """Nothing is to be done between texts."""


def fit_head(detector: Detector, seed: int = 0, between: Callable[[], object] = _go_on) -> Head:
    """A head on a few examples of the detector's entries: some 0.3 s, so that it can follow every change."""
    chosen = list(examples(detector.targets(), seed))
    return Head.fit(_signals(detector, chosen, between), [e.about for e in chosen])


def learn(
    detector: Detector,
    aims: Mapping[str, Aim],
    *,
    static: StaticEmbedding | None = None,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
    between: Callable[[], object] = _go_on,
) -> Learnt:
    """Fit the head, then calibrate every list that it scores; lists of another scorer are left alone.

    Args:
        detector: is not changed.
        aims: by list; the default for the others.
        static: to find the bound of, where entries have no name.
        seed: chooses examples and prompts.
        stop: asked now and then.
        between: called after every few texts; what it rests, others have the interpreter for.

    Raises:
        DetectorError: the encoder failed, or ``stop`` returned true.
    """
    began = time.perf_counter()
    detector = detector.scored_by(Head, Stoppable(detector.setup.encoder, stop))
    head = fit_head(detector, seed, between) if isinstance(detector.setup.scorer, Head) else Head()
    head_s = time.perf_counter() - began
    fitted = detector.learnt(head=head, calibrated={}, static=static)
    ordinary = ordinary_for(detector, seed + 1)
    innocent = _scores(fitted, ordinary, between)
    calibrations: dict[str, Calibration] = {}
    for name in sorted(detector.lists):
        own = [t for t in detector.targets() if t.list_name == name]
        scores = [s.get(name, 0.0) for s in innocent]
        calibrations[name] = calibrate_list(fitted, own, scores, aims.get(name, Aim()), between=between)
    bound = None
    if static is not None and detector.any_free:
        found = fitted.learnt(calibrated={name: c.threshold for name, c in calibrations.items()})
        flagged = [t for t, own in zip(ordinary, innocent, strict=True) if _over(found, own)]
        bound = static_bound(found, static, flagged)
    return Learnt(head, calibrations, bound, head_s, time.perf_counter() - began)


def calibrate_on(detector: Detector, name: str, traffic: Sequence[str], aim: Aim) -> Calibration:
    """A threshold for the list ``name``, on ``traffic`` that is to pass; where there is none, on ordinary prompts.

    Raises:
        DetectorError: a text could not be judged.
    """
    own = [t for t in detector.targets() if t.list_name == name]
    traffic = traffic or ordinary_for(detector, 1)
    return calibrate_list(detector, own, [s.get(name, 0.0) for s in _scores(detector, traffic)], aim)


def ordinary_for(detector: Detector, seed: int) -> list[str]:
    """Prompts that have nothing to do with the entries of ``detector``."""
    names = {n for t in detector.targets() for n in t.names}
    made = [text for text in prompts(_ORDINARY, seed, avoid=_most(names)) if not detector.names_hashed(text)]
    if not detector.any_free:
        return made
    # Entries without a name send every prompt to the encoder: fewer and shorter ones have to do.
    return [text for text in made if len(text) <= _SHORT][:_ORDINARY_FREE]


def calibrate_list(
    detector: Detector, targets: Sequence[Target], ordinary: Sequence[float], aim: Aim, *, seed: int = 1,
    between: Callable[[], object] = _go_on,
) -> Calibration:  # fmt: skip
    """A threshold for the list of ``targets``.

    Args:
        detector: scores the list's examples.
        targets: the list's entries.
        ordinary: the list's scores of prompts that are to pass, in random order.
        aim: what the operator asks.
        seed: chooses examples; another than the head was fitted with.
        between: called after every few texts.
    """
    name = targets[0].list_name if targets else ""
    # Of entries whose texts are not kept there are no examples: their list rests on the ordinary prompts alone.
    chosen = list(examples(targets, seed, most=_ENTRIES))
    scored = [s.get(name, 0.0) for s in _scores(detector, [e.text for e in chosen], between)]
    guilty = [s for s, e in zip(scored, chosen, strict=True) if e.about]
    neighbours = [s for s, e in zip(scored, chosen, strict=True) if not e.about]
    return calibrate(
        _shuffled([*ordinary, *neighbours], seed), guilty, aim.false_positive_rate,
        lowest=detector.setup.scorer_of(name).threshold, recall_floor=aim.recall_floor,
    )  # fmt: skip


def static_bound(detector: Detector, static: StaticEmbedding, flagged: Sequence[str]) -> float:
    """A bound below which the static stage may end a text: nothing that the full path flags on these texts is lost.

    The texts are rewordings of the entries, each entry's text as a prompt, and the ``flagged`` ordinary prompts.
    Rewordings by rule are easy ones, so that the bound is never above what sentences at large call for.
    """
    free = [t for t in detector.targets() if t.texts and not t.named]
    chosen = [e.text for e in examples(free, 2, most=_ENTRIES)] + [t.texts[0] for t in free[:_ENTRIES]]
    texts = list(dict.fromkeys([*chosen, *flagged]))
    least = static.floor
    for at in range(0, len(texts), _CHUNK):
        for windows in detector.free_windows(texts[at : at + _CHUNK]):
            vectors, known = static.encode(windows)
            near = detector.static_nearest(vectors)[known]
            if len(near) == len(windows) > 0:  # a window that the static embedding cannot read is never ended by it
                least = min(least, float(near.max()))
    return least - _MARGIN


class Stoppable:
    """An encoder that fails once it is told to stop, so that nothing long goes on while a server shuts down."""

    def __init__(self, encoder: Encoder, stop: Callable[[], bool]) -> None:
        self.name, self.dim = encoder.name, encoder.dim
        self._encoder = encoder
        self._stop = stop

    def encode(self, texts: Sequence[str]) -> Floats:
        """See ``Encoder``."""
        if self._stop():
            raise RuntimeError("told to stop")
        return self._encoder.encode(texts)


def _signals(detector: Detector, chosen: Sequence[Example], between: Callable[[], object]) -> list[Signals]:
    found: list[dict[Key, Signals]] = []
    for at in range(0, len(chosen), _CHUNK):
        found += detector.signals([e.text for e in chosen[at : at + _CHUNK]])
        between()
    nothing = {scope: Signals(scope, 0.0, 0.0) for scope in SCOPES}
    return [
        own.get((e.target.list_name, e.target.entry_id), nothing[e.target.scope])
        for e, own in zip(chosen, found, strict=True)
    ]


def _scores(detector: Detector, texts: Sequence[str], between: Callable[[], object] = _go_on) -> list[dict[str, float]]:
    found: list[dict[str, float]] = []
    for at in range(0, len(texts), _CHUNK):
        found += detector.inspect(texts[at : at + _CHUNK]).scores
        between()
    return found


def _over(detector: Detector, scores: Mapping[str, float]) -> bool:
    return any(score >= detector.threshold(name) for name, score in scores.items())


def _shuffled(values: list[float], seed: int) -> list[float]:
    random.Random(seed).shuffle(values)  # noqa: S311 - an order, not a secret
    return values


def _most(names: Collection[str]) -> list[str]:
    """Names to look for in ordinary prompts: not all of a large list, or the search would take longer than the rest."""
    return sorted(names)[:500]
