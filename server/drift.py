"""Whether a list's scores are still distributed as they were: two windows, and how far apart they are."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ks_statistic(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The two-sample Kolmogorov-Smirnov statistic: the largest distance between the empirical distributions.

    0 for equal samples, 1 for samples that do not overlap. Of two samples of 1000 from the same distribution,
    one pair in a thousand is further apart than 0.087.

    Raises:
        ValueError: a sample is empty or holds NaN.
    """
    a, b = np.sort(np.asarray(first, float).ravel()), np.sort(np.asarray(second, float).ravel())
    if not len(a) or not len(b):
        raise ValueError("a sample is empty")
    if np.isnan(a[-1]) or np.isnan(b[-1]):  # sorting puts NaN last
        raise ValueError("a sample holds NaN")
    places = np.concatenate([a, b])
    below_a = np.searchsorted(a, places, side="right") / len(a)
    below_b = np.searchsorted(b, places, side="right") / len(b)
    return float(np.abs(below_a - below_b).max())


@dataclass(frozen=True, slots=True)
class Sample:
    """The scores of a list's two windows at one moment; prompts in which it saw nothing are zeros."""

    reference: Floats  # (prompts,)
    recent: Floats  # (prompts,)
    flagged: int  # of the recent ones
    complete: bool  # whether the reference window is full

    @property
    def drift(self) -> float | None:
        """How far the recent scores are from the reference; None before there is a reference."""
        return ks_statistic(self.reference, self.recent) if self.complete else None

    @property
    def flagged_share(self) -> float | None:
        """Of the recent prompts; None before the first."""
        return self.flagged / len(self.recent) if len(self.recent) else None


@dataclass(slots=True)
class Windows:
    """One list's scores in the first ``size`` prompts from ``start`` on, and in the latest ``size``.

    Prompts are numbered from 0. Only those in which the list saw something are noted, so that a list which a
    prompt does not touch costs nothing.
    """

    size: int
    start: int
    _first: list[float] = field(default_factory=list)
    _latest: deque[tuple[int, float, bool]] = field(default_factory=deque)

    def note(self, number: int, score: float, flagged: bool) -> None:
        """Take in a prompt's score; numbers only rise."""
        if number - self.start < self.size:
            self._first.append(score)
        self._latest.append((number, score, flagged))
        self._forget(number + 1)

    def sample(self, count: int) -> Sample:
        """Both windows after ``count`` prompts."""
        self._forget(count)
        seen = max(0, count - self.start)
        reference, recent = np.zeros(min(seen, self.size)), np.zeros(min(seen, self.size))
        reference[: len(self._first)] = self._first
        recent[: len(self._latest)] = [score for _, score, _ in self._latest]
        return Sample(reference, recent, sum(f for _, _, f in self._latest), seen >= self.size)

    def _forget(self, count: int) -> None:
        while self._latest and self._latest[0][0] < count - self.size:
            self._latest.popleft()
