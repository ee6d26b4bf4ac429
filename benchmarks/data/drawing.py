"""What loaders share: a part of a list, and running text as items."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from benchmarks.data.corpus import Item

T = TypeVar("T")

PASSAGE, BEGINNING = 256, 32  # words


def taken(what: str, found: Sequence[T], *counts: int) -> list[Sequence[T]]:
    """The first of ``found``, then those after them, and so on: as many as ``counts`` say.

    Raises:
        ValueError: there are not so many.
    """
    if sum(counts) > len(found):
        raise ValueError(f"{what}: there are {len(found)}, not {' + '.join(map(str, counts))}")
    ends = [sum(counts[: i + 1]) for i in range(len(counts))]
    return [found[end - count : end] for count, end in zip(counts, ends, strict=True)]


def shuffled(found: Sequence[T], seed: str) -> list[T]:
    """``found`` in an order that ``seed`` gives."""
    return random.Random(seed).sample(list(found), len(found))  # noqa: S311 - an order, not a secret


def passages(texts: Sequence[str], named: str) -> Iterator[Item]:
    """Texts cut into passages, each to be continued from its beginning; together they are the text again.

    A text's subject is its number. Passages of fewer than two words are left out: there is nothing to continue.
    """
    for number, text in enumerate(texts):
        words = re.findall(r"\s*\S+", text)
        for start in range(0, len(words), PASSAGE):
            own = words[start : start + PASSAGE]
            if len(own) > 1:
                cut = min(BEGINNING, len(own) // 2)
                yield Item("".join(own[:cut]), "".join(own[cut:]), f"{named} {number}", plain=True)


def choice(question: str, options: Sequence[str], right: int, subject: str) -> Item:
    """A question with its options, none of them named in the question."""
    wrong = tuple(o for i, o in enumerate(options) if i != right)
    return Item(question, options[right], subject, reworded=options[right], wrong=wrong, options=tuple(options))
