"""The probability of the true answer, by its length (TOFU, Maini et al., 2024, arXiv 2401.06121, section 2.2.2).

``p(a|q)^(1/|a|)``, |a| in tokens, the end token among them. On real authors and world facts it is divided by its sum
with those of the false answers, since a model need not know the wording of an answer that it was not taught.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Reading, Scored, Subjects
from benchmarks.metrics.rouge import TOFU
from benchmarks.metrics.whole import whole


def per_token(answer: Scored) -> float:
    """The mean log-probability of an answer's tokens."""
    return math.fsum(answer.log_probs) / len(answer.log_probs)


def false_answers(item: Item) -> bool:
    """Whether an item has false answers."""
    return bool(item.wrong)


def probability(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean of ``p(a|q)^(1/|a|)`` over the set ``of``."""
    found = whole(subjects.own, of, lambda reading: reading.answer, "predicted answer")
    return found if isinstance(found, Undefined) else mean([math.exp(per_token(answer)) for answer in found])


def normalised(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean share of the true answer among it and the false ones."""
    found = whole(subjects.own, of, _candidates, "predicted false answers", false_answers)
    return found if isinstance(found, Undefined) else mean([share(logs) for logs in found])


def share(logs: Sequence[float]) -> float:
    """The first of ``exp(logs)`` over their sum."""
    most = max(logs)
    return math.exp(logs[0] - most) / math.fsum(math.exp(log - most) for log in logs)


def _candidates(reading: Reading) -> list[float] | None:
    if reading.answer is None or not reading.wrong:
        return None
    return [per_token(reading.answer), *map(per_token, reading.wrong)]


FORGET = Metric("probability forget", TOFU, "retained", "forgetting", partial(probability, of="forget"))
RETAIN = Metric("probability retain", TOFU, "high", "utility", partial(probability, of="retain"))
REAL_AUTHORS = Metric("probability real authors", TOFU, "high", "utility", partial(normalised, of="real_authors"))
WORLD_FACTS = Metric("probability world facts", TOFU, "high", "utility", partial(normalised, of="world_facts"))
