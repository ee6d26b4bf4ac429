"""How sure the detector is that a text is about an entry, from what its stages saw.

Names decide; similarity alone does not: "Where was A born?" and "Where was B born?" have nearly the
same vector. Similarity counts in full beside the entry's name; without it only where all details that
the prompt gives are true of the entry's subject ("the geology author born in Karachi in 1975").
"""

from __future__ import annotations

from dataclasses import dataclass

from classifiers.description import ENOUGH
from classifiers.types import Scope

DEFAULT_THRESHOLD = 0.5

_SAME_FACT = 0.54
_ANSWERED = 0.7
SURE_NAME = 0.9  # from this strength on the name itself is there, not a part of it


@dataclass(frozen=True, slots=True)
class Signals:
    """What was seen of one entry in one window of a text.

    Attributes:
        scope: what the entry asks for.
        name: strength of the best sighting of its name, 0 to 1 (``lexical.STRENGTH``).
        cosine: to the nearest of the entry's texts.
        described: points for details in the window that are true of the subject (``description.described``).
        free: the entry names nobody, so that only its meaning can tell.
        contradicted: the window gives details that the entry does not have.
        broken: word breaks of the text are lost, or it is in a language that the encoder does not read.
        bare: cosine to the nearest of the entry's texts when names are left out of both; None where the entry
            names its subject only, or the window does not name it.
        answered: the window gives what the entry's answer says.
        trained: the probability that a trained prompt classifier gives the window; None where none is asked.
    """

    scope: Scope
    name: float
    cosine: float
    described: float = 0.0
    free: bool = False
    contradicted: bool = False
    broken: bool = False
    bare: float | None = None
    trained: float | None = None
    answered: bool = False


def fact(cosine: float, bare: float | None) -> float:
    """How near a text is to one fact of a subject that it names.

    The name makes any two texts about its bearer alike ("Which prize did A win?" is 0.7 like "Where was A
    born?"), the more the longer it is; without it, rewordings fall to 0.4 and other facts to 0.2. The mean of
    both is bent so that ``_SAME_FACT`` becomes ``DEFAULT_THRESHOLD`` and 1 stays 1.
    """
    if bare is None:
        return cosine
    mean = 0.5 * (cosine + max(bare, 0.0))
    if mean < _SAME_FACT:
        return DEFAULT_THRESHOLD * mean / _SAME_FACT
    return 1 - (1 - DEFAULT_THRESHOLD) * (1 - mean) / (1 - _SAME_FACT)


def score(signals: Signals) -> float:
    """A score in [0, 1]; ``DEFAULT_THRESHOLD`` is where an entry counts as meant."""
    cosine = min(max(signals.cosine, 0.0), 1.0)
    if signals.name >= SURE_NAME:
        if signals.scope == "subject":
            return 0.9 * signals.name + 0.1 * cosine
        if signals.broken:
            return max(cosine, 0.6)
        near = fact(cosine, signals.bare)
        return (max(near, _ANSWERED) if signals.answered else near) * signals.name
    if signals.described >= ENOUGH and not signals.free:
        return min(1.0, cosine + 0.1)
    if signals.free:
        if signals.contradicted:
            return 0.5 * cosine
        return cosine * (0.8 if signals.described >= ENOUGH else cosine)
    if signals.name:
        return (0.8 if signals.scope == "subject" else 0.7) * cosine
    return 0.5 * cosine
