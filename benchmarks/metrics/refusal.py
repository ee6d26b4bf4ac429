"""How often an answer says that there is none, by its wording (``benchmarks.guarded.refusals``)."""

from __future__ import annotations

from functools import partial

from benchmarks.guarded.refusals import is_refusal
from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Subjects
from benchmarks.metrics.whole import whole


def refusals(subjects: Subjects, of: str) -> Measured | Undefined:
    """The share of the set ``of`` that is declined."""
    found = whole(subjects.own, of, lambda reading: reading.text, "answer in words")
    return found if isinstance(found, Undefined) else mean([float(is_refusal(text)) for text in found])


FORGET = Metric("declined forget", "this project", "retained", "forgetting", partial(refusals, of="forget"))
RETAIN = Metric("declined retain", "this project", "low", "utility", partial(refusals, of="retain"))
NEIGHBOURS = Metric("declined neighbours (over-refusal)", "Röttger et al., 2024, arXiv 2308.01263", "low", "utility",
                    partial(refusals, of="neighbours"))  # fmt: skip
