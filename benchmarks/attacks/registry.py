"""Attacks by name. Adding one: write its file and put a line here; a mere rewording needs its decorator alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import cast

from benchmarks.attacks.attack import Asked, Attack
from benchmarks.attacks.framing import FRAMINGS, Framing
from benchmarks.attacks.jailbreaks import JAILBREAKS, PAPERS
from benchmarks.attacks.obfuscation import OBFUSCATIONS
from benchmarks.data.corpus import Corpus, Item
from benchmarks.named import named

_WORDINGS: dict[str, Framing] = {**FRAMINGS, **OBFUSCATIONS, **JAILBREAKS}

_OTHERS: dict[str, str] = {
    "int8": "benchmarks.attacks.quantising:INT8",
    "int4": "benchmarks.attacks.quantising:INT4",
    "relearn": "benchmarks.attacks.relearning:IN_DOMAIN",
    "fine_tune": "benchmarks.attacks.relearning:OUT_OF_DOMAIN",
    "few_shot": "benchmarks.attacks.context:FEW_SHOT",
    "continuation": "benchmarks.attacks.context:CONTINUATION",
    "un_unlearning": "benchmarks.attacks.context:UN_UNLEARNING",
    "un_unlearning_pieces": "benchmarks.attacks.un_unlearning:PIECES",
    "un_unlearning_definitions": "benchmarks.attacks.un_unlearning:DEFINITIONS",
    "in_spanish": "benchmarks.attacks.translation:SPANISH",
    "in_russian": "benchmarks.attacks.translation:RUSSIAN",
    "in_german": "benchmarks.attacks.translation:GERMAN",
    "in_french": "benchmarks.attacks.translation:FRENCH",
    "in_chinese": "benchmarks.attacks.translation:CHINESE",
    "sampling": "benchmarks.attacks.sampling:SAMPLING",
    "sampling_mean": "benchmarks.attacks.sampling:MEAN",
    "adaptive": "benchmarks.attacks.adaptive:HIDDEN",
    "adaptive_visible": "benchmarks.attacks.adaptive:VISIBLE",
    "mirage_paraphrase": "benchmarks.attacks.mirage:PARAPHRASE",
    "mirage_alias": "benchmarks.attacks.mirage:ALIAS",
    "mirage_multi_hop": "benchmarks.attacks.mirage:MULTI_HOP",
    "psg": "benchmarks.attacks.surrogate:PSG",
}

ATTACKS: tuple[str, ...] = (*_WORDINGS, *_OTHERS)
"""Every name, in the order of a report."""


@cache
def attack(name: str) -> Attack:
    """The attack called ``name``.

    Raises:
        ValueError: there is none.
    """
    if name in _WORDINGS:
        return Asked(name.replace("_", " "), PAPERS.get(name, ""), partial(_worded, wording=_WORDINGS[name]))
    return cast(Attack, named(dict.fromkeys(_WORDINGS, "") | _OTHERS, name, "attack"))


def about(name: str) -> str:
    """What it does, in a sentence."""
    if name in _WORDINGS:
        return (_WORDINGS[name].__doc__ or "").strip()
    return f"{attack(name).title} ({attack(name).access})"


def _worded(forget: Sequence[Item], corpus: Corpus, rng: random.Random, *, wording: Framing) -> list[Item]:
    return [replace(item, question=wording(item.question, rng)) for item in forget]
