"""How much of a reference answer a text holds: ROUGE-L (Lin, 2004), and means with their standard error.

Words as rouge-score has them without stemming (lower case, letters and digits only), but of any script: texts that
are not English count too. A sign of a script without spaces is a word of its own.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Han, kana, hangul and Thai signs one by one; other letters and digits in runs.
_WORD = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u0e00-\u0eff\u3040-\u9fff\uac00-\ud7af]+"
)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Shares of the longest common subsequence of words, each within 0 and 1."""

    precision: float  # of the text's words
    recall: float  # of the reference's words
    f1: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over ``n`` values; ``stderr`` is 0 where there are fewer than two."""

    mean: float
    stderr: float
    n: int


def words(text: str) -> list[str]:
    """The words that are compared."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def rouge_l(text: str, reference: str) -> Overlap:
    """ROUGE-L of ``text`` against ``reference``; all 0 where either has no words."""
    own, wanted = words(text), words(reference)
    common = _common(own, wanted)
    if not common:
        return Overlap(0.0, 0.0, 0.0)
    precision, recall = common / len(own), common / len(wanted)
    return Overlap(precision, recall, 2 * precision * recall / (precision + recall))


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of values that are independent of each other.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("a mean needs at least one value")
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Estimate(mean, 0.0, len(values))
    variance = math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return Estimate(mean, math.sqrt(variance / len(values)), len(values))


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence: one row of the usual table at a time."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for at, other in enumerate(second, 1):
            above = row[at]
            row[at] = diagonal + 1 if word == other else max(above, row[at - 1])
            diagonal = above
    return row[-1]
