"""/admin/v1/revisions and /admin/v1/rollback: what changed, and the way back."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from guard.store import Conflict, Difference, RevisionInfo, Store
from server.admin.changing import Changing, Edit, Outcome
from server.admin.etags import etag, expected
from server.admin.faults import off_loop
from server.admin.how import How, how
from server.admin.scope import needs_all, needs_list, scope
from server.admin.shown import ChangedOut, DifferenceOut, DryRunOut, difference
from server.documented import documented
from server.list_name import ListName

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class InForceOut(BaseModel):
    """The revision in force. ``stale``: a stored change could not be brought into force."""

    revision: int
    stale: bool


class RevisionOut(BaseModel):
    """Who changed what, when and why. ``list`` is null where it was about more than one."""

    revision: int
    at: str
    actor: str
    action: str
    list_name: str | None = Field(serialization_alias="list")
    reason: str
    counts: dict[str, int] = Field(description="entries added, updated, removed")


class RevisionsOut(BaseModel):
    """Revisions, the newest first; ``next`` is for ``before``, null at the end."""

    revisions: list[RevisionOut]
    next: int | None


class RevisionDiff(RevisionOut):
    """A revision and what it changed, from ``offset`` on; ``next`` is for the next ``offset``."""

    changes: list[DifferenceOut]
    next: int | None


class RollBackIn(BaseModel):
    """To which revision; of one list, or of all that there is."""

    model_config = ConfigDict(extra="forbid")

    to: int = Field(ge=0, le=2**31 - 1)
    list_name: ListName | None = Field(None, alias="list")


class RolledBack(ChangedOut):
    """How many settings and entries are as they were."""

    to: int
    changed: int


def add_revisions(router: APIRouter, changing: Changing) -> None:
    """The routes."""
    store, manager = changing.manager.store, changing.manager

    @router.get("/revision", response_model=InForceOut)
    async def revision() -> Response:
        """The revision in force in this worker."""
        now = manager.current.revision
        return JSONResponse({"revision": now, "stale": manager.stale}, headers={"ETag": etag(now)})

    @router.get("/revisions", response_model=RevisionsOut)
    async def revisions(
        request: Request,
        list_name: Annotated[ListName | None, Query(alias="list", description="those that changed this list")] = None,
        before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """What was changed, the newest first."""
        needs_list(request, list_name) if list_name else needs_all(request)
        find = partial(store.revisions, list_name=list_name, before=before, limit=limit)
        found = await off_loop(find)
        more = found[-1].revision if len(found) == limit else None
        return JSONResponse({"revisions": [_told(info) for info in found], "next": more})

    @router.get("/revisions/{number}", response_model=RevisionDiff, responses=documented(404))
    async def one(
        request: Request,
        number: Number,
        offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> Response:
        """One revision, with every list and entry before and after it."""
        info = await off_loop(partial(store.revision_info, number))
        if info.list_name is not None:
            needs_list(request, info.list_name)
        found = await off_loop(partial(store.diff, number, offset=offset, limit=limit))
        mine = scope(request)
        shown = [difference(d) for d in found if mine(d.list_name)]
        more = offset + limit if len(found) == limit else None
        return JSONResponse(_told(info) | {"changes": shown, "next": more})

    @router.post("/rollback", response_model=RolledBack | DryRunOut, responses=documented(404, 409, 412))
    async def roll_back(request: Request, given: RollBackIn, asked: Annotated[How, Depends(how)]) -> Response:
        """Bring one list, or everything, back to what it was at a revision: a new revision, which has its own way back.

        ``If-Match`` is about the revision in the ETag of ``GET /revision``. Fitted strengths stay as they are.
        """
        needs_list(request, given.list_name) if given.list_name else needs_all(request)
        return await changing.carry_out(asked, _edit(given, asked))


def _edit(given: RollBackIn, asked: How) -> Edit:
    def plan(store: Store) -> list[Difference]:
        _expected(store, asked)
        return store.plan_roll_back(given.to, given.list_name)

    def apply(store: Store) -> Outcome:
        expect = _expected(store, asked)
        changed = len(store.plan_roll_back(given.to, given.list_name))
        done = store.roll_back(given.to, list_name=given.list_name, by=asked.by, expect=expect)
        return Outcome({"to": given.to, "changed": changed, "revision": done}, done, done)

    return Edit(plan, apply)


def _expected(store: Store, asked: How) -> int | None:
    if asked.create_only:
        raise Conflict("there are revisions already")
    return expected(asked.match, create_only=False, now=store.revision(), what="the store")


def _told(info: RevisionInfo) -> dict[str, Any]:
    return {
        "revision": info.revision,
        "at": info.at.isoformat(),
        "actor": info.actor,
        "action": info.action,
        "list": info.list_name,
        "reason": info.reason,
        "counts": dict(info.counts),
    }
