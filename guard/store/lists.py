"""Lists and their fitted strengths in the store."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from guard.model import EcoFit, Entry, ForgetList
from guard.schema import ChangeRow, DiffRow, DoneRow, EntryRow, FitRow, HistoryRow, ListRow
from guard.store import entries
from guard.store.change import Change
from guard.store.coding import Coding, fit_body
from guard.store.errors import Conflict, Invalid, NotFound
from guard.store.values import StoredList

WIPED = "list.wipe"


def existing(session: Session, name: str) -> ListRow:
    """The row of a list."""
    row = session.get(ListRow, name)
    if row is None:
        raise NotFound(f"there is no list {name!r}")
    return row


def every(session: Session, coding: Coding) -> tuple[ForgetList, ...]:
    """All lists by name."""
    return tuple(map(coding.forget_list, session.execute(select(ListRow).order_by(ListRow.name)).scalars()))


def stored(session: Session, coding: Coding, *, limit: int | None, after: str | None) -> list[StoredList]:
    """Lists by name with their number of entries."""
    count = select(func.count()).where(EntryRow.list_name == ListRow.name).scalar_subquery()
    query = select(ListRow, count).order_by(ListRow.name).limit(limit)
    if after is not None:
        query = query.where(ListRow.name > after)
    return [StoredList(coding.forget_list(row), n, row.revision) for row, n in session.execute(query)]


def stored_one(session: Session, coding: Coding, name: str) -> StoredList:
    """One list with its number of entries."""
    row = existing(session, name)
    count = session.execute(select(func.count()).where(EntryRow.list_name == name)).scalar_one()
    return StoredList(coding.forget_list(row), count, row.revision)


def expect(session: Session, name: str, revision: int | None) -> None:
    """See that a list's settings are as the caller last saw them; 0: that there is no such list."""
    if revision is None:
        return
    row = session.get(ListRow, name)
    now = row.revision if row is not None else 0
    if now == revision:
        return
    if not now:
        raise Conflict(f"there is no list {name!r} any more")
    state = "is there already" if revision == 0 else f"was changed since revision {revision}"
    raise Conflict(f"the list {name!r} {state}: it is at revision {now}", now)


def put(change: Change, item: ForgetList) -> ForgetList | None:
    """Create a list or replace its settings; what it was before."""
    row = change.session.get(ListRow, item.name)
    before = None if row is None else change.coding.forget_list(row)
    change.session.merge(ListRow(**change.coding.list_columns(item), revision=change.revision))
    change.session.flush()
    change.settings(item.name, before, item)
    return before


def drop(change: Change, name: str) -> None:
    """Delete a list with its entries."""
    row = existing(change.session, name)
    before = change.coding.forget_list(row)
    held = entries.records(change.session, change.coding, name)
    for entry_id, record in held.items():
        change.entry(name, entry_id, record, None)
    change.settings(name, before, None)
    change.session.delete(row)
    change.session.flush()
    change.touch(name, [""])


def no_texts(name: str, some: Iterable[Entry]) -> None:
    """See that entries come without their texts."""
    if any(entry.kept is None for entry in some):
        raise Invalid(f"the list {name!r} keeps vectors only, and an entry comes with its texts")


def forget_history(change: Change, name: str) -> bool:
    """Remove what earlier revisions of a list tell; whether there was anything.

    Ids and reasons may tell something too; so may the answers to requests.
    """
    session = change.session
    told = session.execute(select(DiffRow.revision).where(DiffRow.list_name == name).limit(1)).first()
    if told is None:
        return False
    session.execute(delete(DiffRow).where(DiffRow.list_name == name))
    session.execute(delete(ChangeRow).where(ChangeRow.list_name == name))
    session.execute(update(HistoryRow).where(HistoryRow.list_name == name).values(reason=""))
    session.execute(delete(DoneRow).where(DoneRow.status.is_not(None)))
    change.action = WIPED
    return True


def fits(session: Session, name: str | None = None) -> tuple[EcoFit, ...]:
    """Fitted strengths, by list and model."""
    query = select(FitRow).order_by(FitRow.list_name, FitRow.model)
    if name is not None:
        query = query.where(FitRow.list_name == name)
    return tuple(EcoFit(r.list_name, r.model, **dict(r.body)) for r in session.execute(query).scalars())  # type: ignore[arg-type]


def put_fit(change: Change, fit: EcoFit) -> None:
    """Keep a fit; one for the same list and model is replaced."""
    existing(change.session, fit.list_name)
    change.session.merge(FitRow(list_name=fit.list_name, model=fit.model, body=fit_body(fit)))
    change.detail |= {"model": fit.model, "sigma": fit.sigma}


def remove_fit(change: Change, name: str, model: str) -> None:
    """Forget the fit for one model."""
    row = change.session.get(FitRow, (name, model))
    if row is None:
        raise NotFound(f"the list {name!r} has no fit for the model {model!r}")
    change.session.delete(row)
    change.detail["model"] = model


def remove_fits(change: Change, name: str) -> None:
    """Forget the fits for all models."""
    change.session.execute(delete(FitRow).where(FitRow.list_name == name))
