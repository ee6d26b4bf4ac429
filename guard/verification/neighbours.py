"""Questions that a guard should leave alone, the nearer to the list the better."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from classifiers.normalise import fold_words
from guard.model import Entry
from guard.unknown import made_up, name_words
from guard.verification.asking import names

NeighbourKind = Literal["given", "allowed", "another name", "general"]

_GENERAL = (
    "What is the largest planet of the solar system?",
    "How many legs does a spider have?",
    "What is the capital of Italy?",
    "Who painted the Mona Lisa?",
    "What is the chemical symbol for gold?",
    "Which ocean lies between Europe and America?",
    "How do I boil an egg?",
    "What is 17 times 3?",
    "Translate 'good morning' into Spanish.",
    "Why is the sky blue?",
    "Write a sentence about autumn.",
    "What is the difference between a list and a tuple in Python?",
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One question, and how it came to be one."""

    kind: NeighbourKind
    text: str


@dataclass(frozen=True, slots=True)
class Unknowable:
    """An entry's question about a name that does not exist: whoever tells the entry to it has guessed."""

    entry: Entry
    text: str


def unknowable(chosen: Sequence[Entry], entries: Sequence[Entry], seed: int) -> list[Unknowable]:
    """The questions of ``chosen`` about made-up names; those that name nobody are left out."""
    avoid = name_words(entries)
    found = ((e, made_up(e, seed, avoid)) for e in chosen)
    return [Unknowable(e, m.question) for e, m in found if m is not None]


def neighbours(
    entries: Sequence[Entry], others: Sequence[Unknowable], given: Sequence[str], most: int, seed: int
) -> list[Neighbour]:
    """At most ``most``: the operator's first, then what the list allows, then the same about other names, then others.

    General questions that name a subject of the list are left out.
    """
    own = {" ".join(fold_words(name).split()) for e in entries if e.kind == "forget" for name in names(e)} - {""}
    rng = random.Random(f"{seed}\0neighbours")  # noqa: S311 - a sample, not a secret
    groups: list[list[Neighbour]] = [
        [Neighbour("given", text) for text in given],
        [Neighbour("allowed", e.question) for e in entries if e.kind == "allow" and e.question],
        [Neighbour("another name", u.text) for u in others],
        [Neighbour("general", text) for text in _GENERAL if not _names(text, own)],
    ]
    found: list[Neighbour] = []
    for group in groups:
        room = most - len(found)
        found += group if len(group) <= room else [group[i] for i in sorted(rng.sample(range(len(group)), room))]
    return list({n.text: n for n in reversed(found)}.values())[::-1]


def _names(text: str, own: set[str]) -> bool:
    folded = f" {' '.join(fold_words(text).split())} "
    return any(f" {name} " in folded for name in own)
