"""Routes under /admin/v1 for verifications, their records and their schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel
from starlette.responses import Response

from guard.verification.kept import Schedule, State, Verification
from guard.verification.page import page
from guard.verification.signing import ALGORITHM, key_id
from server.access.principal import by, principal_of
from server.admin.faults import answered, off_loop
from server.documented import ALWAYS, ErrorOut, also, documented
from server.errors import ApiError
from server.list_name import ListName
from server.verifying.options import ScheduleIn, VerifyIn, VerifyOptions
from server.verifying.service import Verifying

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
# A record is a page of its own: it runs nothing and loads nothing, whatever an entry's id may be.
_SEALED_OFF = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
_ENDED = also(409, ErrorOut, "It has ended.")


class VerificationOut(BaseModel):
    """A verification. ``holds``: null while it runs, and where there was too little to tell."""

    id: str
    list: str
    entry: str | None
    state: State
    holds: bool | None
    revision: int
    model: str
    by: str
    started_at: datetime
    ended_at: datetime | None
    progress: dict[str, Any]
    verdict: dict[str, Any] | None = None


class VerificationsOut(BaseModel):
    """The latest first; ``next`` is to be asked for as ``before`` where there are more."""

    verifications: list[VerificationOut]
    next: datetime | None


class ScheduleOut(BaseModel):
    """When a list is verified again, and how."""

    list: str
    every_seconds: int
    on_change: bool
    options: VerifyOptions
    next_at: datetime


class KeyOut(BaseModel):
    """The public key of this proxy's records, in base64."""

    algorithm: str
    key: str
    public_key: str


def verifying_router(verifying: Verifying) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/admin/v1", tags=["verifications"], responses=documented(*ALWAYS))
    _add_runs(router, verifying)
    _add_records(router, verifying)
    _add_schedules(router, verifying)
    return router


def _add_runs(router: APIRouter, verifying: Verifying) -> None:
    @router.post("/lists/{name}/verify", status_code=202, responses=documented(404, 502, 504))
    async def verify(name: ListName, given: VerifyIn, request: Request) -> VerificationOut:
        """Begin to verify a list or one entry: its probes are asked through the proxy and bare."""
        return _shown(await answered(verifying.start(name, given, by(request))))

    @router.get("/verifications")
    async def every(
        request: Request,
        list: Annotated[ListName | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[AwareDatetime | None, Query()] = None,
    ) -> VerificationsOut:
        """Verifications, the latest first."""
        moment = None if before is None else _in_range(before)
        found = await off_loop(partial(verifying.kept.page, list_name=list, limit=limit, before=moment))
        own = [v for v in found if principal_of(request).manages(v.list_name)]
        return VerificationsOut(
            verifications=[_shown(v) for v in own], next=found[-1].started_at if len(found) == limit else None
        )

    @router.get("/verifications/key")
    async def key() -> KeyOut:
        """The key that signs records here: give it to whoever is to check them."""
        public = verifying.signer.public
        return KeyOut(algorithm=ALGORITHM, key=key_id(public), public_key=public)

    @router.get("/verifications/{verification_id}", responses=documented(404))
    async def one(verification_id: Id, request: Request) -> VerificationOut:
        """How far a verification is, or how it ended."""
        return _shown(await _found(verifying, verification_id, request))

    @router.delete("/verifications/{verification_id}", responses=documented(404) | _ENDED)
    async def cancel(verification_id: Id, request: Request) -> VerificationOut:
        """End a verification that waits or runs."""
        await _found(verifying, verification_id, request)
        await answered(verifying.cancel(verification_id, by(request)))
        return _shown(await _found(verifying, verification_id, request))


def _add_records(router: APIRouter, verifying: Verifying) -> None:
    @router.get(
        "/verifications/{verification_id}/record",
        response_class=Response,
        responses=documented(404)
        | {200: {"description": "The signed record.", "content": {"application/json": {}, "text/html": {}}}},
    )
    async def record(
        verification_id: Id,
        request: Request,
        format: Annotated[Literal["json", "html"] | None, Query(description="default by Accept")] = None,
    ) -> Response:
        """The signed deletion record, as JSON or as a page to read and print."""
        found = await _found(verifying, verification_id, request)
        if found.document is None:
            raise ApiError(404, f"There is no record: the verification is {found.state}.", code="no_record")
        as_page = format == "html" or (format is None and "text/html" in request.headers.get("accept", ""))
        name = f'attachment; filename="deletion-record-{verification_id}.{"html" if as_page else "json"}"'
        headers = _SEALED_OFF | {"Content-Disposition": name}
        if as_page:
            return Response(await off_loop(partial(page, found.document)), media_type="text/html", headers=headers)
        content = orjson.dumps(found.document, option=orjson.OPT_INDENT_2) + b"\n"
        return Response(content, media_type="application/json", headers=headers)


def _add_schedules(router: APIRouter, verifying: Verifying) -> None:
    @router.get("/lists/{name}/schedule", responses=documented(404))
    async def shown(name: ListName) -> ScheduleOut:
        """When a list is verified again."""
        return _schedule(await off_loop(partial(verifying.kept.schedule, name)))

    @router.put("/lists/{name}/schedule", responses=documented(404))
    async def put(name: ListName, given: ScheduleIn, request: Request) -> ScheduleOut:
        """Verify a list again and again, from now on."""
        new = Schedule(name, given.every_seconds, given.settings(), datetime.now(UTC))
        await off_loop(partial(verifying.kept.put_schedule, new, by(request)))
        return _schedule(new)

    @router.delete("/lists/{name}/schedule", status_code=204, responses=documented(404))
    async def remove(name: ListName, request: Request) -> Response:
        """Verify a list no more by itself."""
        await off_loop(partial(verifying.kept.remove_schedule, name, by(request)))
        return Response(status_code=204)


async def _found(verifying: Verifying, id: str, request: Request) -> Verification:
    """One of a list that the caller manages; another's is not there."""
    found = await off_loop(partial(verifying.kept.get, id))
    if not principal_of(request).manages(found.list_name):
        raise ApiError(404, f"There is no verification {id!r}.", code="not_found")
    return found


def _shown(found: Verification) -> VerificationOut:
    told = {k: v for k, v in found.progress.items() if k not in ("model_state", "at")}
    verdict = None if found.document is None else found.document["record"]["verdict"]
    return VerificationOut(
        id=found.id, list=found.list_name, entry=found.entry_id, state=found.state, holds=found.holds,
        revision=found.revision, model=found.model, by=found.by, started_at=found.started_at, ended_at=found.ended_at,
        progress=told, verdict=verdict,
    )  # fmt: skip


def _schedule(found: Schedule) -> ScheduleOut:
    return ScheduleOut(
        list=found.list_name, every_seconds=found.every_seconds, on_change=bool(found.settings.get("on_change")),
        options=VerifyOptions.model_validate(found.settings.get("options", {})), next_at=found.next_at,
    )  # fmt: skip


def _in_range(moment: datetime) -> datetime:
    """In UTC, where that is a date at all."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ApiError(400, "'before' is no moment.", code="invalid_request", param="before") from error
