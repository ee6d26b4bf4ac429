"""Routes under /admin/v1/audit: the audit log read, and checked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from guard.audit_check import Checkpoint, Report, events, verify
from guard.store import Store
from server.admin.faults import off_loop
from server.documented import ALWAYS, documented
from server.errors import ApiError


class EventOut(BaseModel):
    """An event. ``hash`` is SHA-256 of ``before``, the hash of the event before it, and of the rest."""

    seq: int
    at: datetime
    actor: str
    role: str
    action: str
    target: str
    detail: dict[str, Any]
    before: str
    hash: str


class EventsOut(BaseModel):
    """Events in order; ``next`` is to be asked for as ``after`` where there are more."""

    events: list[EventOut]
    next: int | None


class FaultOut(BaseModel):
    """What is wrong, and at which event."""

    seq: int
    message: str


class ReportOut(BaseModel):
    """Whether the log holds. ``checkpoint`` is its end, to be kept elsewhere and given to a later check."""

    holds: bool
    events: int
    checkpoint: str
    faults: list[FaultOut]


def audit_router(store: Store) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/admin/v1", tags=["audit"], responses=documented(*ALWAYS))

    @router.get("/audit")
    async def log(
        after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000
    ) -> EventsOut:
        """Events, the oldest first."""

        def page() -> list[dict[str, Any]]:
            with store.reading() as session:
                return [event.told() for event in events(session, after=after, limit=limit + 1)]

        found = await off_loop(page)
        more = found[limit - 1]["seq"] if len(found) > limit else None
        return EventsOut(events=[EventOut(**event) for event in found[:limit]], next=more)

    @router.get("/audit/verify")
    async def check(
        checkpoint: Annotated[str | None, Query(max_length=100, description="SEQ:HASH of an earlier check")] = None,
    ) -> ReportOut:
        """Whether no event was changed, removed or moved, and since the checkpoint none cut off."""
        try:
            known = None if checkpoint is None else Checkpoint.read(checkpoint)
        except ValueError as error:
            raise ApiError(400, f"{error}.".capitalize(), code="invalid_checkpoint", param="checkpoint") from error

        def look() -> Report:
            with store.reading() as session:
                return verify(session, known)

        report = await off_loop(look)
        faults = [FaultOut(seq=fault.seq, message=fault.message) for fault in report.faults]
        return ReportOut(holds=report.holds, events=report.events, checkpoint=str(report.end), faults=faults)

    return router
