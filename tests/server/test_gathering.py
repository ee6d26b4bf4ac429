"""Several workers' metrics as one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from server.gathering import Gathering


class Worker:
    """One worker with a few metrics."""

    def __init__(self, folder: Path) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("letheward_requests", "Requests", ["path"], registry=self.registry)
        self.seconds = Histogram("letheward_phase_seconds", "Time", buckets=(1, 2), registry=self.registry)
        self.revision = Gauge("letheward_revision", "Revision", registry=self.registry)
        self.busy = Gauge("letheward_requests_in_flight", "Under way", registry=self.registry)
        self.stale = Gauge("letheward_lists_stale", "Stale", registry=self.registry)
        self.gathering = Gathering(folder)

    def keep(self) -> None:
        self.gathering.keep(self.registry)

    def shown(self) -> dict[str, float]:
        text = self.gathering.render(self.registry).decode()
        return {
            s.name + "".join(f" {k}={v}" for k, v in s.labels.items()): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
        }


Start = Callable[[], Worker]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return lambda: Worker(tmp_path)


def test_counts_are_added_up_and_gauges_are_put_together_by_their_meaning(start: Start) -> None:
    one, two = start(), start()
    for worker, many in ((one, 2), (two, 3)):
        worker.requests.labels("/a").inc(many)
        worker.seconds.observe(many - 1)
        worker.revision.set(many)
        worker.busy.set(many)
        worker.stale.set(many == 3)
    two.requests.labels("/b").inc()
    two.keep()
    shown = one.shown()
    assert shown["letheward_requests_total path=/a"] == 5
    assert shown["letheward_requests_total path=/b"] == 1
    assert shown["letheward_phase_seconds_bucket le=1.0"] == 1
    assert shown["letheward_phase_seconds_bucket le=2.0"] == 2
    assert shown["letheward_phase_seconds_count"] == 2
    assert shown["letheward_phase_seconds_sum"] == 3
    assert shown["letheward_revision"] == 2
    assert shown["letheward_requests_in_flight"] == 5
    assert shown["letheward_lists_stale"] == 1
    assert shown["letheward_processes"] == 2
    assert not any("_created" in name for name in shown)


def test_the_counts_of_workers_that_are_gone_stay_and_their_gauges_do_not(start: Start) -> None:
    one = start()
    for gone in range(1, 4):
        worker = start()
        worker.requests.labels("/a").inc()
        worker.busy.set(7)
        worker.keep()
        worker.gathering.close()
        for _ in range(2):  # as it is found, and once it was put to the others
            shown = one.shown()
            assert shown["letheward_requests_total path=/a"] == gone
            assert shown["letheward_requests_in_flight"] == 0
            assert shown["letheward_processes"] == 1
            one.keep()


def test_a_worker_that_never_kept_anything_counts_as_one(start: Start) -> None:
    one = start()
    start().gathering.close()
    other = start()
    assert one.shown()["letheward_processes"] == 2
    other.gathering.close()
    assert one.shown()["letheward_processes"] == 1


def test_sums_never_fall_while_workers_come_and_go(start: Start) -> None:
    one = start()
    stopped = threading.Event()
    seen: list[float] = []

    def look() -> None:
        while not stopped.is_set():
            seen.append(one.shown().get("letheward_requests_total path=/a", 0))

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(30):
        worker = start()
        worker.requests.labels("/a").inc()
        worker.keep()
        worker.gathering.close()
        one.keep()
    stopped.set()
    looking.join()
    assert seen == sorted(seen)
    assert one.shown()["letheward_requests_total path=/a"] == 30
