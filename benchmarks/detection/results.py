"""Lines of the detector's report."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tqdm import tqdm

from benchmarks.estimate import Proportion
from classifiers.detector import Detector

Unit = Literal["share", "ms", "s", "KiB"]


@dataclass(frozen=True, slots=True)
class Line:
    """One measured figure. ``target`` is met at or above it where ``more`` is better, else at or below."""

    section: str
    name: str
    value: float
    unit: Unit
    more: bool
    target: float | None = None
    share: Proportion | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.more else self.value <= self.target

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "section": self.section,
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
            "note": self.note,
            **({"interval": self.share.plain()} if self.share else {}),
        }

    def told(self) -> str:
        """For people."""
        figure = self.share.told() if self.share else f"{self.value:8.2f} {self.unit}"
        wanted = ""
        if self.target is not None:
            bound = f"{self.target:.1%}" if self.unit == "share" else f"{self.target:g} {self.unit}"
            wanted = f"{'>=' if self.more else '<='} {bound:<8} {'met' if self.met else 'MISSED'}"
        return f"{self.section:<16} {self.name:<34} {figure:<48} {wanted} {self.note}".rstrip()


def share(section: str, name: str, flags: Sequence[bool], *, more: bool, target: float | None = None) -> Line:
    """A line for a proportion."""
    found = Proportion.of(flags)
    return Line(section, name, found.value, "share", more, target, found)


def judged(detector: Detector, texts: Sequence[str], name: str) -> tuple[list[bool], list[float]]:
    """For each text whether it is flagged, and the milliseconds that it took alone."""
    flagged: list[bool] = []
    took: list[float] = []
    for text in _progress(texts, name):
        began = time.perf_counter()
        flagged.append(bool(detector.judge([text])[0]))
        took.append((time.perf_counter() - began) * 1000)
    return flagged, took


def judged_turns(detector: Detector, conversations: Sequence[Sequence[str]], name: str) -> list[bool]:
    """For each conversation whether its last turn is flagged."""
    return [bool(detector.judge_turns(turns)[-1]) for turns in _progress(conversations, name)]


def _progress(items: Sequence[Any], name: str) -> Iterable[Any]:
    bar: Iterable[Any] = tqdm(items, desc=name, file=sys.stderr, leave=False)
    return bar
