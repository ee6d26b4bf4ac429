"""The admin API under /admin/v1: forget lists and their entries, changed while the proxy runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, TypeVar

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse

from classifiers.types import DetectorError
from guard.importer import EntryIn, entries, read_entries, to_line
from guard.keeping import as_kept, keep_vectors_only
from guard.model import Entry, ForgetList
from guard.selection import TokenSelectors
from guard.snapshot import SnapshotManager
from guard.store import Invalid, NotFound, Store, StoreError
from server.auth import admin_key_needed, bearer, same
from server.calibrating import add_calibrate, detection
from server.checking import add_check
from server.eco_fitting import Fitting, add_eco
from server.errors import ApiError
from server.incoming import read_body
from server.judging import Judge
from server.list_name import ListName
from server.list_settings import ListSettings, check, shown
from server.replay import add_replay

T = TypeVar("T")
_FITTED = frozenset({"sigma", "corruption", "dims"})


class EntriesIn(BaseModel):
    """Entries to add; one of the same id is replaced."""

    model_config = ConfigDict(extra="forbid")

    entries: list[EntryIn] = Field(min_length=1, max_length=10_000)


def admin_router(
    manager: SnapshotManager,
    admin_key: str,
    *,
    max_body_bytes: int,
    judge: Judge | None = None,
    fitting: Fitting | None = None,
    selectors: TokenSelectors | None = None,
) -> APIRouter:
    """All routes of the admin API; each asks for the bearer key. ``judge``: the proxy's, for replays and fits."""

    def require_admin(request: Request) -> None:
        if not same(bearer(request), admin_key):
            raise admin_key_needed()

    router = APIRouter(prefix="/admin/v1", tags=["admin"], dependencies=[Depends(require_admin)])
    _add_lists(router, manager, selectors)
    _add_entries(router, manager, max_body_bytes)
    _add_revision(router, manager)
    add_check(router, manager)
    add_calibrate(router, manager)
    add_replay(router, manager, judge or Judge(), max_body_bytes)
    add_eco(router, fitting or Fitting(manager, judge or Judge()))
    return router


def _add_lists(router: APIRouter, manager: SnapshotManager, selectors: TokenSelectors | None) -> None:
    @router.get("/lists")
    async def lists() -> dict[str, Any]:
        """All lists with their number of entries."""
        found = await _off_loop(manager.store.list_lists)
        return {"lists": [_list(item, n) for item, n in found], "revision": manager.current.revision}

    @router.get("/lists/{name}")
    async def show(name: ListName) -> dict[str, Any]:
        """One list's settings, and how its texts are judged now."""
        item = await _off_loop(partial(manager.store.get_list, name))
        return _list(item) | {"detection": detection(item, manager.current)}

    @router.put("/lists/{name}")
    async def put(name: ListName, settings: ListSettings) -> dict[str, Any]:
        """Create a list or replace its settings."""
        item = ForgetList(name=name, **settings.settings())
        await _off_loop(partial(check, item, selectors))
        await _off_loop(partial(manager.check_scorer, item.scorer))
        if item.keep == "vectors":
            await _off_loop(partial(keep_vectors_only, manager, name))
        _, revision = await _off_loop(partial(manager.change, lambda store: store.put_list(item)))
        return _list(item) | {"revision": revision}

    @router.patch("/lists/{name}")
    async def patch(name: ListName, settings: ListSettings) -> dict[str, Any]:
        """Change some of a list's settings; null goes back to the default, where that is nothing."""
        given = settings.changes()
        await _off_loop(partial(manager.check_scorer, given.get("scorer")))
        if given.get("keep") == "vectors":
            await _off_loop(partial(keep_vectors_only, manager, name))

        def apply(store: Store) -> ForgetList:
            changed = replace(store.get_list(name), **given)
            check(changed, selectors)
            store.put_list(changed)
            if not _FITTED.isdisjoint(given):  # what the operator says now goes before what was fitted
                store.remove_fits(name)
            return changed

        item, revision = await _off_loop(partial(manager.change, apply))
        return _list(item) | {"revision": revision}

    @router.delete("/lists/{name}")
    async def drop(name: ListName) -> dict[str, Any]:
        """Delete a list and its entries."""
        _, revision = await _off_loop(partial(manager.change, lambda store: store.delete_list(name)))
        return {"deleted": name, "revision": revision}


def _add_entries(router: APIRouter, manager: SnapshotManager, max_body_bytes: int) -> None:
    @router.get("/lists/{name}/entries")
    async def entry_page(
        name: ListName,
        offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> dict[str, Any]:
        """Entries of a list, in the order in which they came."""
        found = await _off_loop(partial(manager.store.get_entries, name, offset=offset, limit=limit))
        return {"entries": [_entry(e) for e in found]}

    @router.post("/lists/{name}/entries", status_code=201)
    async def add(name: ListName, given: EntriesIn) -> dict[str, Any]:
        """Add entries."""
        made = await _off_loop(partial(entries, given.entries, name))
        return await _add(manager, name, made)

    @router.post("/lists/{name}/import", status_code=201)
    async def load(name: ListName, request: Request) -> dict[str, Any]:
        """Add entries from JSON lines; nothing is added when one line is wrong."""
        raw = await read_body(request, max_body_bytes)
        made, problems = await _off_loop(partial(read_entries, raw.splitlines(), name))
        if problems:
            shown = "; ".join(f"line {p.line}: {p.message}" for p in problems[:10])
            raise ApiError(400, f"{len(problems)} lines cannot be read: {shown}", code="invalid_lines")
        if not made:
            raise ApiError(400, "The body has no lines.", code="invalid_lines")
        return await _add(manager, name, made)

    @router.delete("/lists/{name}/entries/{entry_id}")
    async def remove(name: ListName, entry_id: str) -> dict[str, Any]:
        """Remove one entry."""
        _, revision = await _off_loop(partial(manager.change, lambda store: store.remove_entry(name, entry_id)))
        return {"deleted": entry_id, "revision": revision}

    @router.get("/lists/{name}/export")
    async def export(name: ListName) -> PlainTextResponse:
        """The entries as JSON lines that ``import`` takes."""
        found = await _off_loop(partial(manager.store.get_entries, name))
        return PlainTextResponse("".join(to_line(e) + "\n" for e in found), media_type="application/x-ndjson")


def _add_revision(router: APIRouter, manager: SnapshotManager) -> None:
    @router.get("/revision")
    async def revision() -> dict[str, Any]:
        """The revision in force."""
        return {"revision": manager.current.revision, "stale": manager.stale}


async def _add(manager: SnapshotManager, name: str, made: list[Entry]) -> dict[str, Any]:
    made = await _off_loop(partial(as_kept, manager, name, made))
    new, revision = await _off_loop(partial(manager.change, lambda store: store.add_entries(name, made)))
    return {"added": new, "updated": len(made) - new, "ids": [e.entry_id for e in made], "revision": revision}


async def _off_loop(work: Callable[[], T]) -> T:
    try:
        # Not abandoned when the client goes away: a change runs to its end.
        return await run_sync(work)
    except NotFound as error:
        raise ApiError(404, str(error).capitalize() + ".", code="not_found") from error
    except Invalid as error:
        raise ApiError(400, str(error), code="invalid_request") from error
    except (StoreError, DetectorError) as error:
        raise ApiError(503, f"{error}", type="server_error", code="store_failed") from error


def _list(item: ForgetList, count: int | None = None) -> dict[str, Any]:
    return shown(item) if count is None else shown(item) | {"entries": count}


def _entry(entry: Entry) -> dict[str, Any]:
    fields = ("subject", "aliases", "question", "answer", "text", "paraphrases", "scope", "kind", "action")
    return {"id": entry.entry_id} | {k: getattr(entry, k) for k in fields}
