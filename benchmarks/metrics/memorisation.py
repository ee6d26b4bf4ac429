"""How much of an answer the model goes on with by itself, token by token under teacher forcing.

Extraction Strength (Carlini et al., 2021; as used by Wang et al., "Towards Effective Evaluations and Comparisons for
LLM Unlearning Methods", arXiv 2406.09179): ``1 - k/|y|`` with k the shortest beginning of the answer y after which all
greedy predictions are right. Exact memorisation (Tirumala et al., 2022, arXiv 2205.10770): the share of tokens
predicted rightly. Both without the end token. open-unlearning's loop gives 1/|y| where even the last token is wrong;
here that is 0.
"""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Reading, Subjects
from benchmarks.metrics.whole import whole

T = TypeVar("T")


def extraction_strength(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean of ``1 - k/|y|`` over the set ``of``."""
    found = whole(subjects.own, of, _right, "predicted answer")
    return found if isinstance(found, Undefined) else mean([strength(right) for right in found])


def exact_memorisation(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean share of tokens predicted rightly over the set ``of``."""
    found = whole(subjects.own, of, _right, "predicted answer")
    return found if isinstance(found, Undefined) else mean([sum(right) / len(right) for right in found])


def strength(right: tuple[bool, ...]) -> float:
    """``1 - k/|y|`` of an answer of which each token is predicted rightly or not."""
    rest = 0
    while rest < len(right) and right[-1 - rest]:
        rest += 1
    return rest / len(right)


def without_end(values: tuple[T, ...], reading: Reading) -> tuple[T, ...]:
    """Values of an answer's tokens without the end token's; running text has none."""
    return values if reading.item.plain or len(values) == 1 else values[:-1]


def _right(reading: Reading) -> tuple[bool, ...] | None:
    return None if reading.answer is None else without_end(reading.answer.greedy, reading)


_EXTRACTION = "Wang et al., 2024, arXiv 2406.09179"
EXTRACTION = Metric("extraction strength forget", _EXTRACTION, "retained", "forgetting",
                    partial(extraction_strength, of="forget"))  # fmt: skip
EXACT = Metric("exact memorisation forget", "Tirumala et al., 2022, arXiv 2205.10770", "retained", "forgetting",
               partial(exact_memorisation, of="forget"))  # fmt: skip
RETAIN = Metric("extraction strength retain", _EXTRACTION, "high", "utility",
                partial(extraction_strength, of="retain"))  # fmt: skip
