"""Attacks as further sets: the forget set's questions, asked in another way."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.attacks.framing import FRAMINGS
from benchmarks.attacks.obfuscation import OBFUSCATIONS
from benchmarks.comparison.rows import ATTACKED, answer_alone
from benchmarks.data.corpus import Item

Attack = Callable[[str, random.Random], str]
ATTACKS: dict[str, Attack] = {**FRAMINGS, **OBFUSCATIONS}
"""Ways to ask by name; each is registered where it is written."""


def attacked(forget: Sequence[Item], names: Sequence[str], seed: int) -> dict[str, tuple[Item, ...]]:
    """The forget set under each attack, by the set's name.

    Raises:
        ValueError: there is no such attack.
    """
    for name in names:
        if name not in ATTACKS:
            raise ValueError(f"there is no attack {name!r}: choose from {', '.join(ATTACKS)}")
    return {f"{ATTACKED}{name}": tuple(_asked(forget, ATTACKS[name], f"{seed} {name}")) for name in names}


def _asked(forget: Sequence[Item], attack: Attack, seed: str) -> list[Item]:
    rng = random.Random(seed)  # noqa: S311 - an order, not a secret
    return [replace(answer_alone(item), question=attack(item.question, rng)) for item in forget]
