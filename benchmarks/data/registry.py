"""Data sets by name. Adding one: a function in a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

from benchmarks.data.corpus import Corpus
from benchmarks.named import named


@dataclass(frozen=True, slots=True)
class Selection:
    """How much of a data set.

    Attributes:
        forget: subjects to forget (people, authors, targets); passages or questions where a data set has no subjects.
        retain: as many to keep.
        held: as many that no model is taught.
        part: of the data set ("forget10", "news", "bio", ...); "" for its default.
        seed: of what is made up or drawn.
    """

    forget: int = 2
    retain: int = 4
    held: int = 2
    part: str = ""
    seed: int = 0


Load = Callable[[str | None, Selection], Corpus]

DATASETS: dict[str, str] = {
    "people": "benchmarks.data.people_corpus:load",
    "pch": "benchmarks.data.pch:load",
    "tofu": "benchmarks.data.tofu_corpus:load",
    "muse": "benchmarks.data.muse:load",
    "wmdp": "benchmarks.data.wmdp:load",
    "rwku": "benchmarks.data.rwku:load",
    "harm": "benchmarks.data.harm:load",
}
"""Name -> "module:attribute"; loaded on first use."""


@cache
def loader(name: str) -> Load:
    """The function that loads the data set called ``name``.

    Raises:
        ValueError: there is none.
    """
    return cast(Load, named(DATASETS, name, "data set"))


def corpus(name: str, source: str | None, selection: Selection) -> Corpus:
    """The data set called ``name`` as a corpus.

    Args:
        name: in ``DATASETS``.
        source: a folder of its files or its name on the hub; None for its usual name there.
        selection: how much of it.

    Raises:
        ValueError: there is no such data set, or it has less than is asked for.
        FileNotFoundError: a file of it is not there.
    """
    if selection.forget < 1 or selection.retain < 1 or selection.held < 0:
        raise ValueError("at least one subject is to be forgotten and one to be kept")
    return loader(name)(source, selection)
