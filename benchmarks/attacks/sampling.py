"""Asking many times at a high temperature: what one answer keeps back another may tell.

16 draws a question at temperature 1.2 are ours: as many as a processor bears for each row. The leak is the best draw's.
"""

from __future__ import annotations

from benchmarks.attacks.attack import Access, Active
from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.metrics.rouge import compared
from benchmarks.models.generating import Sampling

_DRAWS, _TEMPERATURE = 16, 1.2


def best(victim: Victim) -> Measured | Undefined:
    """ROUGE-L's recall of the best draw, the mean over questions."""
    items = victim.sets.get("forget", ())
    if not items:
        return Undefined("the set 'forget' has no items")
    sampling = Sampling(count=_DRAWS, temperature=_TEMPERATURE, seed=victim.seed)
    drawn = victim.draw(victim.load(), items, sampling)
    values = [
        max(compared(text, item.answer).recall for text in texts) for item, texts in zip(items, drawn, strict=True)
    ]
    return mean(values, f"the best of {_DRAWS} draws at temperature {_TEMPERATURE}")


SAMPLING = Active("asked many times", "", Access.QUESTIONS, best)
