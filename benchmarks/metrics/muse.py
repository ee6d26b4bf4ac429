"""What MUSE asks of memory (Shi et al., 2025, arXiv 2407.06460): word for word, and of what the texts say.

ROUGE-L F1 in both, as in open-unlearning. Running texts are continued for as many tokens as the true continuation has.
"""

from __future__ import annotations

from functools import partial

from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Metric, Undefined
from benchmarks.metrics.reading import Subjects
from benchmarks.metrics.rouge import f1
from benchmarks.metrics.whole import either

_PAPER = "Shi et al., 2025, arXiv 2407.06460"


def running(item: Item) -> bool:
    """Whether an item is the beginning of a text."""
    return item.plain


def verbatim(subjects: Subjects) -> Measured | Undefined:
    """Of the set "verbmem", or of the forget set's running texts where there is none."""
    return f1(subjects, either(subjects.own, "verbmem", "forget"), running)


VERBATIM = Metric("verbatim memorisation forget", _PAPER, "retained", "forgetting", verbatim)
FORGET_KNOWLEDGE = Metric("knowledge memorisation forget", _PAPER, "retained", "forgetting",
                          partial(f1, of="knowledge"))  # fmt: skip
RETAIN_KNOWLEDGE = Metric("knowledge memorisation retain", _PAPER, "high", "utility",
                          partial(f1, of="knowledge_retain"))  # fmt: skip
