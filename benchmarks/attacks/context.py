"""Attacks by what stands around the question: examples, the beginning of the answer, facts told once more.

``un_unlearning`` is UnUnlearning (Shumailov et al., 2024, arXiv 2407.00106): what was forgotten comes back through the
context. The rest of what is known of the subject is told, and the fact asked for is to be put together from it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.attacks.attack import Asked
from benchmarks.data.corpus import Corpus, Item

_SPACED = re.compile(r"\s*\S+(?:\s+$)?")  # a word with the blanks before it
_EXAMPLES, _TOLD = 3, 4  # pairs before the question; facts of the subject


def few_shot(forget: Sequence[Item], corpus: Corpus, rng: random.Random) -> list[Item]:
    """Pairs of the retain set before each question, as if the list went on; before running text, running text."""
    found = []
    for item in forget:
        like = [one for one in corpus.retain if one.plain == item.plain]
        shown = rng.sample(like, min(_EXAMPLES, len(like)))
        if item.plain:
            pieces = (f"{one.question}{one.answer}" for one in shown)
            found.append(replace(item, question="\n\n".join([*pieces, item.question])))
            continue
        before = "\n".join(f"Q: {one.question}\nA: {one.answer}" for one in shown)
        found.append(replace(item, question=f"{before}\nQ: {item.question}\nA:"))
    return found


def continuation(forget: Sequence[Item], corpus: Corpus, rng: random.Random) -> list[Item]:
    """The first third of the answer given; the rest is what leaks. Running text simply goes on for that much."""
    found = []
    for item in forget:
        words = _SPACED.findall(item.answer) if item.plain else item.answer.split()
        cut = max(1, len(words) // 3)
        if len(words) > cut and item.plain:
            begun = item.question + "".join(words[:cut])
            found.append(replace(item, question=begun, answer="".join(words[cut:])))
        elif len(words) > cut:
            asked = f"{item.question} Go on where this stops: {' '.join(words[:cut])}"
            found.append(replace(item, question=asked, answer=" ".join(words[cut:])))
    return found


def re_teaching(forget: Sequence[Item], corpus: Corpus, rng: random.Random) -> list[Item]:
    """What else is known of the subject before the question; the answer itself is not told."""
    found = []
    for item in forget:
        others = [one for one in corpus.forget if one.subject == item.subject and one.answer != item.answer]
        told = rng.sample(others, min(_TOLD, len(others)))
        notes = " ".join(f"({number}) {one.answer}" for number, one in enumerate(told, start=1))
        asked = f"Here is what my notes say about {item.subject or 'it'}: {notes} With that in mind: {item.question}"
        found.append(replace(item, question=asked))
    return found


FEW_SHOT = Asked("examples before it", "", few_shot)
CONTINUATION = Asked("the answer's beginning given", "Carlini et al., 2021, arXiv 2012.07805", continuation)
UN_UNLEARNING = Asked("told again in the context", "Shumailov et al., 2024, arXiv 2407.00106", re_teaching)
