"""The values that pass between the detector and its callers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from classifiers.textless import Textless

Scope = Literal["subject", "fact"]
SCOPES: tuple[Scope, ...] = ("subject", "fact")


class DetectorError(RuntimeError):
    """The detector could not judge a text. Never the same as "the detector said no"."""


class TextTooLong(DetectorError):
    """A text is longer than the detector reads."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the detector knows of one forget-list entry.

    ``scope`` "subject": naming the subject is enough to be flagged. "fact": the subject's name and
    closeness in meaning to one of ``texts`` are both needed.
    """

    list_name: str
    entry_id: str
    names: tuple[str, ...]  # subject and aliases, as written
    texts: tuple[str, ...]  # questions, paraphrases, statements
    scope: Scope = "fact"
    allow: bool = False  # what the texts ask is allowed, although an entry of the list may name it
    facts: tuple[str, ...] = ()  # answers: what descriptions of the subject may draw on; not searched for
    textless: Textless | None = None  # stands in place of names, texts and facts where those are not kept

    @property
    def named(self) -> bool:
        """Whether it has a name."""
        return bool(self.textless.names if self.textless else self.names)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``[start, end)`` of the raw text that was judged."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a verdict: which stage saw which entry, in which view of the text."""

    stage: str  # "name (<kind>)" | "description" | "semantic"
    view: str  # "raw" or the name of the normalised view
    entry_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """A text is about an entry of a list. A text that is about none has no verdict."""

    list_name: str
    entry_id: str
    score: float
    threshold: float
    spans: tuple[Span, ...]  # what in the raw text belongs to the entry, sorted, not overlapping
    evidence: tuple[Evidence, ...]


class Encoder(Protocol):
    """Turns texts into unit vectors.

    An encoder that reads other languages than English has an attribute ``multilingual`` that is true.
    """

    name: str
    dim: int

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return ``(len(texts), dim)``, each row of length 1. Long texts are not cut silently."""
        ...
