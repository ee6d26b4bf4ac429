"""How much comes back: one measure for all attacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Readings, Subjects
from benchmarks.metrics.rouge import compared, recall
from benchmarks.models.generating import Sampling


def leak_of(victim: Victim, model: Any, forget: Sequence[Item] | None = None) -> Measured | Undefined:
    """How much of the true answers ``model`` says behind the row's guard, if it has one: ROUGE-L's recall.

    ``forget``: what is asked, else what was asked of the row. The note says what is left of the retain set, for a model
    that says nothing any more leaks nothing.
    """
    asked = tuple(victim.sets.get("forget", ()) if forget is None else forget)
    found = victim.read(model, {"forget": asked, "retain": tuple(victim.sets.get("retain", ()))})
    return noted(recalled(found, "forget"), recalled(found, "retain"))


def recalled(readings: Readings, of: str) -> Measured | Undefined:
    """ROUGE-L's recall over a set."""
    return recall(Subjects(readings, {}, {}), of)


def drawn_recalls(victim: Victim, sampling: Sampling, most: int | None = None) -> list[list[float]] | Undefined:
    """For each of the first ``most`` forget questions ROUGE-L's recall of every text that is drawn in answer to it.

    They are drawn once from a victim, however many figures look at them.
    """
    items = victim.sets.get("forget", ())[:most]
    if not items:
        return Undefined("the set 'forget' has no items")
    by = victim.load, id(victim.guard), len(items), sampling
    if by not in victim.drawn:
        texts = victim.draw(victim.load(), items, sampling)
        found = [[compared(text, item.answer).recall for text in of] for item, of in zip(items, texts, strict=True)]
        victim.drawn[by] = found
    return victim.drawn[by]


def noted(leak: Measured | Undefined, kept: Measured | Undefined) -> Measured | Undefined:
    """``leak`` with what is kept in its note."""
    if isinstance(leak, Undefined) or isinstance(kept, Undefined):
        return leak
    return replace(leak, note=f"ROUGE-L on the retain set then {kept.value:.3f}")
