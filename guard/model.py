"""Forget lists and their entries as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from classifiers.types import Scope

Policy = Literal["eco", "dragon", "refuse", "monitor"]
Fallback = Literal["refuse", "dragon"]

DEFAULT_GUIDELINE = (
    "Do not reveal or confirm anything about the topics on this list. Answer as someone who has never come across them."
)
DEFAULT_REFUSAL = "I'm sorry, but I don't have any information about that."


@dataclass(frozen=True, slots=True)
class ForgetList:
    """A named set of entries with one policy.

    ``sigma`` is ECO's corruption strength (standard deviation, in units of the embedding rows);
    ``threshold`` is the detector's score from which a text is flagged, None for the detector's default.
    ``fallback`` is what happens where the policy cannot be carried out. Where no ``threshold`` is given, one is
    calibrated to ``false_positive_rate`` (None: the default), which ``recall_floor`` goes before. ``scorer``
    is the detector's scorer for this list, None for the server's.
    """

    name: str
    policy: Policy = "eco"
    fallback: Fallback = "refuse"
    sigma: float = 20.0
    threshold: float | None = None
    enabled: bool = True
    guideline: str = DEFAULT_GUIDELINE
    refusal: str = DEFAULT_REFUSAL
    description: str = ""
    scorer: str | None = None
    false_positive_rate: float | None = None
    recall_floor: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to forget: who or what (``subject``, ``aliases``) and what about it.

    ``kind`` "allow": a question that its list lets pass although another entry names its subject.
    """

    entry_id: str
    list_name: str
    subject: str | None = None
    aliases: tuple[str, ...] = ()
    question: str | None = None
    answer: str | None = None
    text: str | None = None
    paraphrases: tuple[str, ...] = field(default=())
    scope: Scope = "fact"
    kind: Literal["forget", "allow"] = "forget"
