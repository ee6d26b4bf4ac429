"""How likely something may be of which ``k`` cases were seen in ``n`` trials: one-sided bounds of Clopper and Pearson.

They are exact for independent trials of one probability, and hold as well for the mean probability of independent
trials whose probabilities differ: of no hits, since the product of the ``1 - p`` is at most that of their mean; of some
hits by Hoeffding (1956, theorem 4), for the confidences that are allowed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LEAST_CONFIDENCE = 0.8
_CLOSE = 1e-13


@dataclass(frozen=True, slots=True)
class Rate:
    """``k`` of ``n``, and between which shares the truth lies, each bound with the confidence by itself."""

    k: int
    n: int
    confidence: float

    @property
    def value(self) -> float:
        """The share that was seen; 0 of no trials."""
        return self.k / self.n if self.n else 0.0

    @property
    def upper(self) -> float:
        """The truth is at most this."""
        return upper(self.k, self.n, self.confidence)

    @property
    def lower(self) -> float:
        """The truth is at least this."""
        return lower(self.k, self.n, self.confidence)

    def plain(self) -> dict[str, float | int]:
        """For JSON."""
        return {"k": self.k, "n": self.n, "rate": self.value, "lower": self.lower, "upper": self.upper}


def upper(k: int, n: int, confidence: float) -> float:
    """The largest probability that still gives ``k`` or fewer of ``n`` with a chance of ``1 - confidence``.

    Raises:
        ValueError: no such counts, or a confidence outside [0.8, 1).
    """
    _check(k, n, confidence)
    if k == n:  # none of no trials too: nothing is known
        return 1.0
    doubt = 1 - confidence
    if k == 0:
        return -math.expm1(math.log(doubt) / n)
    low, high = k / n, 1.0
    while high - low > _CLOSE:
        middle = (low + high) / 2
        if _at_most(k, n, middle) > doubt:
            low = middle
        else:
            high = middle
    return high


def lower(k: int, n: int, confidence: float) -> float:
    """The smallest probability that still gives ``k`` or more of ``n`` with a chance of ``1 - confidence``.

    Raises:
        ValueError: no such counts, or a confidence outside [0.8, 1).
    """
    _check(k, n, confidence)
    return 1 - upper(n - k, n, confidence) if k else 0.0


def enough(tolerance: float, confidence: float) -> int:
    """The fewest trials that, without a hit, show a share of at most ``tolerance``."""
    n = math.ceil(math.log(1 - confidence) / math.log1p(-tolerance))
    while upper(0, n, confidence) > tolerance:  # the logarithms are rounded
        n += 1
    return n


def _at_most(k: int, n: int, p: float) -> float:
    """The chance of ``k`` or fewer hits in ``n`` trials of probability ``p`` in (0, 1)."""
    hit, miss = math.log(p), math.log1p(-p)
    whole = math.lgamma(n + 1)
    terms = [whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * hit + (n - i) * miss for i in range(k + 1)]
    most = max(terms)
    return math.exp(most) * math.fsum(math.exp(term - most) for term in terms)


def _check(k: int, n: int, confidence: float) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no count")
    if not LEAST_CONFIDENCE <= confidence < 1:
        raise ValueError(f"a confidence is at least {LEAST_CONFIDENCE} and below 1, not {confidence}")
