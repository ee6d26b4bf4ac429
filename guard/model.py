"""Forget lists and their entries as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from classifiers.types import Scope

Policy = Literal["eco", "dragon", "icul", "template", "refuse", "monitor"]
Fallback = Literal["refuse", "template", "dragon"]
Keep = Literal["text", "vectors"]

DEFAULT_GUIDELINE = (
    "Do not reveal or confirm anything about the topics on this list. Answer as someone who has never come across them."
)
DEFAULT_REFUSAL = "I'm sorry, but I don't have any information about that."


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its right answer that is to be kept: ICUL shows the model some of them."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class ForgetList:
    """A named set of entries with one policy.

    ``sigma`` is ECO's corruption strength (standard deviation, in units of the embedding rows);
    ``threshold`` is the detector's score from which a text is flagged, None for the detector's default.
    ``fallback`` is what happens where the policy cannot be carried out. Where no ``threshold`` is given, one is
    calibrated to ``false_positive_rate`` (None: the default), which ``recall_floor`` goes before. ``scorer``
    is the detector's scorer for this list, None for the server's.

    ``corruption`` and ``dims`` say how ECO corrupts (``guard.corruptions``), ``token_classifier`` which tokens beside
    the entries' own. ``template`` is the Jinja text of the guard, None for the default. ``models`` and ``tenants``
    are patterns of the models and names of the clients that the list is for; empty: all. ``keep`` "vectors": no text
    of an entry is stored. ``examples``: see ``Example``.
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
    corruption: str = "gaussian"
    dims: int | None = None
    token_classifier: str | None = None
    template: str | None = None
    models: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    keep: Keep = "text"
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class EcoFit:
    """A corruption strength that was found for a list on a model, and how it was found."""

    list_name: str
    model: str
    sigma: float
    corruption: str = "gaussian"
    dims: int | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an entry without its texts: vectors of them, and keyed hashes of names and answers' details.

    ``guard.vectors_only`` makes and reads them; the hashes are those of ``classifiers.textless``.
    """

    encoder: str
    dim: int
    vectors: tuple[str, ...]  # base64 of little-endian float16, ``dim`` values each
    salt: str
    names: tuple[str, ...]
    values: tuple[str, ...]
    longest: int  # words of the longest hashed name or detail
    bare: str = ""  # the vectors of the same texts without the names, one after the other
    words: str = ""  # of the words of the texts
    told: str = ""  # of the words that the answer adds
    told_weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to forget: who or what (``subject``, ``aliases``) and what about it.

    ``kind`` "allow": a question that its list lets pass although another entry names its subject. ``action`` goes
    before its list's policy. ``kept`` stands in place of the texts where the list keeps vectors only.

    ``sigma`` and ``template`` go before the list's. ``labels`` and ``source`` (a case number, a document) are the
    operator's own, and tell nothing to the detector. After ``expires_at`` (UTC) the entry is no longer in force.
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
    action: Policy | None = None
    kept: Kept | None = None
    sigma: float | None = None
    template: str | None = None
    labels: tuple[str, ...] = ()
    source: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a change, and why: kept with the revision and in the audit log."""

    actor: str = "system"
    role: str = "system"
    reason: str = ""


SYSTEM = By()
