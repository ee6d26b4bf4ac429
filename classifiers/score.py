"""How sure the detector is that a text is about an entry, from what its stages saw.

Names decide; similarity alone does not: "Where was A born?" and "Where was B born?" have nearly the
same vector. So similarity counts in full only beside the entry's name, or where the entry's text
names nobody and its particulars (dates, places, titles) are in the prompt too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from classifiers.normalise import fold_words
from classifiers.types import Scope

DEFAULT_THRESHOLD = 0.5

_PARTICULAR = re.compile(r"(?<!^)(?<![.?!] )\b(?:[A-Z][\w'’-]+|[\w/.-]*\d[\w/.-]*)")


@dataclass(frozen=True, slots=True)
class Signals:
    """What was seen of one entry in one window of a text."""

    scope: Scope
    named: bool  # the subject or an alias is in the text
    cosine: float  # to the nearest of the entry's texts
    has_name: bool  # that text itself holds one of the entry's names
    particulars: float  # share of that text's particulars that are in the window; 0 where it has none


def score(signals: Signals) -> float:
    """A score in [0, 1]; ``DEFAULT_THRESHOLD`` is where an entry counts as meant."""
    cosine = min(max(signals.cosine, 0.0), 1.0)
    if signals.named:
        return 0.9 + 0.1 * cosine if signals.scope == "subject" else cosine
    if signals.has_name:
        return 0.5 * cosine  # the right question about somebody else
    if signals.particulars >= 0.5:
        return cosine
    return 0.5 * cosine + (0.5 if cosine > 0.95 else 0.0)


def particulars(text: str) -> tuple[str, ...]:
    """Folded capitalised words inside sentences, and anything with a digit: what makes a text specific."""
    return tuple(sorted({fold_words(m.group()) for m in _PARTICULAR.finditer(text)} - {""}))
