"""What was read off a subject (a model, bare or guarded): the metrics are computed from it alone, without the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.data.corpus import Item


@dataclass(frozen=True, slots=True)
class Scored:
    """A given answer, as the subject predicts it token by token (teacher forcing), its end token included.

    Attributes:
        log_probs: log p of each token.
        greedy: whether each is the likeliest.
        mean: of log p over the vocabulary in each place, under p (min-k %++).
        spread: its standard deviation, under p.
    """

    log_probs: tuple[float, ...]
    greedy: tuple[bool, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One item. None where the subject has no such value: a guard that declines by itself predicts no answer.

    Attributes:
        item: what was asked.
        answer: ``item.answer``, predicted.
        reworded: ``item.reworded``, predicted.
        wrong: each of ``item.wrong``.
        options: each of ``item.options``.
        text: what it says to the question, greedily.
        paraphrased: what it says to the paraphrase.
        action: what a guard did about the question; "" from a bare model.
    """

    item: Item
    answer: Scored | None = None
    reworded: Scored | None = None
    wrong: tuple[Scored, ...] | None = None
    options: tuple[Scored, ...] | None = None
    text: str | None = None
    paraphrased: str | None = None
    action: str = ""


Readings = Mapping[str, tuple[Reading, ...]]
"""By the name of the set (``Corpus.sets``)."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Who is measured, and those it is measured against: the model before and the one that never learnt."""

    own: Readings
    target: Readings
    retained: Readings
