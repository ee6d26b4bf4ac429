"""/admin/v1/lists/{name}/entries: what a list wants forgotten, or lets pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from guard.importer import EntryIn, entries, to_fields
from guard.keeping import as_kept
from guard.model import Entry, Policy
from guard.snapshot import SnapshotManager
from guard.store import Difference, Invalid, NotFound, Store, Stored
from server.admin import shown
from server.admin.changing import Changing, Edit, Outcome
from server.admin.etags import etag, expected
from server.admin.faults import off_loop
from server.admin.how import How, how
from server.admin.lists import DeletedOut
from server.admin.shown import ChangedOut, DryRunOut, StoredOut
from server.documented import also, documented
from server.errors import ApiError, problems
from server.list_name import ListName

EntryId = Annotated[str, Path(min_length=1, max_length=128)]
Asked = Annotated[How, Depends(how)]
_CONFLICTS = documented(404, 409, 412, 428)


class EntriesIn(BaseModel):
    """Entries to add; one of the same id is replaced."""

    model_config = ConfigDict(extra="forbid")

    entries: list[EntryIn] = Field(min_length=1, max_length=10_000)


class IdsIn(BaseModel):
    """Entries to remove."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(min_length=1, max_length=10_000)


class EntryPatch(BaseModel):
    """Fields of an entry to change, with the limits that a whole entry has; null, or an empty list, for none."""

    model_config = ConfigDict(extra="forbid")

    subject: str | None = None
    aliases: list[str] | None = None
    question: str | None = None
    answer: str | None = None
    text: str | None = None
    paraphrases: list[str] | None = None
    scope: Literal["subject", "fact"] = "fact"
    kind: Literal["forget", "allow"] = "forget"
    action: Policy | None = None
    sigma: float | None = None
    template: str | None = None
    labels: list[str] | None = None
    source: str | None = None
    expires_at: datetime | None = None


class EntriesOut(BaseModel):
    """Entries in the order in which they came; ``next`` is for ``after``, null at the end; ``total`` of all found."""

    entries: list[StoredOut]
    next: str | None
    total: int


class AddedOut(ChangedOut):
    """What became of entries that were given."""

    added: int
    updated: int
    ids: list[str]


class PutOut(StoredOut):
    """An entry as it is now."""

    in_force: shown.InForce | None = None


class RemovedOut(ChangedOut):
    """Which entries are gone, and which were not there."""

    deleted: list[str]
    missing: list[str]


def add_entries(router: APIRouter, changing: Changing) -> None:
    """The routes."""
    _add_pages(router, changing.manager)
    _add_batches(router, changing)
    _add_single(router, changing)


def _add_pages(router: APIRouter, manager: SnapshotManager) -> None:
    @router.get("/lists/{name}/entries", response_model=EntriesOut, responses=documented(404))
    async def page(
        name: ListName,
        q: Annotated[str | None, Query(max_length=1000, description="in a name, a text, a label, the source")] = None,
        label: Annotated[str | None, Query(max_length=100)] = None,
        kind: Literal["forget", "allow"] | None = None,
        action: Policy | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
        after: Annotated[str | None, Query(max_length=500)] = None,
        offset: Annotated[int, Query(ge=0, le=2**31, deprecated=True)] = 0,
    ) -> Response:
        """Entries of a list for which all that is asked holds, in the order in which they came."""
        search = partial(manager.store.search, name, text=q, label=label, kind=kind, action=action, limit=limit)
        if offset:
            return JSONResponse(await off_loop(partial(_from, manager.store, name, offset, limit)))
        found = await off_loop(partial(search, after=after))
        told = [shown.stored(item) for item in found.entries]
        return JSONResponse({"entries": told, "next": found.next, "total": found.total})

    @router.get("/lists/{name}/entries/{entry_id}", response_model=StoredOut, responses=documented(404))
    async def one(name: ListName, entry_id: EntryId) -> Response:
        """One entry."""
        item = await off_loop(partial(manager.store.get_entry, name, entry_id))
        return JSONResponse(shown.stored(item), headers={"ETag": etag(item.revision)})


def _add_batches(router: APIRouter, changing: Changing) -> None:
    @router.post(
        "/lists/{name}/entries", status_code=201, response_model=AddedOut,
        responses=also(200, DryRunOut, "A dry run") | documented(404, 409, 412),
    )  # fmt: skip
    async def add(name: ListName, given: EntriesIn, asked: Asked) -> Response:
        """Add entries. ``If-Match`` is about the list's settings."""
        made = await off_loop(partial(_made, changing.manager, name, given.entries))
        return await changing.carry_out(asked, adding(name, made, asked))

    @router.post(
        "/lists/{name}/entries/delete", response_model=RemovedOut | DryRunOut, responses=documented(404, 409, 412)
    )
    async def remove_some(name: ListName, given: IdsIn, asked: Asked) -> Response:
        """Remove entries by their ids. ``If-Match`` is about the list's settings."""
        ids = list(dict.fromkeys(given.ids))

        def plan(store: Store) -> list[Difference]:
            listed(store, name, asked)
            found = [d for d in differences(store, name, dict.fromkeys(ids)) if d.before is not None]
            if not found:
                raise NotFound(f"the list {name!r} has none of these entries")
            return found

        def apply(store: Store) -> Outcome:
            done = store.remove_entries(name, ids, by=asked.by, expect_list=listed(store, name, asked))
            told = {"deleted": list(done.removed), "missing": list(done.missing), "revision": done.revision}
            return Outcome(told, done.revision)

        return await changing.carry_out(asked, Edit(plan, apply))


def _add_single(router: APIRouter, changing: Changing) -> None:
    @router.put(
        "/lists/{name}/entries/{entry_id}", response_model=PutOut | DryRunOut,
        responses=also(201, PutOut, "It is new") | _CONFLICTS,
    )  # fmt: skip
    async def put(name: ListName, entry_id: EntryId, given: EntryIn, asked: Asked) -> Response:
        """Add an entry, or replace it."""
        if given.id is not None and given.id != entry_id:
            raise ApiError(400, f"The id in the body is {given.id!r}, and another in the path.", param="id")
        made = await off_loop(partial(_whole, changing.manager, name, entry_id, given))
        return await changing.carry_out(asked, _putting(name, made.entry_id, asked, lambda _: made))

    @router.patch("/lists/{name}/entries/{entry_id}", response_model=PutOut | DryRunOut, responses=_CONFLICTS)
    async def patch(name: ListName, entry_id: EntryId, given: EntryPatch, asked: Asked) -> Response:
        """Change some of an entry's fields."""
        changes = given.model_dump(mode="json", exclude_unset=True)

        def make(now: Stored | None) -> Entry:
            if now is None:
                raise NotFound(f"the list {name!r} has no entry {entry_id!r}")
            (made,) = _made(changing.manager, name, [_patched(now.entry, changes)])
            return made

        return await changing.carry_out(asked, _putting(name, entry_id, asked, make, merges=True))

    @router.delete("/lists/{name}/entries/{entry_id}", response_model=DeletedOut | DryRunOut, responses=_CONFLICTS)
    async def remove(name: ListName, entry_id: EntryId, asked: Asked) -> Response:
        """Remove one entry."""

        def conditions(store: Store) -> tuple[Stored, int | None]:
            now = store.get_entry(name, entry_id)
            what = _what(name, entry_id)
            return now, expected(asked.match, create_only=asked.create_only, now=now.revision, what=what)

        def plan(store: Store) -> list[Difference]:
            return [Difference(name, entry_id, conditions(store)[0].entry, None)]

        def apply(store: Store) -> Outcome:
            _, expect = conditions(store)
            revision = store.remove_entry(name, entry_id, by=asked.by, expect=expect)
            return Outcome({"deleted": entry_id, "revision": revision}, revision)

        return await changing.carry_out(asked, Edit(plan, apply, replaces=True))


def adding(name: str, made: Sequence[Entry], asked: How) -> Edit:
    """Putting entries into a list."""

    def plan(store: Store) -> list[Difference]:
        listed(store, name, asked)
        return differences(store, name, {e.entry_id: e for e in made})

    def apply(store: Store) -> Outcome:
        done = store.put_entries(name, made, by=asked.by, expect_list=listed(store, name, asked))
        ids = [e.entry_id for e in made]
        told = {"added": done.added, "updated": done.updated, "ids": ids, "revision": done.revision}
        return Outcome(told, done.revision, status=201)

    return Edit(plan, apply)


def _putting(name: str, entry_id: str, asked: How, make: Any, *, merges: bool = False) -> Edit:
    """Putting one entry. ``make``: from what is there to what is to be; ``merges``: it depends on that."""

    def conditions(store: Store) -> tuple[Stored | None, int | None]:
        store.get_list(name)
        held = _held(store, name, entry_id)
        now = None if held is None else held.revision
        expect = expected(asked.match, create_only=asked.create_only, now=now, what=_what(name, entry_id))
        return held, now if merges else expect

    def plan(store: Store) -> list[Difference]:
        before, _ = conditions(store)
        after = make(before)
        same = before is not None and before.entry == after
        return [] if same else [Difference(name, entry_id, before.entry if before else None, after)]

    def apply(store: Store) -> Outcome:
        before, expect = conditions(store)
        done = store.put_entry(make(before), by=asked.by, expect=expect)
        return Outcome(shown.stored(done), done.revision, done.revision, 201 if before is None else 200)

    return Edit(plan, apply, replaces=True)


def _made(manager: SnapshotManager, name: str, given: Sequence[EntryIn]) -> list[Entry]:
    """What is given as the list stores it. Blocking."""
    return as_kept(manager, name, entries(given, name))


def _whole(manager: SnapshotManager, name: str, entry_id: str, given: EntryIn) -> Entry:
    """The entry ``entry_id`` as it is to be. A list without texts hashes ids that it does not have yet. Blocking."""
    (made,) = _made(manager, name, [_valid(given.model_dump(exclude_unset=True) | {"id": entry_id})])
    return made if _held(manager.store, name, entry_id) is None else replace(made, entry_id=entry_id)


def _patched(now: Entry, changes: dict[str, Any]) -> EntryIn:
    fields = to_fields(now) | changes
    return _valid({name: value for name, value in fields.items() if value is not None})


def _valid(fields: dict[str, Any]) -> EntryIn:
    try:
        return EntryIn.model_validate(fields)
    except ValidationError as error:
        raise Invalid(problems(error.errors(include_url=False, include_input=False, include_context=False))) from error


def listed(store: Store, name: str, asked: How) -> int | None:
    """See that the list is there, as the condition wants it; the revision at which it has to stay, if any."""
    now = store.stored_list(name).revision
    return expected(asked.match, create_only=asked.create_only, now=now, what=f"the list {name!r}")


def differences(store: Store, name: str, after: Mapping[str, Entry | None]) -> list[Difference]:
    """What putting ``after``, by id, would change; None removes. Blocking."""
    before = {e.entry_id: e for e in store.get_entries(name)}
    found = [Difference(name, i, before.get(i), entry) for i, entry in after.items()]
    return [d for d in found if d.before != d.after]


def _held(store: Store, name: str, entry_id: str) -> Stored | None:
    try:
        return store.get_entry(name, entry_id)
    except NotFound:
        return None


def _from(store: Store, name: str, offset: int, limit: int) -> dict[str, Any]:
    """A page that is asked for by the number of entries before it."""
    unknown = dict.fromkeys(("revision", "created_at", "created_by", "updated_at", "updated_by"))
    found = [shown.entry(e) | unknown for e in store.get_entries(name, offset=offset, limit=limit)]
    return {"entries": found, "next": None, "total": store.stored_list(name).entries}


def _what(name: str, entry_id: str) -> str:
    return f"the entry {entry_id!r} of the list {name!r}"
