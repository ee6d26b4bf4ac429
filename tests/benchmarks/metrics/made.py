"""Readings made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Reading, Readings, Scored, Subjects
from benchmarks.metrics.registry import metric


def scored(*p: float, right: Sequence[bool] | None = None, mean: float = 0.0, spread: float = 1.0) -> Scored:
    """An answer whose tokens have the probabilities ``p``."""
    greedy = tuple(right) if right is not None else (True,) * len(p)
    return Scored(tuple(map(math.log, p)), greedy, (mean,) * len(p), (spread,) * len(p))


def said(text: str | None, answer: str, question: str = "Who?", **of: str) -> Reading:
    """A text against the true answer."""
    return Reading(Item(question, answer, **of), text=text)


def subjects(own: Readings, target: Readings | None = None, retained: Readings | None = None) -> Subjects:
    """Nothing is known of the others, where they are not given."""
    return Subjects(own, target or {}, retained or {})


def figure(name: str, own: Readings, target: Readings | None = None, retained: Readings | None = None) -> Measured:
    """What a metric measures.

    Raises:
        TypeError: it is undefined.
    """
    found = metric(name).measure(subjects(own, target, retained))
    if isinstance(found, Undefined):
        raise TypeError(found.why)
    return found


def why_not(name: str, own: Readings, target: Readings | None = None, retained: Readings | None = None) -> str:
    """Why a metric says nothing.

    Raises:
        TypeError: it says something.
    """
    found = metric(name).measure(subjects(own, target, retained))
    if isinstance(found, Measured):
        raise TypeError(found)
    return found.why


def everything(size: int = 3, knowing: float = 0.8) -> Readings:
    """Readings of every set that any metric reads; the answers in ``forget`` have the probability ``knowing``."""

    def one(of: str, number: int, p: float, plain: bool = False) -> Reading:
        answer = f"In the town of Vorsk{number}."
        item = Item(
            f"Where was {of} {number} born?", answer, f"{of} {number}", f"In what place was {of} {number} born?",
            f"Vorsk{number} is the place.", ("In Paris.", "In Rome."), (answer, "In Paris.", "In Rome."), "rare", plain,
        )  # fmt: skip
        wrong = (scored(0.1, 0.2 + number / 50), scored(0.3, 0.1))
        true = scored(p, 0.5 + number / 20, 0.7, right=(number % 2 == 0, True, True))
        return Reading(item, true, scored(p, 0.4), wrong, (true, *wrong), f"{answer} Yes.", answer, "")

    names = ("forget", "retain", "held", "real_authors", "world_facts", "neighbours", "aliases", "multi_hop",
             "forget_level3", "knowledge", "knowledge_retain", "mmlu", "truthfulqa", "triviaqa")  # fmt: skip
    found = {name: tuple(one(name, n, knowing if name == "forget" else 0.3 + n / 10) for n in range(size))
             for name in names}  # fmt: skip
    return found | {"verbmem": tuple(one("verbmem", n, 0.5, plain=True) for n in range(size))}


def silent(readings: Readings) -> Readings:
    """The same items before a guard that predicts nothing and was asked nothing."""
    return {
        name: tuple(
            replace(r, answer=None, reworded=None, wrong=None, options=None, text=None, paraphrased=None) for r in found
        )
        for name, found in readings.items()
    }
