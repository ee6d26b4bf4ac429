"""What a run was, and all that was seen of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.soak.churn import Churned
from benchmarks.soak.driver import Seen
from benchmarks.soak.log import Logged
from benchmarks.soak.sampling import Sample


@dataclass(frozen=True, slots=True)
class Spec:
    """How a run is made."""

    minutes: float
    streams: int
    workers: int
    interval: float  # seconds between two words of a stream
    words: tuple[int, int]  # of a stream
    rate: float  # other questions a second
    churn: float  # seconds between changes of a list
    restarts: int  # of the model server
    seed: int

    @property
    def seconds(self) -> float:
        """Until the server is told to stop."""
        return 60 * self.minutes

    @property
    def ramp(self) -> float:
        """Seconds in which the streams begin."""
        return min(60.0, self.seconds / 5)


@dataclass(frozen=True, slots=True)
class Ended:
    """How the service stopped. ``open``: streams when it was told to; ``status``: its exit status, None: it did not."""

    open: int
    seconds: float
    status: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """One run. Times in seconds since its beginning, which ``began`` has since the epoch."""

    spec: Spec
    began: float
    stopped_at: float
    interrupted: bool
    samples: Sequence[Sample]
    seen: Seen
    churned: Churned
    restarts: Sequence[float]
    ended: Ended
    logged: Logged

    @property
    def steady(self) -> list[Sample]:
        """Samples after the warm-up: a third of the run, for caches and the allocator to fill."""
        since = max(2 * self.spec.ramp, self.stopped_at / 3)
        return [s for s in self.samples if since <= s.at <= self.stopped_at]
