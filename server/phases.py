"""The phases of a request, each timed for the metrics and, where traces are on, a span."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from server.tracing import NO_TRACING, Span, Tracing

Phase = Literal["read", "judge", "guard", "upstream", "watch"]


def _unseen(phase: Phase, seconds: float) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Phases:
    """Tells how long each phase took. ``took``: takes a phase and its seconds."""

    took: Callable[[Phase, float], None] = _unseen
    tracing: Tracing = NO_TRACING

    @contextmanager
    def __call__(self, phase: Phase) -> Iterator[Span]:
        """Time a block, also one that fails."""
        began = time.perf_counter()
        try:
            with self.tracing.span(f"letheward.{phase}") as span:
                yield span
        finally:
            self.took(phase, time.perf_counter() - began)
