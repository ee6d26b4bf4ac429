"""How much of what is to stay is answered in the very words of before."""

from __future__ import annotations

from functools import partial

from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Reading, Subjects
from benchmarks.metrics.whole import whole
from guard.text_metrics import words


def unchanged(subjects: Subjects, of: str) -> Measured | Undefined:
    """The share of the set ``of`` whose answers are word for word the target's."""
    before = {reading.item: reading.text for reading in subjects.target.get(of, ())}

    def take(reading: Reading) -> float | None:
        old = before.get(reading.item)
        return None if reading.text is None or old is None else float(words(reading.text) == words(old))

    found = whole(subjects.own, of, take, "answer in words, here and from the target")
    return found if isinstance(found, Undefined) else mean(found)


RETAIN = Metric("unchanged answers retain", "this project", "high", "utility", partial(unchanged, of="retain"))
