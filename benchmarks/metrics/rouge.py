"""ROUGE-L of greedy answers against the true ones (TOFU, Maini et al., 2024, arXiv 2401.06121).

Words are compared as they stand, without the stemmer of TOFU's own script.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Reading, Subjects
from benchmarks.metrics.whole import any_item, whole
from guard.text_metrics import Overlap, rouge_l

TOFU = "Maini et al., 2024, arXiv 2401.06121"
RWKU = "Jin et al., 2024, arXiv 2406.10890"
_MIRAGE = "Unlearning Mirage"
_FAITHUN = "Yang et al., 2025, arXiv 2502.19207"


@lru_cache(maxsize=20_000)  # several metrics look at the same answers
def compared(text: str, answer: str) -> Overlap:
    """ROUGE-L of a text against the true answer."""
    return rouge_l(text, answer)


def overlap(reading: Reading) -> Overlap | None:
    """ROUGE-L of what was said to the question."""
    return None if reading.text is None else compared(reading.text, reading.item.answer)


def recall(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean over the set ``of``: how much of the true answer is said."""
    found = whole(subjects.own, of, overlap, "answer in words")
    return found if isinstance(found, Undefined) else mean([each.recall for each in found])


def paraphrased_recall(subjects: Subjects, of: str) -> Measured | Undefined:
    """The same for what is said to the paraphrased questions."""

    def take(reading: Reading) -> float | None:
        return None if reading.paraphrased is None else compared(reading.paraphrased, reading.item.answer).recall

    found = whole(subjects.own, of, take, "answer to the paraphrase", lambda item: item.paraphrase is not None)
    return found if isinstance(found, Undefined) else mean(found)


def f1(subjects: Subjects, of: str, counts: Callable[[Item], bool] = any_item) -> Measured | Undefined:
    """The harmonic mean of ROUGE-L's precision and recall, as MUSE has it."""
    found = whole(subjects.own, of, overlap, "answer in words", counts)
    return found if isinstance(found, Undefined) else mean([each.f1 for each in found])


FORGET = Metric("ROUGE-L forget", TOFU, "retained", "forgetting", partial(recall, of="forget"))
PARAPHRASED = Metric(
    "ROUGE-L forget, question in other words", _FAITHUN, "retained", "forgetting",
    partial(paraphrased_recall, of="forget"),
)  # fmt: skip
ALIASES = Metric("ROUGE-L forget, by another name", _MIRAGE, "retained", "forgetting", partial(recall, of="aliases"))
MULTI_HOP = Metric("ROUGE-L forget, in several steps", _MIRAGE, "retained", "forgetting",
                   partial(recall, of="multi_hop"))  # fmt: skip
RETAIN = Metric("ROUGE-L retain", TOFU, "high", "utility", partial(recall, of="retain"))
REAL_AUTHORS = Metric("ROUGE-L real authors", TOFU, "high", "utility", partial(recall, of="real_authors"))
WORLD_FACTS = Metric("ROUGE-L world facts", TOFU, "high", "utility", partial(recall, of="world_facts"))
NEIGHBOURS = Metric("ROUGE-L neighbours", TOFU, "high", "utility", partial(recall, of="neighbours"))
ADVERSARIAL = Metric("ROUGE-L forget, asked with guile", RWKU, "retained", "forgetting",
                     partial(recall, of="forget_level3"))  # fmt: skip
TRIVIA = Metric("ROUGE-L TriviaQA", RWKU, "high", "utility", partial(recall, of="triviaqa"))
