"""ROUGE-L recall of greedy answers against the true ones (TOFU, Maini et al., 2024, arXiv 2401.06121)."""

from __future__ import annotations

from functools import partial

from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Subjects
from guard.text_metrics import rouge_l

_PAPER = "Maini et al., 2024, arXiv 2401.06121"


def recall(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean over the set ``of``."""
    readings = subjects.own.get(of, ())
    said = [(r.text, r.item.answer) for r in readings if r.text is not None]
    if not said:
        return Undefined(f"no answers to the set {of!r}")
    return mean([rouge_l(text, answer).recall for text, answer in said])


FORGET = Metric("ROUGE-L forget", _PAPER, "retained", "forgetting", partial(recall, of="forget"))
RETAIN = Metric("ROUGE-L retain", _PAPER, "high", "utility", partial(recall, of="retain"))
