"""Corrective unlearning by SSD, with part of the bad data known (Goel et al., 2024, arXiv 2402.14015).

SSD (``benchmarks.methods.ssd``) that may read but a share of the forget set: what was found to be bad. What is measured
is the whole forget set, which tells whether the rest goes with it. The share is drawn by the seed; at least one pair is
known. The paper tries shares from 0.1 to 1 and searches alpha and lambda; their defaults are SSD's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.data.corpus import Item
from benchmarks.methods import ssd
from benchmarks.methods.method import Basis, Card, Intent, Method, Unlearning


@dataclass(frozen=True, slots=True)
class Corrective(ssd.Ssd):
    """known: share of the forget set that the method may read."""

    known: float = 0.5


def found_bad(forget: Sequence[Item], known: float, seed: int) -> tuple[Item, ...]:
    """The share that is known, in the set's order.

    Raises:
        ValueError: the share is not over 0 and up to 1.
    """
    if not 0 < known <= 1:
        raise ValueError(f"known is a share over 0 and up to 1, not {known}")
    count = max(1, round(known * len(forget)))
    places = random.Random(seed).sample(range(len(forget)), min(count, len(forget)))  # noqa: S311 - a choice
    return tuple(forget[place] for place in sorted(places))


def run(work: Unlearning) -> Any:
    """The target model, in place."""
    known = found_bad(work.corpus.forget, work.options.known, work.seed)
    return ssd.run(replace(work, corpus=work.corpus.forgetting(known)))


METHOD = Method(
    Card("Corrective SSD", "Goel et al., 2024, arXiv 2402.14015", "weights", Intent.REMOVE,
         "weights that matter to the known part alone", Basis.PAPER, (29,)), Corrective, run,
)  # fmt: skip
