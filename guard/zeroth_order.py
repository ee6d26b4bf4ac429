"""The corruption strength at which a metric has a wanted value, found without gradients (ECO, arXiv 2406.07933).

Minimises ``abs(metric(sigma) - target)`` by two-sided finite differences,
``sigma <- sigma - eta (loss(sigma + c) - loss(sigma - c)) / 2c``. What is done otherwise than in the paper, and why:

- The loss's slope is the metric's, with the sign of ``metric(sigma) - target``. That is the paper's difference where
  both points lie on one side of the target, and right where they do not.
- A point that is clipped lies nearer than ``c``: the difference is divided by the real distance.
- The least loss is known to be 0, so ``eta`` is Polyak's, ``loss / slope^2``, unless one is given: it needs no tuning
  to the model's scale. A step is at most ``longest`` times ``c``.
- Equal metrics on both sides say nothing of the way: ``c`` is widened until they differ. It is doubled, too, with each
  step after which the metric was not yet seen on both sides of the target.
- Once it was, the answer lies between two points: a step that leaves them, or ends where the metric is known already,
  goes to their middle. So metrics that jump or are noisy are searched as well.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Literal, NamedTuple

# "tolerance": near enough; "precision": the metric jumps over the target, and where is known as well as was asked for;
# "level": it comes no nearer to the target; "steps": they are used up; "flat": it is the same everywhere.
Reason = Literal["tolerance", "precision", "level", "steps", "flat"]
Points = Mapping[float, float]


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How to search; lengths (``sigma0``, ``c``, ``floor``, ``ceiling``) are in units of sigma.

    The defaults are for a sigma in units of the embedding rows' root mean square (see ``scaled``): at 1, noise on all
    dimensions is as loud as the row, and models begin to lose a name. The paper's script (sigma0 0.1, c 0.0999, eta
    100, floor 0.1, 10 steps) is for noise on one dimension, where sigma has to be many times larger: widening gets
    there.
    """

    sigma0: float = 1.0
    c: float = 0.5
    eta: float | None = None  # sigma^2 over loss; None: Polyak's
    steps: int = 10
    floor: float = 0.05  # not 0, which would be no guard
    ceiling: float = 1e5
    tolerance: float = 0.02  # a loss that is good enough
    flat: float = 0.01  # a difference of the metric that says nothing
    widen: float = 4.0
    longest: float = 4.0
    precision: float = 0.02  # of a crossing, relative
    patience: int = 2  # steps that come no nearer, by ``flat``, to a target that was not reached

    def __post_init__(self) -> None:
        if not (0 <= self.floor <= self.sigma0 <= self.ceiling and self.floor < self.ceiling):
            raise ValueError("floor, sigma0 and ceiling must be in this order, from 0 on")
        if not (self.c > 0 and (self.eta is None or self.eta > 0) and self.steps >= 1):
            raise ValueError("c and eta must be over 0, steps 1 or more")
        if self.widen <= 1 or self.longest <= 0:
            raise ValueError("widen must be over 1, longest over 0")
        if self.patience < 1:
            raise ValueError("patience must be 1 or more")
        if min(self.tolerance, self.flat, self.precision) < 0:
            raise ValueError("tolerance, flat and precision must not be under 0")

    def scaled(self, scale: float) -> SearchConfig:
        """The same search where one unit is ``scale``."""
        lengths = {key: getattr(self, key) * scale for key in ("sigma0", "c", "floor", "ceiling")}
        return replace(self, **lengths, eta=None if self.eta is None else self.eta * scale**2)

    def plain(self) -> dict[str, Any]:
        """For JSON; ``SearchConfig(**plain)`` is the same."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Found:
    """The best sigma that was measured: the nearest to the target.

    Where none came near enough, it is the smallest of those about as near as the nearest: more would only spoil more.
    """

    sigma: float
    value: float
    loss: float
    steps: int
    reason: Reason
    measured: tuple[tuple[float, float], ...]  # (sigma, metric) in the order of asking


def ask(target: float, config: SearchConfig, known: Points) -> float | Found:
    """Where to measure next, given what is ``known`` (the metric by sigma); or the end of the search.

    No sigma is asked for twice, and which is asked for follows from the answers alone. So ``known`` is all the state
    that there is: whoever keeps it can stop a search and go on with it later.
    """
    steps = _search(target, config)
    try:
        sigma = next(steps)
        while sigma in known:
            sigma = steps.send(known[sigma])
    except StopIteration as end:
        found: Found = end.value
        return found
    return sigma


def bracket(known: Points, target: float) -> tuple[float, float] | None:
    """The first two neighbours between which the metric crosses ``target``; None where it was not seen to."""
    for (low, before), (high, after) in pairwise(sorted(known.items())):
        if (before - target) * (after - target) < 0:
            return low, high
    return None


def _search(target: float, config: SearchConfig) -> Generator[float, float, Found]:
    known: dict[float, float] = {}
    sigma, c, idle, nearest = config.sigma0, config.c, 0, math.inf
    yield from _measure(known, sigma)
    for step in range(config.steps):
        if (reason := _reason(known, target, config)) is not None:
            return _found(known, target, config, step, reason)
        if (between := bracket(known, target)) is not None:
            c = min(c, (between[1] - between[0]) / 4)
        probes = yield from _probe(known, target, sigma, c, config)
        if probes is None:
            return _found(known, target, config, step, "flat")
        if _reason(known, target, config) is None:
            sigma = _next(known, target, sigma, probes, config)
            yield from _measure(known, sigma)
        c = probes.c
        if bracket(known, target) is None:
            c *= 2
            before, nearest = nearest, _nearest(known, target)
            idle = idle + 1 if before - nearest <= config.flat else 0
            if idle == config.patience:
                return _found(known, target, config, step + 1, _reason(known, target, config) or "level")
    return _found(known, target, config, config.steps, _reason(known, target, config) or "steps")


class _Probes(NamedTuple):
    low: float
    high: float
    c: float


def _measure(known: dict[float, float], sigma: float) -> Generator[float, float, float]:
    if sigma not in known:
        known[sigma] = yield sigma
    return known[sigma]


def _probe(
    known: dict[float, float], target: float, sigma: float, c: float, config: SearchConfig
) -> Generator[float, float, _Probes | None]:
    """The points below and above ``sigma`` and the ``c`` between which the metric differs; None where it never does."""
    while True:
        low, high = max(sigma - c, config.floor), min(sigma + c, config.ceiling)
        above = yield from _measure(known, high)
        below = yield from _measure(known, low)
        if abs(above - below) > config.flat or bracket(known, target) is not None:
            return _Probes(low, high, c)
        if low == config.floor and high == config.ceiling:
            return None
        c *= config.widen


def _next(known: Points, target: float, sigma: float, probes: _Probes, config: SearchConfig) -> float:
    rise = known[probes.high] - known[probes.low]
    loss = abs(known[sigma] - target)
    slope = math.copysign(1, known[sigma] - target) * rise / (probes.high - probes.low)
    between = bracket(known, target)
    moved = math.nan  # where the metric is flat
    if abs(rise) > config.flat:
        step = slope * (loss / slope**2 if config.eta is None else config.eta)
        longest = config.longest * probes.c
        moved = min(max(sigma - min(max(step, -longest), longest), config.floor), config.ceiling)
    if between is None or (between[0] < moved < between[1] and moved not in known):
        return moved
    return (between[0] + between[1]) / 2


def _nearest(known: Points, target: float) -> float:
    return min(abs(value - target) for value in known.values())


def _reason(known: Points, target: float, config: SearchConfig) -> Reason | None:
    if _nearest(known, target) <= config.tolerance:
        return "tolerance"
    between = bracket(known, target)
    if between is not None and between[1] - between[0] <= config.precision * between[1]:
        return "precision"
    return None


def _found(known: Points, target: float, config: SearchConfig, steps: int, reason: Reason) -> Found:
    nearest = _nearest(known, target)
    enough = nearest if nearest <= config.tolerance else nearest + config.flat
    sigma = min(sigma for sigma, value in known.items() if abs(value - target) <= enough)
    return Found(sigma, known[sigma], abs(known[sigma] - target), steps, reason, tuple(known.items()))
