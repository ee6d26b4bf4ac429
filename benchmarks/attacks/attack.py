"""What an attack is: another way to ask, or something that is done to a row of the comparison."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Corpus, Item
from benchmarks.metrics.metric import Measured, Undefined


class Access(StrEnum):
    """What an attacker must have."""

    QUESTIONS = "questions"
    WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class Asked:
    """Another way to ask: guards are asked through the live proxy, answers checked.

    Attributes:
        title: in a report.
        paper: where it comes from; "" for what everyone tries.
        items: the forget set's items, the whole corpus and chance -> what is asked in their place, with what a leak is.
    """

    title: str
    paper: str
    items: Callable[[Sequence[Item], Corpus, random.Random], Sequence[Item]] = field(repr=False)
    access: Access = Access.QUESTIONS


@dataclass(frozen=True, slots=True)
class Active:
    """What takes the model itself, or answers to learn from.

    Attributes:
        title: in a report.
        paper: where it comes from.
        access: what the attacker must have.
        leak: a row -> how much of the true answers comes back, ROUGE-L's recall unless its note says otherwise.
    """

    title: str
    paper: str
    access: Access
    leak: Callable[[Victim], Measured | Undefined] = field(repr=False)


Attack = Asked | Active
