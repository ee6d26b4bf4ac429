"""What is learnt from a list: how long it takes, what its threshold achieves, and what the static stage ends."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.data.tofu import Question, load
from benchmarks.data.traffic import unrelated
from benchmarks.detection.quality import LIST, Setting, imported
from benchmarks.detection.results import Line, judged, share
from benchmarks.estimate import Proportion
from classifiers.calibrate import Calibration
from classifiers.detector import Detector
from classifiers.fitting import Aim, Learnt, learn
from classifiers.scorers import Head
from classifiers.types import Target
from guard.in_force import target


def measure(setting: Setting) -> Iterator[Line]:
    """Lines for the list with names, for one fact an entry, and for the same texts without names."""
    forget = load(setting.tofu, setting.split)
    named = [target(e) for e in imported(forget)]
    yield from _learnt("subjects", _learn(named, setting)[1])
    facts = [replace(t, scope="fact") for t in named]
    yield from _learnt("facts", _learn(facts, setting)[1])
    yield from _nameless([replace(t, names=(), scope="fact", facts=()) for t in named], forget, setting)


def _learn(targets: Sequence[Target], setting: Setting) -> tuple[Detector, Learnt]:
    bare = Detector.build(targets, {}, setting.encoder, scorer=Head())
    found = learn(bare, {LIST: Aim()}, static=setting.static, seed=setting.seed)
    return bare.learnt(head=found.head, calibrated=found.thresholds, static=setting.static, bound=found.bound), found


def _learnt(name: str, found: Learnt) -> Iterator[Line]:
    yield Line("learning", f"{name}: head fitted again", found.head_s, "s", more=False, target=1.0)
    yield Line("learning", f"{name}: head and thresholds", found.whole_s, "s", more=False)
    yield from _calibrated(name, found.calibrations[LIST])


def _calibrated(name: str, found: Calibration) -> Iterator[Line]:
    note = f"threshold {found.threshold:.3f}, chosen on {found.used} other prompts"
    rate = found.false_positives
    achieved = Proportion(rate.hits, rate.n, rate.low, rate.high)
    yield Line("learning", f"{name}: held-out false positives", rate.value, "share", False, 0.005, achieved, note)
    recall = found.recall
    yield Line("learning", f"{name}: recall on reworded entries", recall.value, "share", True, None,
               Proportion(recall.hits, recall.n, recall.low, recall.high))  # fmt: skip


def _nameless(targets: Sequence[Target], forget: Sequence[Question], setting: Setting) -> Iterator[Line]:
    """The hard case for an early exit: entries that only their meaning can tell."""
    detector, found = _learn(targets, setting)
    yield from _learnt("without names", found)
    full = Detector.build(targets, {LIST: detector.threshold(LIST)}, setting.encoder, scorer=found.head)
    paraphrases = [q.paraphrase for q in load(setting.tofu, f"{setting.split}_perturbed") if q.paraphrase]
    retain = [q.question for q in load(setting.tofu, setting.retain)][::10]
    traffic = unrelated(1000, setting.seed)
    lost = [bool(f) and not bool(e) for f, e in zip(full.judge([*paraphrases, *retain]),
                                                    detector.judge([*paraphrases, *retain]), strict=True)]  # fmt: skip
    for name, texts, more in (("questions", [q.question for q in forget], True), ("paraphrases", paraphrases, True),
                              (f"{setting.retain} questions", retain, False)):  # fmt: skip
        flags, _ = judged(detector, texts, f"without names: {name}")
        yield share("without names", f"flagged of {name}", flags, more=more)
    yield share("without names", "flagged by full path, lost by exit", lost, more=False, target=0.0)
    flags, took = judged(detector, traffic, "without names: traffic")
    yield share("without names", "flagged of traffic", flags, more=False, target=0.001)
    stages = [detector.inspect([t]).stages[0] for t in traffic]
    yield share("without names", "traffic ended before the encoder", [s != "encoder" for s in stages], more=True,
                target=0.8)  # fmt: skip
    yield Line("without names", "p50 of the whole detector", statistics.median(took), "ms", more=False, target=1.0)
