"""What a metric takes from a set: of all its items, or nothing.

A guard that answers some questions by itself predicts nothing there. A mean over the others alone would make it look
better or worse than it is, so there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Undefined
from benchmarks.metrics.reading import Reading, Readings

T = TypeVar("T")


def any_item(_: Item) -> bool:
    """Every item counts."""
    return True


def either(readings: Readings, *names: str) -> str:
    """The first of these sets that was asked; the last name where none was."""
    return next((name for name in names if readings.get(name)), names[-1])


def whole(
    readings: Readings,
    of: str,
    take: Callable[[Reading], T | None],
    what: str,
    counts: Callable[[Item], bool] = any_item,
) -> tuple[T, ...] | Undefined:
    """What ``take`` finds in each reading of the set ``of`` whose item ``counts``.

    Args:
        readings: of a subject.
        of: the set's name.
        take: None where a reading lacks it.
        what: it is, in words.
        counts: which items the metric is about.
    """
    about = [reading for reading in readings.get(of, ()) if counts(reading.item)]
    if not about:
        return Undefined(f"the set {of!r} has no items for it")
    found = [value for reading in about if (value := take(reading)) is not None]
    if len(found) < len(about):
        return Undefined(f"{len(about) - len(found)} of {len(about)} items of the set {of!r} have no {what}")
    return tuple(found)
