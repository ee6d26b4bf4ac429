"""FADE: how far two models are from each other, by how likely each finds what the other says (PAPERS.md, row 2).

    FADE = E_{y ~ u}[log p_u(y) - log p_r(y)] + E_{y ~ r}[log p_r(y) - log p_u(y)], per token

u is the row, r the retained model; answers to the forget questions are drawn at temperature 1 from the whole
vocabulary, since only so the expectations are unbiased. 0: the two cannot be told apart by what they say. Two answers
a question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item, answer_alone
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.metrics.scoring import read
from benchmarks.models.generating import Sampling
from benchmarks.probes.probe import Probe

_DRAWN = 2  # answers to a question


def fade(victim: Victim) -> Measured | Undefined:
    """The mean over questions, from both sides."""
    items = victim.sets.get("forget", ())
    if not items:
        return Undefined("the set 'forget' has no items")
    if victim.guard is not None and any(victim.guard.says(i.question, i.plain) is not None for i in items):
        return Undefined("the guard answers by itself, and predicts nothing")
    own, other = victim.load(), victim.retained()
    bare = replace(victim, guard=None)
    found = []
    for item in items:
        mine = _drawn(victim, own, item)
        theirs = _drawn(bare, other, item)
        if mine and theirs:
            there = [a - b for a, b in zip(_likely(victim, own, mine), _likely(bare, other, mine), strict=True)]
            back = [a - b for a, b in zip(_likely(bare, other, theirs), _likely(victim, own, theirs), strict=True)]
            found.append(math.fsum(there) / len(there) + math.fsum(back) / len(back))
    return mean(found, f"{_DRAWN} answers drawn from each") if found else Undefined("nothing was said")


def _drawn(victim: Victim, model: Any, item: Item) -> list[Item]:
    texts = victim.draw(model, [item], Sampling(count=_DRAWN, seed=victim.seed))[0]
    return [replace(answer_alone(item), answer=text) for text in texts if text]


def _likely(victim: Victim, model: Any, items: Sequence[Item]) -> list[float]:
    """Log p of each answer by its token."""
    found = read(
        model, victim.tokenizer, {"drawn": tuple(items)}, max_tokens=1, batch=victim.batch, meter=victim.meter,
        encode_as=None if victim.guard is None else victim.guard.encode_as, texts=False,
    )["drawn"]  # fmt: skip
    return [math.fsum(r.answer.log_probs) / len(r.answer.log_probs) for r in found if r.answer is not None]


FADE = Probe("FADE to the retained model, forget", "PAPERS.md, row 2", "low", "robustness", fade)
