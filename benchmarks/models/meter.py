"""Tokens that a run computes, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Meter:
    """Counts what is computed. ``title`` stands before the bar; ``shown`` false: no bar."""

    title: str = ""
    shown: bool = True
    tokens: int = 0  # read by a model, whether it learns from them or not

    def read(self, tokens: int) -> None:
        """Count ``tokens``."""
        self.tokens += tokens

    def over(self, steps: Iterable[T], total: int, done: int = 0) -> Iterator[T]:
        """``steps`` with a bar and the time that is left."""
        import sys

        from tqdm import tqdm

        yield from tqdm(steps, total=total, initial=done, desc=self.title, file=sys.stderr, disable=not self.shown)
