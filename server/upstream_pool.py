"""Several model servers as one: which of them are up, what each serves, and which gets the next request."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import httpx
import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = structlog.get_logger("letheward.upstream_pool")

# Seconds that a server is left out after so many failures on end.
_BACK_OFF = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)

Outcome = Literal["answered", "error", "unavailable", "unreachable", "timeout", "broken"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is now. ``url`` without ``/v1``."""

    url: str
    key: str | None


Locate = Callable[[], Endpoint | None]


@dataclass(eq=False, slots=True)
class Member:
    """One model server. ``models``: what it serves; None before it was asked."""

    name: str  # of metrics and logs: no key or password of a URL is in it
    locate: Locate
    models: frozenset[str] | None = None
    in_flight: int = 0
    failures: int = 0  # on end
    out_until: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    retried: int = 0  # requests that another took over


class Pool:
    """Chooses among members. All on one event loop.

    A member that cannot be reached, or says 503, is left out for a while that doubles, up to 30 s; then it gets a
    request again, or a look at it brings it back before. Where all are out, all are tried: a wrong look at them must
    not be what stops the service.
    """

    def __init__(self, members: Sequence[Member], clock: Callable[[], float] = time.monotonic) -> None:
        self.members = tuple(members)
        self._clock = clock
        self._turn = 0

    @classmethod
    def over(cls, endpoints: Sequence[Endpoint]) -> Pool:
        """For servers that stay where they are."""
        return cls([Member(_name(e.url), lambda e=e: e) for e in endpoints])  # type: ignore[misc]

    @classmethod
    def of(cls, locate: Locate) -> Pool:
        """For one server that comes and goes."""
        return cls([Member("model", locate)])

    @property
    def several(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.members) > 1

    @property
    def by_model(self) -> bool:
        """Whether the members serve different models, so that a request's model matters."""
        return len({m.models for m in self.members}) > 1

    def choose(self, model: str | None, tried: Collection[Member] = ()) -> Member | None:
        """The least loaded member that is up and serves ``model``; None where ``tried`` were all that can."""
        there = [m for m in self.members if m not in tried and m.locate() is not None]
        if model is not None and any(m.models and model in m.models for m in self.members):
            there = [m for m in there if m.models is None or model in m.models]
        up = [m for m in there if self.up(m)]
        chosen = up or ([] if tried else there)
        if not chosen:
            return None
        self._turn += 1
        at = self._turn % len(chosen)
        return min([*chosen[at:], *chosen[:at]], key=lambda m: m.in_flight)

    def up(self, member: Member) -> bool:
        """Whether ``member`` gets requests."""
        return member.out_until <= self._clock()

    def answered(self, member: Member) -> None:
        """It is up."""
        if member.failures:
            log.info("upstream_back", upstream=member.name)
        member.failures, member.out_until = 0, 0.0

    def failed(self, member: Member) -> None:
        """It is not: leave it out for a while."""
        pause = _BACK_OFF[min(member.failures, len(_BACK_OFF) - 1)]
        member.failures += 1
        member.out_until = self._clock() + pause
        if self.several:
            log.warning("upstream_out", upstream=member.name, failures=member.failures, seconds=pause)


class PoolCollector(Collector):
    """A pool as Prometheus reads it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        up = GaugeMetricFamily("letheward_upstream_up", "1 where a model server gets requests", labels=["upstream"])
        busy = GaugeMetricFamily("letheward_upstream_in_flight", "Requests that it is answering", labels=["upstream"])
        ended = CounterMetricFamily(
            "letheward_upstream_requests", "Requests sent to it, by what came of them", labels=["upstream", "outcome"]
        )
        retried = CounterMetricFamily(
            "letheward_upstream_retries", "Requests that it did not take, and another did", labels=["upstream"]
        )
        for member in self._pool.members:
            up.add_metric([member.name], float(member.locate() is not None and self._pool.up(member)))
            busy.add_metric([member.name], member.in_flight)
            retried.add_metric([member.name], member.retried)
            for outcome, count in sorted(member.outcomes.items()):
                ended.add_metric([member.name, outcome], count)
        yield from (up, busy, ended, retried)


def _name(url: str) -> str:
    parsed = httpx.URL(url)
    return f"{parsed.host}:{parsed.port or (443 if parsed.scheme == 'https' else 80)}{parsed.path.rstrip('/')}"
