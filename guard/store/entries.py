"""Entries in the store."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from guard.model import Entry
from guard.schema import EntryRow
from guard.store.change import Change
from guard.store.coding import Coding, Record
from guard.store.errors import Conflict, Invalid, NotFound
from guard.store.values import Added, Page, Removed, Stored

TABLE = cast(Table, EntryRow.__table__)
# SQLite allows 32766 values in a statement.
AT_ONCE = 5000
_ADD = insert(TABLE)
_IN_ORDER = (EntryRow.position, EntryRow.entry_id)


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries of a list are looked for: all that are given must hold."""

    text: str | None = None  # in an id, a name, a text, a label or the source, whatever the case
    label: str | None = None
    kind: str | None = None
    action: str | None = None

    @property
    def everything(self) -> bool:
        """Whether it holds for every entry."""
        return not any((self.text, self.label, self.kind, self.action))

    def holds(self, entry: Entry) -> bool:
        """Whether ``entry`` is looked for."""
        if self.label and self.label not in entry.labels:
            return False
        if (self.kind and self.kind != entry.kind) or (self.action and self.action != entry.action):
            return False
        return not self.text or _folded(self.text) in _folded("\n".join(_said(entry)))


def rows() -> Select[Any]:
    """All columns of entries."""
    return select(TABLE)


def of(name: str) -> ColumnElement[bool]:
    """The entries of one list."""
    return EntryRow.list_name == name


def in_force(now: datetime) -> ColumnElement[bool]:
    """Entries that have not expired."""
    return or_(EntryRow.expires_at.is_(None), EntryRow.expires_at > now)


def records(session: Session, coding: Coding, name: str, ids: Iterable[str] | None = None) -> dict[str, Record]:
    """What a list's rows hold, by id in order; of those in ``ids`` where they are given."""
    query = rows().where(of(name)).order_by(*_IN_ORDER)
    if ids is None:
        found: Iterable[RowMapping] = session.execute(query).mappings()
    else:
        found = (row for some in _chunks(list(ids))
                 for row in session.execute(query.where(EntryRow.entry_id.in_(some))).mappings())  # fmt: skip
    return {row["entry_id"]: coding.record(row) for row in found}


def put(change: Change, name: str, entries: Sequence[Entry]) -> Added:
    """Add entries, replacing those of the same id; what is as it was is left alone."""
    distinct = {e.entry_id: e if e.list_name == name else replace(e, list_name=name) for e in entries}
    _check(distinct.values())
    before = records(change.session, change.coding, name, distinct)
    position = _last(change.session, name)
    after: dict[str, Record] = {}
    for entry_id, entry in distinct.items():
        known = before.get(entry_id)
        if known is None:
            position += 1
            after[entry_id] = Record(entry, position, change.at, change.by.actor)
        elif known.entry != entry:
            after[entry_id] = replace(known, entry=entry)
    write(change, name, before, after)
    return Added(len(distinct) - len(before), len(before), change.revision)


def write(change: Change, name: str, before: Mapping[str, Record], after: Mapping[str, Record | None]) -> None:
    """Bring the entries in ``after`` into the state that it tells, from the one that ``before`` tells."""
    new = [_row(change, record) for entry_id, record in after.items() if record and entry_id not in before]
    changed = [_row(change, record) for entry_id, record in after.items() if record and entry_id in before]
    gone = [entry_id for entry_id, record in after.items() if record is None]
    if new:
        change.session.execute(_ADD, new)
    if changed:
        own = TABLE.c.list_name == bindparam("own_list"), TABLE.c.entry_id == bindparam("own_id")
        columns: dict[str, Any] = {c: bindparam(c) for c in changed[0] if c not in ("list_name", "entry_id")}
        values = [{("own_list" if k == "list_name" else "own_id" if k == "entry_id" else k): v for k, v in row.items()}
                  for row in changed]  # fmt: skip
        change.session.connection().execute(update(TABLE).where(*own).values(columns), values)
    for some in _chunks(gone):
        change.session.execute(delete(TABLE).where(of(name), EntryRow.entry_id.in_(some)))
    for entry_id, record in after.items():
        change.entry(name, entry_id, before.get(entry_id), record)


def fill(change: Change, name: str, entries: Sequence[Entry]) -> None:
    """Add entries to a list that has none, and leave no mark of that in the history but their number."""
    distinct = {e.entry_id: e if e.list_name == name else replace(e, list_name=name) for e in entries}
    _check(distinct.values())
    made = [_row(change, Record(e, i, change.at, change.by.actor)) for i, e in enumerate(distinct.values())]
    if made:
        change.session.execute(_ADD, made)
    change.count("replaced", len(made))
    change.touch(name, ["", *distinct])


def remove(change: Change, name: str, ids: Sequence[str]) -> Removed:
    """Remove entries; those that are not there are told."""
    before = records(change.session, change.coding, name, dict.fromkeys(ids))
    if not before:
        raise NotFound(f"the list {name!r} has none of these entries" if len(ids) != 1 else missing(name, ids[0]))
    write(change, name, before, dict.fromkeys(before))
    return Removed(tuple(before), tuple(i for i in dict.fromkeys(ids) if i not in before), change.revision)


def stored(session: Session, coding: Coding, name: str, entry_id: str) -> Stored:
    """One entry."""
    row = session.execute(rows().where(of(name), EntryRow.entry_id == entry_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(missing(name, entry_id))
    return coding.stored(row)


def expect(session: Session, name: str, entry_id: str, revision: int | None) -> None:
    """See that an entry is as the caller last saw it; 0: that there is none."""
    if revision is None:
        return
    own = select(EntryRow.revision).where(of(name), EntryRow.entry_id == entry_id)
    now = session.execute(own).scalar_one_or_none() or 0
    if now == revision:
        return
    if not now:
        raise Conflict(f"the list {name!r} has no entry {entry_id!r} any more")
    state = "is there already" if revision == 0 else f"was changed since revision {revision}"
    raise Conflict(f"the entry {entry_id!r} {state}: it is at revision {now}", now)


def search(session: Session, coding: Coding, name: str, query: Query, limit: int, after: str | None) -> Page:
    """Entries in the order in which they were added, from after the place that ``after`` tells."""
    start = _place(after)
    later = of(name) if start is None else of(name) & (tuple_(*_IN_ORDER) > tuple_(*start))
    ordered = rows().order_by(*_IN_ORDER)
    if query.everything:
        total = session.execute(select(func.count()).select_from(TABLE).where(of(name))).scalar_one()
        found = [_placed(row, coding) for row in session.execute(ordered.where(later).limit(limit + 1)).mappings()]
        return _page(found, limit, total)
    found, total = [], 0
    for row in session.execute(ordered.where(of(name))).mappings():
        if not query.holds(coding.entry(row)):
            continue
        total += 1
        if len(found) <= limit and (start is None or (row["position"], row["entry_id"]) > start):
            found.append(_placed(row, coding))
    return _page(found, limit, total)


def missing(name: str, entry_id: str) -> str:
    """How it is said that an entry is not there."""
    return f"the list {name!r} has no entry {entry_id!r}"


def _page(found: list[tuple[str, Stored]], limit: int, total: int) -> Page:
    shown = found[:limit]
    return Page([s for _, s in shown], shown[-1][0] if len(found) > limit else None, total)


def _placed(row: Any, coding: Coding) -> tuple[str, Stored]:
    return f"{row['position']}:{row['entry_id']}", coding.stored(row)


def _place(after: str | None) -> tuple[int, str] | None:
    if after is None:
        return None
    position, _, entry_id = after.partition(":")
    if not position.isascii() or not position.isdigit() or len(position) > 9 or not entry_id or "\0" in entry_id:
        raise Invalid("'after' is not what an earlier page told")
    return int(position), entry_id


def _row(change: Change, record: Record) -> dict[str, Any]:
    entry = record.entry
    return {
        "list_name": entry.list_name, "entry_id": entry.entry_id, "position": record.position,
        "body": change.coding.body(entry), "revision": change.revision, "expires_at": entry.expires_at,
        "created_at": record.created_at, "created_by": record.created_by,
        "updated_at": change.at, "updated_by": change.by.actor,
    }  # fmt: skip


def _check(entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.expires_at is not None and entry.expires_at.tzinfo is None:
            raise Invalid(f"the entry {entry.entry_id!r} expires at a time without a zone")


def _last(session: Session, name: str) -> int:
    last = session.execute(select(func.max(EntryRow.position)).where(of(name))).scalar_one()
    return -1 if last is None else last


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(ids), AT_ONCE):
        yield ids[at : at + AT_ONCE]


def _said(entry: Entry) -> Iterator[str]:
    yield from (entry.entry_id, *entry.aliases, *entry.paraphrases, *entry.labels)
    yield from filter(None, (entry.subject, entry.question, entry.answer, entry.text, entry.source))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
