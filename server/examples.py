"""ICUL's examples, without those that some list is about."""

from __future__ import annotations

import anyio
from anyio.to_thread import run_sync

from classifiers.types import DetectorError
from guard.effects import GuardUnavailable
from guard.examples import GENERAL
from guard.in_force import Snapshot
from guard.model import Example


class Screened:
    """The general examples that no list of a snapshot flags; judged once for each snapshot."""

    def __init__(self, limiter: anyio.CapacityLimiter) -> None:
        self._limiter = limiter
        self._found: tuple[int, tuple[Example, ...]] | None = None

    async def __call__(self, snapshot: Snapshot) -> tuple[Example, ...]:
        """The examples.

        Raises:
            GuardUnavailable: they could not be judged.
        """
        if self._found is None or self._found[0] != snapshot.revision:
            try:
                kept = await run_sync(_unlisted, snapshot, limiter=self._limiter)
            except DetectorError as error:
                raise GuardUnavailable(f"the examples could not be judged: {error}") from error
            self._found = (snapshot.revision, kept)
        return self._found[1]


def _unlisted(snapshot: Snapshot) -> tuple[Example, ...]:
    found = snapshot.detector.inspect([f"{e.question} {e.answer}" for e in GENERAL])
    return tuple(e for e, verdicts in zip(GENERAL, found.verdicts, strict=True) if not verdicts)
