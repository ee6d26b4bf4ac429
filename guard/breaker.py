"""Leaving a server alone that does not answer, so that not every caller waits for it in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Breaker:
    """After a call that failed none is made for a while; then one, which ends this or doubles the while. One loop's.

    Calls that were under way when one failed may fail as well, and count no more.
    """

    def __init__(
        self, failure: type[Exception], clock: Callable[[], float], *, first: float = 5.0, longest: float = 60.0
    ) -> None:
        """``failure``: what says that there was no answer; ``first`` and ``longest`` while, in seconds."""
        self._failure = failure
        self._clock = clock
        self._first, self._longest = first, longest
        self._rest = 0.0  # seconds; 0 where calls are made
        self._until = 0.0
        self._trying = False

    @property
    def admits(self) -> bool:
        """Whether a call may be made now."""
        return not self._rest or (not self._trying and self._clock() >= self._until)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around a call that was admitted. Any other exception than ``failure`` is an answer, if no good one."""
        trial = self._trying = self._rest > 0
        try:
            yield
        except self._failure:
            if trial or not self._rest:
                self._rest = min(max(self._first, 2 * self._rest), self._longest)
                self._until = self._clock() + self._rest
            raise
        except Exception:
            self._rest = 0.0
            raise
        else:
            self._rest = 0.0
        finally:
            if trial:
                self._trying = False
