"""GET /admin/v1/workers: the processes that serve from this store, and what each has in force; metrics of the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter, Depends
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel, Field

from guard.presence import Seen
from guard.snapshot import SnapshotManager
from server.access.principal import principal_of
from server.admin.faults import off_loop
from server.documented import ALWAYS, documented
from server.workers import Workers


class WorkerOut(BaseModel):
    """One worker."""

    id: str
    host: str
    pid: int
    started_at: datetime
    silent_seconds: float = Field(description="since it last told that it lives; it does every 2 s")
    revision: int = Field(description="that it has in force")


class WorkersOut(BaseModel):
    """All workers. ``answered_by``: the one that this answer is from."""

    workers: list[WorkerOut]
    answered_by: str
    revision: int = Field(description="in force in the one that answers")
    snapshot_age_seconds: float = Field(description="since the one that answers last read the store")


def worker_router(manager: SnapshotManager, workers: Workers) -> APIRouter:
    """The route."""
    router = APIRouter(
        prefix="/admin/v1", tags=["admin"], dependencies=[Depends(principal_of)], responses=documented(*ALWAYS)
    )

    @router.get("/workers")
    async def shown() -> WorkersOut:
        """The processes that serve from this store."""
        return WorkersOut(
            workers=[_out(each) for each in await off_loop(workers.seen)],
            answered_by=workers.me,
            revision=manager.current.revision,
            snapshot_age_seconds=round(manager.age, 3),
        )

    return router


class WorkerCollector(Collector):
    """What Prometheus reads of them."""

    def __init__(self, manager: SnapshotManager, workers: Workers) -> None:
        self._manager, self._workers = manager, workers

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        revisions = self._workers.revisions()
        yield GaugeMetricFamily(
            "letheward_store_age_seconds", "Since the store was last read: so old the lists may be",
            value=self._manager.age,
        )  # fmt: skip
        yield GaugeMetricFamily("letheward_workers", "Workers that serve from the store", value=len(revisions))
        behind = max(revisions, default=0) - min(revisions, default=0)
        yield GaugeMetricFamily(
            "letheward_workers_behind_revisions", "Revisions from the last worker to the first", value=behind
        )


def _out(seen: Seen) -> WorkerOut:
    worker = seen.worker
    return WorkerOut(
        id=worker.id, host=worker.host, pid=worker.pid, started_at=worker.started_at,
        silent_seconds=round(seen.silent, 3), revision=seen.revision,
    )  # fmt: skip
