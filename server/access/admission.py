"""How much is taken on at a time: what is over it is told to come again, before its body is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from server.errors import ApiError

Why = Literal["open", "waiting"]

_COME_AGAIN = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one process. ``concurrent``: requests that are being answered; ``waiting``: of them, for the detector."""

    concurrent: int = 2048
    waiting: int = 512


class Admission:
    """Counts the clients' requests that are being answered. All on one event loop.

    ``waiting``: how many of them wait for the detector; ``turned_away`` is told why one was not taken on.
    """

    def __init__(self, capacity: Capacity, waiting: Callable[[], int], turned_away: Callable[[Why], object]) -> None:
        self.capacity = capacity
        self._waiting = waiting
        self._turned_away = turned_away
        self._open = 0

    @property
    def open(self) -> int:
        """How many requests are being answered."""
        return self._open

    def enter(self) -> None:
        """Take a request on, which ``leave`` ends.

        Raises:
            ApiError: 429, and nothing has begun.
        """
        if self._open >= self.capacity.concurrent:
            raise self._busy("open")
        self.queue()
        self._open += 1

    def leave(self) -> None:
        """A request was answered, or its client is gone."""
        self._open -= 1

    def queue(self) -> None:
        """Whether one more may wait for the detector: many can come in before the first of them does.

        Raises:
            ApiError: 429 where enough wait.
        """
        if self._waiting() >= self.capacity.waiting:
            raise self._busy("waiting")

    def _busy(self, why: Why) -> ApiError:
        self._turned_away(why)
        return ApiError(
            429, "The server is busy; try again shortly.", type="rate_limit_error", code="server_busy",
            headers=_COME_AGAIN,
        )  # fmt: skip
