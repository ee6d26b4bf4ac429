"""/health and /ready: whether the process lives, and whether requests should be sent to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import structlog
from anyio.to_thread import run_sync
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from guard.snapshot import SnapshotManager
from server.upstream import Upstream
from server.workers import AWAY, Workers

log = structlog.get_logger("letheward.health")


class WorkerReady(BaseModel):
    """A worker that serves from the same store, this one first."""

    revision: int


class Ready(BaseModel):
    """Whether requests should come here, and why not."""

    status: Literal["ready", "not ready"]
    model: bool
    detector: bool
    lists: bool = Field(description="whether what is in force holds: every change that was acknowledged is in it")
    store: bool = Field(description="whether the store can be reached; requests go on without it")
    snapshot_age: float = Field(description="seconds since the store was last read")
    revision: int
    workers: list[WorkerReady]
    enforcing: bool


def health_router(
    upstream: Upstream, manager: SnapshotManager, *, enforcing: bool, workers: Workers | None = None
) -> APIRouter:
    """The routes. Both are for everybody, so they name no host."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @router.get("/ready", response_model=Ready, responses={503: {"model": Ready, "description": "It is not ready."}})
    async def ready() -> Response:
        """Whether the model and the detector are up, and the lists in force are those that hold.

        A store that is away makes nobody unready: requests go on with the lists in force, unless they are older than
        ``max_snapshot_age``.
        """
        parts = {
            "model": await upstream.healthy(),
            "detector": await run_sync(_works, lambda: manager.current.detector.explain("ready?")),
            "lists": not manager.stale,
        }
        up = all(parts.values())
        body = Ready(
            status="ready" if up else "not ready",
            **parts,
            store=await _store(manager, workers),
            snapshot_age=round(manager.age, 1),
            revision=manager.current.revision,
            workers=[WorkerReady(revision=n) for n in workers.revisions()] if workers else [],
            enforcing=enforcing,
        )
        return JSONResponse(body.model_dump(), status_code=200 if up else 503)

    return router


async def _store(manager: SnapshotManager, workers: Workers | None) -> bool:
    """Whether the store is there. Where it is followed nobody waits for it: it may not answer for long."""
    if workers is not None:
        return manager.age < AWAY
    return await run_sync(_works, manager.store.revision)


def _works(check: Callable[[], object]) -> bool:
    """Whether ``check`` runs through. Readiness has to report any fault, so any exception counts."""
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, the answer is "not ready", and it is logged
        log.error("not_ready", error=f"{type(error).__name__}: {error}")
        return False
    return True
