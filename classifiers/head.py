"""Examples from a list's own entries, to fit the trained head on: paraphrases, neighbours, other topics."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifiers.detector import Detector
from classifiers.score import Signals
from classifiers.scorers import Head
from classifiers.types import Target

MOST_ENTRIES = 24

_REWORDINGS = (
    "Could you tell me this: {q}",
    "{q} Answer in one sentence.",
    "I was wondering, {q}",
)
_OTHER_TOPICS = ("{n} would make a good title for a song.", "Sort these words: table, {n}, lamp.")
_STRANGERS = (
    "Marten Solvik", "Adaeze Oduya", "Priya Ranganath", "Tomasz Wilczek", "Leilani Kahale", "Bruno Castellar",
    "Ingrid Vassdal", "Yusuf Demirbas", "Chen Weilan", "Noor Haddadin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A text, the entry that it is held against, and whether it is about that entry."""

    text: str
    target: Target
    about: bool


def examples(targets: Sequence[Target], seed: int = 0) -> Iterator[Example]:
    """Positives and hard negatives for up to ``MOST_ENTRIES`` of ``targets``."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    usable = [t for t in targets if t.texts and t.names]
    for target in rng.sample(usable, min(MOST_ENTRIES, len(usable))):
        text, name = target.texts[0], target.names[0]
        yield Example(rng.choice(_REWORDINGS).format(q=text), target, about=True)
        stranger, swaps = re.subn(re.escape(name), rng.choice(_STRANGERS), text)
        if swaps:  # the same question, another name
            yield Example(stranger, target, about=False)
        if target.scope == "fact":  # the same name, another topic
            yield Example(rng.choice(_OTHER_TOPICS).format(n=name), target, about=False)


def fitted(detector: Detector, targets: Sequence[Target], seed: int = 0) -> Head:
    """A head for ``detector``; the rule's stand-in where its entries give no examples of both kinds."""
    found = list(examples(targets, seed))
    if len({e.about for e in found}) < 2:
        return Head()
    seen = detector.signals([e.text for e in found])
    signals = [
        own.get((e.target.list_name, e.target.entry_id), Signals(e.target.scope, 0.0, 0.0))
        for e, own in zip(found, seen, strict=True)
    ]
    return Head.fit(signals, [e.about for e in found])
