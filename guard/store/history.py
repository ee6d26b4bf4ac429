"""What happened, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from guard.model import ForgetList
from guard.schema import DiffRow, HistoryRow, ListRow
from guard.store import entries, lists
from guard.store.change import Change
from guard.store.coding import Coding, Record, list_of
from guard.store.errors import Conflict, Invalid, NotFound
from guard.store.values import Difference, RevisionInfo


@dataclass(frozen=True, slots=True)
class Steps:
    """What a way back changes: settings and entries as they are and as they were, where they are not the same."""

    settings: dict[str, tuple[ForgetList | None, ForgetList | None]]
    records: dict[str, dict[str, tuple[Record | None, Record | None]]]  # by list, by entry

    def differences(self) -> list[Difference]:
        """As values."""
        found = [Difference(name, None, now, then) for name, (now, then) in self.settings.items()]
        for name, own in self.records.items():
            found += [Difference(name, entry_id, now.entry if now else None, then.entry if then else None)
                      for entry_id, (now, then) in own.items()]  # fmt: skip
        return found


def revisions(
    session: Session, coding: Coding, *, list_name: str | None, before: int | None, limit: int
) -> list[RevisionInfo]:
    """The newest first."""
    query = select(HistoryRow).order_by(HistoryRow.revision.desc()).limit(limit)
    if before is not None:
        query = query.where(HistoryRow.revision < before)
    if list_name is not None:
        named = DiffRow.revision == HistoryRow.revision, DiffRow.list_name == list_name
        query = query.where(or_(HistoryRow.list_name == list_name, select(DiffRow.revision).where(*named).exists()))
    return [_info(row, coding) for row in session.execute(query).scalars()]


def info(session: Session, coding: Coding, revision: int) -> RevisionInfo:
    """One revision."""
    row = session.get(HistoryRow, revision) if 0 < revision < 2**31 else None
    if row is None:
        raise NotFound(f"there is no revision {revision} in the history")
    return _info(row, coding)


def diff(session: Session, coding: Coding, revision: int, *, offset: int, limit: int | None) -> list[Difference]:
    """What a revision changed, by list and entry, a list's settings first."""
    info(session, coding, revision)
    query = (
        select(DiffRow).where(DiffRow.revision == revision).order_by(DiffRow.list_name, DiffRow.entry_id)
        .offset(offset).limit(limit)
    )  # fmt: skip
    return [_difference(row, coding) for row in session.execute(query).scalars()]


def steps(session: Session, coding: Coding, to: int, name: str | None, now: int) -> Steps:
    """What must change so that all, or the list ``name``, goes from the revision ``now`` to what it was at ``to``."""
    _reachable(session, coding, to, name, now)
    # The state at ``to`` of all that was touched since is what its first change since found.
    since = DiffRow.revision > to
    own = since if name is None else since & (DiffRow.list_name == name)
    keys = DiffRow.list_name, DiffRow.entry_id
    first = select(func.min(DiffRow.revision).label("revision"), *keys).where(own).group_by(*keys).subquery()
    query = select(DiffRow).join(
        first,
        (DiffRow.revision == first.c.revision)
        & (DiffRow.list_name == first.c.list_name)
        & (DiffRow.entry_id == first.c.entry_id),
    ).order_by(*keys)  # fmt: skip
    settings: dict[str, tuple[ForgetList | None, ForgetList | None]] = {}
    then: dict[str, dict[str, Record | None]] = {}
    for row in session.execute(query).scalars():
        value = coding.opened_diff(row.before, str(row.revision), row.list_name, row.entry_id, "before")
        if row.entry_id:
            record = None if value is None else Record.of(row.list_name, row.entry_id, value)
            then.setdefault(row.list_name, {})[row.entry_id] = record
            continue
        held = session.get(ListRow, row.list_name)
        settings[row.list_name] = coding.forget_list(held) if held else None, list_of(value) if value else None
    return Steps({n: s for n, s in settings.items() if s[0] != s[1]}, _changed(session, coding, then))


def expect(change: Change, revision: int | None) -> None:
    """See that nothing was changed since the caller planned at ``revision``."""
    now = change.revision - 1
    if revision is not None and revision != now:
        raise Conflict(f"there were changes since revision {revision}: the newest is {now}", now)


def take(change: Change, found: Steps) -> None:
    """Carry ``found`` out."""
    session = change.session
    for item in (then for _, then in found.settings.values() if then is not None):
        lists.put(change, item)
    for name, own in found.records.items():
        now = {entry_id: record for entry_id, (record, _) in own.items() if record is not None}
        entries.write(change, name, now, {entry_id: then for entry_id, (_, then) in own.items()})
    for name, (before, then) in found.settings.items():
        if then is None:
            change.settings(name, before, None)
            session.delete(lists.existing(session, name))
            change.touch(name, [""])
    session.flush()


def _changed(
    session: Session, coding: Coding, then: dict[str, dict[str, Record | None]]
) -> dict[str, dict[str, tuple[Record | None, Record | None]]]:
    changed: dict[str, dict[str, tuple[Record | None, Record | None]]] = {}
    for name, own in then.items():
        now = entries.records(session, coding, name, own)
        pairs = {entry_id: (now.get(entry_id), record) for entry_id, record in own.items()}
        if pairs := {entry_id: pair for entry_id, pair in pairs.items() if pair[0] != pair[1]}:
            changed[name] = pairs
    return changed


def _reachable(session: Session, coding: Coding, to: int, name: str | None, now: int) -> None:
    if not 0 <= to <= now:
        raise NotFound(f"there is no revision {to}: the newest is {now}")
    since = HistoryRow.revision > to
    kept = session.execute(select(func.count()).select_from(HistoryRow).where(since)).scalar_one()
    if kept != now - to:
        oldest = session.execute(select(func.min(HistoryRow.revision))).scalar_one()
        first = now if oldest is None else oldest - 1
        raise Invalid(f"the history begins after revision {first}: {to} is too old to go back to")
    wiped = select(HistoryRow.revision, HistoryRow.list_name).where(since, HistoryRow.action == lists.WIPED)
    for revision, own in session.execute(wiped.order_by(HistoryRow.revision.desc())):
        if name is None or own == name:
            raise Invalid(f"the texts of the list {own!r} were removed for good at revision {revision}: nothing before"
                          " that can come back")  # fmt: skip
    _no_texts_come_between(session, coding, to, name)


def _no_texts_come_between(session: Session, coding: Coding, to: int, name: str | None) -> None:
    """A list that kept no texts at ``to`` would go back to that with texts in its history."""
    query = select(DiffRow).where(DiffRow.revision > to, DiffRow.entry_id == "").order_by(DiffRow.revision)
    bare: set[str] = set()
    seen: set[str] = set()
    for row in session.execute(query if name is None else query.where(DiffRow.list_name == name)).scalars():
        where = str(row.revision), row.list_name, ""
        if row.list_name not in seen:
            seen.add(row.list_name)
            before = coding.opened_diff(row.before, *where, "before")
            if before is not None and before["keep"] == "vectors":
                bare.add(row.list_name)
        after = coding.opened_diff(row.after, *where, "after")
        if row.list_name in bare and after is not None and after["keep"] != "vectors":
            raise Invalid(f"the list {row.list_name!r} has kept texts since revision {row.revision}: set it to keep"
                          " vectors only, which removes them for good, instead of going back")  # fmt: skip


def _info(row: HistoryRow, coding: Coding) -> RevisionInfo:
    reason = coding.sealing.open_text(row.reason, "history", str(row.revision))
    return RevisionInfo(row.revision, row.at, row.actor, row.action, row.list_name, reason, dict(row.counts))


def _difference(row: DiffRow, coding: Coding) -> Difference:
    where = str(row.revision), row.list_name, row.entry_id
    before = coding.opened_diff(row.before, *where, "before")
    after = coding.opened_diff(row.after, *where, "after")
    if not row.entry_id:
        return Difference(row.list_name, None, list_of(before) if before else None, list_of(after) if after else None)
    sides = [None if v is None else Record.of(row.list_name, row.entry_id, v).entry for v in (before, after)]
    return Difference(row.list_name, row.entry_id, *sides)
