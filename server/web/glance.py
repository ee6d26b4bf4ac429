"""GET /admin/v1/glance: the numbers that an operator wants to see first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial

from fastapi import APIRouter, Request
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from pydantic import BaseModel, Field

from guard.snapshot import SnapshotManager
from server.access.principal import principal_of
from server.admin.faults import off_loop
from server.metrics import Metrics

_QUANTILES = (0.5, 0.99)


class ListGlance(BaseModel):
    """A list at a glance. ``holds``: what its last verification found."""

    name: str
    policy: str
    enabled: bool
    entries: int
    flagged: int = Field(description="requests, since the start")
    holds: bool | None


class UpstreamGlance(BaseModel):
    """A model server."""

    url: str
    up: bool
    in_flight: int


class GlanceOut(BaseModel):
    """Numbers since the start, of all workers on this host."""

    revision: int
    stale: bool
    enforcing: bool
    processes: int
    requests: dict[str, int] = Field(description="by what was done with them")
    judged: int
    flagged: int
    answers_stopped: int
    failures: int = Field(description="requests that could not be judged")
    judge_p50_ms: float | None = Field(description="interpolated in the histogram's buckets")
    judge_p99_ms: float | None
    in_flight: int
    lists: list[ListGlance]
    upstreams: list[UpstreamGlance]


def add_glance(router: APIRouter, manager: SnapshotManager, metrics: Metrics) -> None:
    """The route."""

    @router.get("/glance")
    async def glance(request: Request) -> GlanceOut:
        """What is in force, what was done, how quickly, and whether the deletions hold."""
        numbers = Numbers(await off_loop(partial(_samples, metrics)))
        snapshot = manager.current
        mine = principal_of(request).manages
        counts: dict[str, int] = defaultdict(int)
        for name, _ in snapshot.entries:
            counts[name] += 1
        flagged = numbers.by("letheward_verdicts_total", "list")
        holds = numbers.by("letheward_verification_holds", "list")
        lists = [
            ListGlance(
                name=item.name, policy=item.policy, enabled=item.enabled, entries=counts[item.name],
                flagged=int(flagged.get(item.name, 0)),
                holds=bool(holds[item.name]) if item.name in holds else None,
            )
            for item in sorted(snapshot.lists.values(), key=lambda item: item.name) if mine(item.name)
        ]  # fmt: skip
        asked = {"path": "/v1/"}
        p50, p99 = (numbers.quantile("letheward_phase_seconds", {"phase": "judge"}, q) for q in _QUANTILES)
        busy = numbers.by("letheward_upstream_in_flight", "upstream")
        return GlanceOut(
            revision=snapshot.revision, stale=manager.stale, enforcing=bool(numbers.sum("letheward_enforcing")),
            processes=int(numbers.sum("letheward_processes")),
            requests={k: int(v) for k, v in sorted(numbers.by("letheward_requests_total", "action", asked).items())},
            judged=int(numbers.sum("letheward_prompts_total")), flagged=int(sum(flagged.values())),
            answers_stopped=int(numbers.sum("letheward_answer_hits_total")),
            failures=int(numbers.sum("letheward_detector_failures_total")),
            judge_p50_ms=p50, judge_p99_ms=p99, in_flight=int(numbers.sum("letheward_requests_in_flight")), lists=lists,
            upstreams=[UpstreamGlance(url=url, up=bool(up), in_flight=int(busy.get(url, 0)))
                       for url, up in sorted(numbers.by("letheward_upstream_up", "upstream").items())],
        )  # fmt: skip


def _samples(metrics: Metrics) -> list[Sample]:
    families = text_string_to_metric_families(metrics.render().decode())
    return [sample for family in families for sample in family.samples]


class Numbers:
    """Samples of the metrics."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._samples[sample.name].append(sample)

    def sum(self, name: str) -> float:
        """Over all labels."""
        return sum(sample.value for sample in self._samples[name])

    def by(self, name: str, label: str, beginning: dict[str, str] | None = None) -> dict[str, float]:
        """By one label; of those of which other labels have a ``beginning``."""
        found: dict[str, float] = defaultdict(float)
        for sample in self._samples[name]:
            if all(sample.labels.get(k, "").startswith(v) for k, v in (beginning or {}).items()):
                found[sample.labels[label]] += sample.value
        return dict(found)

    def quantile(self, name: str, labels: dict[str, str], q: float) -> float | None:
        """Of a histogram of seconds, in milliseconds; interpolated as Prometheus does; None where there is nothing."""
        buckets: dict[float, float] = defaultdict(float)
        for sample in self._samples[f"{name}_bucket"]:
            if all(sample.labels.get(k) == v for k, v in labels.items()):
                buckets[float(sample.labels["le"])] += sample.value
        total = buckets.get(float("inf"), 0.0)
        if not total:
            return None
        low, under = 0.0, 0.0
        for bound, count in sorted(buckets.items()):
            if count >= q * total:
                share = (q * total - under) / (count - under) if count > under else 1.0
                return round(1000 * (low if bound == float("inf") else low + share * (bound - low)), 3)
            low, under = bound, count
        return None
