"""/admin/v1/lists: forget lists and their settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from guard.keeping import textless
from guard.model import ForgetList
from guard.selection import TokenSelectors
from guard.snapshot import SnapshotManager
from guard.store import Difference, NotFound, Store, StoredList
from server.admin.changing import Changing, Edit, Outcome
from server.admin.etags import etag, expected
from server.admin.faults import off_loop
from server.admin.how import How, how
from server.admin.scope import scope
from server.admin.shown import ChangedOut, DryRunOut, ListOut
from server.calibrating import DetectionOut, detection
from server.documented import documented
from server.list_name import NAME, ListName
from server.list_settings import ListSettings, check, shown

_FITTED = frozenset({"sigma", "corruption", "dims"})


class CountedList(ListOut):
    """A list with its number of entries. ``revision``: that last changed its settings, as in its ETag."""

    entries: int
    revision: int


class ListsOut(BaseModel):
    """Lists by name; ``next`` is for ``after``, and null at the end."""

    lists: list[CountedList]
    next: str | None
    revision: int = Field(description="in force in this worker")


class ShownList(CountedList):
    """A list, and how its texts are judged now."""

    detection: DetectionOut


class ChangedList(ListOut, ChangedOut):
    """A list's settings as they are now."""


class DeletedOut(ChangedOut):
    """What is gone."""

    deleted: str


def add_lists(router: APIRouter, changing: Changing, selectors: TokenSelectors | None) -> None:
    """The routes."""
    manager = changing.manager

    @router.get("/lists", response_model=ListsOut)
    async def lists(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        after: Annotated[str | None, Query(pattern=NAME)] = None,
    ) -> Response:
        """The lists that the key is for, by name, each with its number of entries."""
        mine = scope(request)
        every = await off_loop(partial(manager.store.stored_lists, after=after))
        found = [item for item in every if mine(item.forget_list.name)]
        more = found[limit - 1].forget_list.name if len(found) > limit else None
        told = [_counted(item) for item in found[:limit]]
        return JSONResponse({"lists": told, "next": more, "revision": manager.current.revision})

    @router.get("/lists/{name}", response_model=ShownList, responses=documented(404))
    async def show(name: ListName) -> Response:
        """One list's settings, and how its texts are judged now."""
        item = await off_loop(partial(manager.store.stored_list, name))
        told = _counted(item) | {"detection": detection(item.forget_list, manager.current)}
        return JSONResponse(told, headers={"ETag": etag(item.revision)})

    @router.put("/lists/{name}", response_model=ChangedList | DryRunOut, responses=documented(409, 412, 428))
    async def put(name: ListName, settings: ListSettings, asked: Annotated[How, Depends(how)]) -> Response:
        """Create a list or replace its settings."""
        item = ForgetList(name=name, **settings.settings())
        await off_loop(partial(_usable, item, manager, selectors))
        return await changing.carry_out(asked, _settings_edit(changing, name, asked, lambda _: item))

    @router.patch("/lists/{name}", response_model=ChangedList | DryRunOut, responses=documented(404, 409, 412, 428))
    async def patch(name: ListName, settings: ListSettings, asked: Annotated[How, Depends(how)]) -> Response:
        """Change some of a list's settings; null goes back to the default, where that is nothing.

        With another strength, the strengths that were fitted to models are forgotten: what the operator says now goes
        before them.
        """
        given = settings.changes()
        await off_loop(partial(manager.check_scorer, given.get("scorer")))

        def make(now: ForgetList | None) -> ForgetList:
            if now is None:
                raise NotFound(f"there is no list {name!r}")
            changed = replace(now, **given)
            check(changed, selectors)
            return changed

        edit = _settings_edit(changing, name, asked, make, merges=True, keep_fits=_FITTED.isdisjoint(given))
        return await changing.carry_out(asked, edit)

    @router.delete("/lists/{name}", response_model=DeletedOut | DryRunOut, responses=documented(404, 409, 412, 428))
    async def drop(name: ListName, asked: Annotated[How, Depends(how)]) -> Response:
        """Delete a list and its entries."""

        def conditions(store: Store) -> tuple[StoredList, int | None]:
            now = store.stored_list(name)
            return now, expected(asked.match, create_only=asked.create_only, now=now.revision, what=_what(name))

        def plan(store: Store) -> list[Difference]:
            now, _ = conditions(store)
            gone = [Difference(name, e.entry_id, e, None) for e in store.get_entries(name)]
            return [Difference(name, None, now.forget_list, None), *gone]

        def apply(store: Store) -> Outcome:
            _, expect = conditions(store)
            revision = store.delete_list(name, by=asked.by, expect=expect)
            return Outcome({"deleted": name, "revision": revision}, revision)

        return await changing.carry_out(asked, Edit(plan, apply, replaces=True))


def _settings_edit(
    changing: Changing, name: str, asked: How, make: Callable[[ForgetList | None], ForgetList], *,
    merges: bool = False, keep_fits: bool = True,
) -> Edit:  # fmt: skip
    """A change of a list's settings. ``make``: from what is there to what is to be; ``merges``: it depends on that."""

    def conditions(store: Store) -> tuple[ForgetList | None, int | None]:
        held = _held(store, name)
        now = None if held is None else held.revision
        expect = expected(asked.match, create_only=asked.create_only, now=now, what=_what(name))
        return (held.forget_list if held else None), now if merges else expect

    def plan(store: Store) -> list[Difference]:
        before, _ = conditions(store)
        after = make(before)
        return [] if before == after else [Difference(name, None, before, after)]

    def apply(store: Store) -> Outcome:
        before, expect = conditions(store)
        item = make(before)
        if item.keep == "vectors" and before is not None:
            bare = textless(changing.manager, name)
            if bare is not None:
                store.replace_entries(name, bare, by=asked.by)
        revision = store.put_list(item, by=asked.by, expect=expect, keep_fits=keep_fits)
        return Outcome(shown(item) | {"revision": revision}, revision, revision)

    return Edit(plan, apply, replaces=True)


def _usable(item: ForgetList, manager: SnapshotManager, selectors: TokenSelectors | None) -> None:
    check(item, selectors)
    manager.check_scorer(item.scorer)


def _held(store: Store, name: str) -> StoredList | None:
    try:
        return store.stored_list(name)
    except NotFound:
        return None


def _counted(item: StoredList) -> dict[str, Any]:
    return shown(item.forget_list) | {"entries": item.entries, "revision": item.revision}


def _what(name: str) -> str:
    return f"the list {name!r}"
