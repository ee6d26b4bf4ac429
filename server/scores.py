"""What the scores of each list look like over many prompts, for the metrics."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from classifiers.scorers import Scorer
from guard.in_force import Snapshot
from server.drift import Windows
from server.judging import Judgement

WINDOW = 1000  # prompts
BUCKETS = tuple(i / 10 for i in range(11))

Calibration = tuple[float, Scorer]  # what a score depends on beside the entries: other values, other meaning


@dataclass(slots=True)
class _Scores:
    """One list's. ``since``: the number of the first prompt that it was there for."""

    since: int
    calibration: Calibration
    windows: Windows
    counts: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))  # scores above 0, by bucket
    total: float = 0.0


class ScoreCollector(Collector):
    """Collects the highest score that each prompt has for each list in force.

    A list that saw nothing in a prompt has score 0 there, which is counted but not stored: a prompt costs what
    the lists that it touches cost.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._lock = threading.Lock()
        self._prompts = 0
        self._lists: dict[str, _Scores] = {}
        self._known: Snapshot | None = None

    def note(self, snapshot: Snapshot, judgement: Judgement) -> None:
        """Take in a prompt that was judged by the snapshot in force."""
        flagged = judgement.flagged
        with self._lock:
            self._meet(snapshot)
            number = self._prompts
            self._prompts += 1
            for name, score in judgement.scores.items():
                own = self._lists.get(name)
                if own is None or score <= 0:
                    continue
                own.counts[bisect_left(BUCKETS, min(score, 1.0))] += 1
                own.total += score
                own.windows.note(number, score, name in flagged)

    def meet(self, snapshot: Snapshot) -> None:
        """Begin anew for lists whose scores now mean something else, forget those that are gone or off."""
        with self._lock:
            self._meet(snapshot)

    def _meet(self, snapshot: Snapshot) -> None:
        if snapshot is self._known:
            return
        self._known = snapshot
        calibrations = _calibrations(snapshot)
        self._lists = {name: own for name, own in self._lists.items() if name in calibrations}
        for name, calibration in calibrations.items():
            own = self._lists.get(name)
            if own is None:
                windows = Windows(self._window, self._prompts)
                self._lists[name] = _Scores(self._prompts, calibration, windows)
            elif own.calibration != calibration:
                own.calibration = calibration
                own.windows = Windows(self._window, self._prompts)

    def collect(self) -> Iterator[Metric]:
        """The metrics now. Arithmetic is done outside the lock, for prompts wait for that."""
        scores = HistogramMetricFamily(
            "letheward_score", "Highest score of a prompt, by list; 0 where the list saw nothing", labels=["list"]
        )
        drift = GaugeMetricFamily(
            "letheward_score_drift",
            "Kolmogorov-Smirnov statistic of the recent scores against the reference window's, by list",
            labels=["list"],
        )
        share = GaugeMetricFamily(
            "letheward_flagged_share", "Share of the recent prompts that the list flagged", labels=["list"]
        )
        held = GaugeMetricFamily(
            "letheward_score_window_prompts", "Prompts in a window, by list", labels=["list", "window"]
        )
        with self._lock:
            names = sorted(self._lists)
        for name in names:
            with self._lock:
                own = self._lists.get(name)
                if own is None:
                    continue
                sample = own.windows.sample(self._prompts)
                counts, total, prompts = list(own.counts), own.total, self._prompts - own.since
            scores.add_metric([name], _buckets(counts, prompts), total)
            held.add_metric([name, "reference"], len(sample.reference))
            held.add_metric([name, "recent"], len(sample.recent))
            if (distance := sample.drift) is not None:
                drift.add_metric([name], distance)
            if (flagged := sample.flagged_share) is not None:
                share.add_metric([name], flagged)
        yield from (scores, drift, share, held)


def _calibrations(snapshot: Snapshot) -> Mapping[str, Calibration]:
    detector = snapshot.detector
    return {
        name: (detector.threshold(name), detector.setup.scorer_of(name))
        for name, item in snapshot.lists.items()
        if item.enabled
    }


def _buckets(counts: list[int], prompts: int) -> list[tuple[str, float]]:
    """Cumulative, as Prometheus has them; all prompts that are in no bucket scored 0."""
    running = prompts - sum(counts)
    found: list[tuple[str, float]] = []
    for edge, count in zip(BUCKETS, counts, strict=True):
        running += count
        found.append((str(edge), running))
    return [*found, ("+Inf", prompts)]
