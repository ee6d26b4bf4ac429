"""How often a run writes its state down: as often as that takes a small part of its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SHARE = 0.05  # of a run's time: with the state of 135M parameters, 1.6 GB, every epoch took half of it


class Pace:
    """The first writing is due at once, the next when what went by is long enough beside what the last one took."""

    def __init__(self, share: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._share, self._clock = SHARE if share is None else share, clock
        self._next = clock()

    def due(self) -> bool:
        """Whether it is time to write."""
        return self._clock() >= self._next

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While this lasts it is written."""
        began = self._clock()
        yield
        ended = self._clock()
        self._next = ended + (ended - began) * (1 / self._share - 1)
