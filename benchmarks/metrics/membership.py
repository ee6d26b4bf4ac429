"""Membership inference: are the forget set's answers told from held-out ones, and by which score.

AUC: the chance that a member's score is above a non-member's, ties for a half; 0.5 where nothing is told, 1 where the
forget set is plainly known. Scores, each the higher the likelier a member:

- loss (Yeom et al., 2018, arXiv 1709.01604): mean log p of the answer's tokens;
- zlib (Carlini et al., 2021, arXiv 2012.07805): that, divided by the zlib-compressed length of the answer in bytes;
- min-k % (Shi et al., 2024, arXiv 2310.16789): mean log p of the k % least likely tokens, the end token left out;
- min-k %++ (Zhang et al., 2025, arXiv 2404.02936): the same of ``(log p - mean) / spread`` over the vocabulary;
- reference (Mireshghallah et al., 2022, arXiv 2203.03929): mean log p less that of the retained model.

k is 40, as in MUSE's and open-unlearning's settings.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.metrics.memorisation import without_end
from benchmarks.metrics.metric import Measured, Metric, Undefined
from benchmarks.metrics.probability import per_token
from benchmarks.metrics.reading import Reading, Readings, Scored, Subjects
from benchmarks.metrics.whole import any_item, whole

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

Score = Callable[[Reading, Scored], float]
Sides = tuple[tuple[float, ...], tuple[float, ...]]  # scores of members, of others
_LEAST = 0.4
_FLAT = 1e-3  # a spread below it is taken for it: all of p on one token
_DRAWS = 1000
_SEED = 0


def by_loss(reading: Reading, answer: Scored) -> float:
    """The mean log-probability."""
    return per_token(answer)


def by_zlib(reading: Reading, answer: Scored) -> float:
    """The mean log-probability over the answer's compressed length."""
    return per_token(answer) / len(zlib.compress(reading.item.answer.encode("utf-8", "surrogatepass")))


def by_min_k(reading: Reading, answer: Scored) -> float:
    """The mean of the least log-probabilities."""
    return _least(without_end(answer.log_probs, reading))


def by_min_k_plus_plus(reading: Reading, answer: Scored) -> float:
    """The mean of the least log-probabilities, each measured against the vocabulary's."""
    places = zip(answer.log_probs, answer.mean, answer.spread, strict=True)
    return _least(without_end(tuple((log - mean) / max(spread, _FLAT) for log, mean, spread in places), reading))


def scores(
    readings: Readings, of: str, score: Score, counts: Callable[[Item], bool] = any_item
) -> tuple[float, ...] | Undefined:
    """The score of each answer in the set ``of``."""

    def take(reading: Reading) -> float | None:
        return None if reading.answer is None else score(reading, reading.answer)

    return whole(readings, of, take, "predicted answer", counts)


def pair(readings: Readings, score: Score) -> Sides | Undefined:
    """Scores of members (the forget set) and of others (the held-out set)."""
    members, others = scores(readings, "forget", score), scores(readings, "held", score)
    if isinstance(members, Undefined):
        return members
    return others if isinstance(others, Undefined) else (members, others)


def pairs(subjects: Subjects, score: Score) -> tuple[Sides, Sides] | Undefined:
    """Scores of members and of others, the subject's own and the retained model's, of the same items."""
    own, retained = pair(subjects.own, score), pair(subjects.retained, score)
    if isinstance(own, Undefined):
        return own
    if isinstance(retained, Undefined):
        return Undefined(f"the retained model: {retained.why}")
    if list(map(len, own)) != list(map(len, retained)):
        return Undefined("the retained model was asked other items")
    return own, retained


def told(subjects: Subjects, score: Score) -> Measured | Undefined:
    """The AUC of ``score``."""
    found = pair(subjects.own, score)
    return found if isinstance(found, Undefined) else measured(*found)


def told_by_reference(subjects: Subjects) -> Measured | Undefined:
    """The AUC of the difference to the retained model's mean log-probability."""
    found = pairs(subjects, by_loss)
    if isinstance(found, Undefined):
        return found
    members, others = (tuple(a - b for a, b in zip(*sides, strict=True)) for sides in zip(*found, strict=True))
    return measured(members, others)


def auc(members: Sequence[float], others: Sequence[float]) -> float:
    """The chance that a member's score is above another's, ties for a half."""
    return float(above(members, others).mean())


def measured(members: Sequence[float], others: Sequence[float], note: str = "") -> Measured:
    """The AUC with the standard error of a bootstrap over both sides."""
    draws = resampled([above(members, others)])[0]
    values = (*members, *others)
    text = f"{len(members)} members, {len(others)} others; values are their scores in this order"
    return Measured(auc(members, others), float(draws.std(ddof=1)), len(values), values, note or text)


def resampled(tables: Sequence[Array]) -> list[Array]:
    """AUCs of the same bootstrap samples of members and others for each table of who is above whom."""
    import numpy as np

    rng = np.random.default_rng(_SEED)
    rows, columns = tables[0].shape
    one = rng.multinomial(rows, np.full(rows, 1 / rows), size=_DRAWS) / rows  # (draws, members)
    other = rng.multinomial(columns, np.full(columns, 1 / columns), size=_DRAWS) / columns  # (draws, others)
    return [((one @ table) * other).sum(axis=1) for table in tables]


def above(members: Sequence[float], others: Sequence[float]) -> Array:
    """Who is above whom, (members, others): 1, or a half for a tie."""
    import numpy as np

    one, other = np.asarray(members)[:, None], np.asarray(others)[None, :]
    found: Array = (one > other) + 0.5 * (one == other)
    return found


def _least(values: Sequence[float]) -> float:
    count = max(1, int(len(values) * _LEAST))
    return math.fsum(sorted(values)[:count]) / count


LOSS = Metric("membership by loss (AUC)", "Yeom et al., 2018, arXiv 1709.01604", "retained", "privacy",
              partial(told, score=by_loss))  # fmt: skip
ZLIB = Metric("membership by zlib (AUC)", "Carlini et al., 2021, arXiv 2012.07805", "retained", "privacy",
              partial(told, score=by_zlib))  # fmt: skip
MIN_K = Metric("membership by min-k % (AUC)", "Shi et al., 2024, arXiv 2310.16789", "retained", "privacy",
               partial(told, score=by_min_k))  # fmt: skip
MIN_K_PLUS_PLUS = Metric("membership by min-k %++ (AUC)", "Zhang et al., 2025, arXiv 2404.02936", "retained", "privacy",
                         partial(told, score=by_min_k_plus_plus))  # fmt: skip
REFERENCE = Metric("membership by reference (AUC)", "Mireshghallah et al., 2022, arXiv 2203.03929", "retained",
                   "privacy", told_by_reference)  # fmt: skip
