"""Verifications and their schedules in the store, for every process that serves from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from guard import audit
from guard.model import By
from guard.schema import DiffRow, HistoryRow, ListRow, ScheduleRow, VerificationRow
from guard.sealing import SealError
from guard.store import NotFound, Store, StoreError

State = Literal["waiting", "running", "done", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("waiting", "running")
QUIET = timedelta(minutes=5)  # a verification that has not been heard of for so long has died with its process


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification. ``progress``: how far it is, or why it failed. ``document``: the signed record."""

    id: str
    list_name: str
    entry_id: str | None
    state: State
    revision: int
    model: str
    started_at: datetime
    by: str
    progress: Mapping[str, Any]
    ended_at: datetime | None = None
    holds: bool | None = None
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a list is verified again, and how."""

    list_name: str
    every_seconds: int
    settings: Mapping[str, Any]
    next_at: datetime


class Verifications:
    """Reads and writes them. Blocking; every method raises ``StoreError`` where the database fails."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, new: Verification, by: By) -> None:
        """Take in one that waits.

        Raises:
            NotFound: there is no such list.
        """
        with self._store.writing() as session:
            self._existing(session, new.list_name)
            session.add(
                VerificationRow(
                    id=new.id, list_name=new.list_name, entry_id=new.entry_id, state=new.state, revision=new.revision,
                    model=new.model, started_at=new.started_at, by=new.by, progress=dict(new.progress),
                )
            )  # fmt: skip
            target = audit.target(new.list_name, new.entry_id)
            audit.append(session, at=_now(), by=by, action="verification.start", target=target, detail={"id": new.id})

    def note(self, id: str, state: State, progress: Mapping[str, Any]) -> bool:
        """Say how far one is; false where it was ended meanwhile, and nothing is changed."""
        own = update(VerificationRow).where(VerificationRow.id == id, VerificationRow.state.in_(OPEN))
        with self._store.writing() as session:
            noted = dict(progress) | {"at": _now().isoformat()}
            changed = session.execute(own.values(state=state, progress=noted).returning(VerificationRow.id)).all()
        return bool(changed)

    def end(
        self, id: str, state: State, progress: Mapping[str, Any], *, by: By, holds: bool | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> bool:  # fmt: skip
        """End one that is under way; false where it was ended before.

        Raises:
            NotFound: there is none of that id.
        """
        with self._store.writing() as session:
            row = session.get(VerificationRow, id, with_for_update=True)
            if row is None:
                raise NotFound(f"there is no verification {id!r}")
            if row.state not in OPEN:
                return False
            row.state, row.ended_at, row.holds = state, _now(), holds
            row.progress = dict(row.progress) | dict(progress)
            row.record = None if document is None else self._store.sealing.seal(document, "verifications", id)
            detail = {"id": id, "state": state, "holds": holds}
            target = audit.target(row.list_name, row.entry_id)
            audit.append(session, at=_now(), by=by, action="verification.end", target=target, detail=detail)
        return True

    def get(self, id: str) -> Verification:
        """One with its record.

        Raises:
            NotFound: there is none of that id.
        """
        with self._store.reading() as session:
            row = session.get(VerificationRow, id)
            if row is None:
                raise NotFound(f"there is no verification {id!r}")
            return self._value(row, whole=True)

    def page(self, *, list_name: str | None, limit: int, before: datetime | None = None) -> list[Verification]:
        """Verifications without their records, the latest first."""
        query = select(VerificationRow).order_by(VerificationRow.started_at.desc(), VerificationRow.id).limit(limit)
        if list_name is not None:
            query = query.where(VerificationRow.list_name == list_name)
        if before is not None:
            query = query.where(VerificationRow.started_at < before)
        with self._store.reading() as session:
            return [self._value(row) for row in session.execute(query).scalars()]

    def latest(self, *states: State) -> dict[str, Verification]:
        """Of every list that is there the latest of the whole list in one of ``states``, without its record."""
        own = VerificationRow.state.in_(states), VerificationRow.entry_id.is_(None)
        last = select(VerificationRow.list_name, func.max(VerificationRow.started_at).label("at")).where(*own)
        newest = last.group_by(VerificationRow.list_name).subquery()
        same = and_(VerificationRow.list_name == newest.c.list_name, VerificationRow.started_at == newest.c.at)
        there = exists().where(ListRow.name == VerificationRow.list_name)
        with self._store.reading() as session:
            rows = session.execute(select(VerificationRow).join(newest, same).where(*own, there)).scalars()
            return {row.list_name: self._value(row) for row in rows}

    def fail_quiet(self) -> list[str]:
        """End those that died with their process; returns their ids."""
        found: list[str] = []
        with self._store.writing() as session:
            rows = session.execute(select(VerificationRow).where(VerificationRow.state.in_(OPEN))).scalars()
            for row in rows:
                heard = datetime.fromisoformat(row.progress.get("at") or _utc(row.started_at).isoformat())  # type: ignore[arg-type]
                if _now() - heard > QUIET:
                    row.state, row.ended_at = "failed", _now()
                    row.progress = dict(row.progress) | {"error": "The process that carried it out ended."}
                    found.append(row.id)
        return found

    def changed_at(self, list_name: str) -> int:
        """The revision that last changed a list, its entries or its fits; 0 where that is not known."""
        touched = exists().where(DiffRow.revision == HistoryRow.revision, DiffRow.list_name == list_name)
        own = or_(HistoryRow.list_name == list_name, and_(HistoryRow.list_name.is_(None), touched))
        with self._store.reading() as session:
            return session.execute(select(func.max(HistoryRow.revision)).where(own)).scalar_one() or 0

    def put_schedule(self, schedule: Schedule, by: By) -> None:
        """Set when a list is verified.

        Raises:
            NotFound: there is no such list.
        """
        with self._store.writing() as session:
            self._existing(session, schedule.list_name)
            session.merge(
                ScheduleRow(
                    list_name=schedule.list_name, every_seconds=schedule.every_seconds,
                    settings=dict(schedule.settings), next_at=schedule.next_at,
                )
            )  # fmt: skip
            detail = {"every_seconds": schedule.every_seconds}
            target = audit.target(schedule.list_name)
            audit.append(session, at=_now(), by=by, action="schedule.put", target=target, detail=detail)

    def schedule(self, list_name: str) -> Schedule:
        """A list's schedule.

        Raises:
            NotFound: it has none, or there is no such list.
        """
        with self._store.reading() as session:
            row = session.get(ScheduleRow, list_name)
            if row is None:
                raise NotFound(f"the list {list_name!r} has no schedule")
            return _schedule(row)

    def remove_schedule(self, list_name: str, by: By) -> None:
        """Verify a list no more.

        Raises:
            NotFound: it has no schedule.
        """
        with self._store.writing() as session:
            gone = delete(ScheduleRow).where(ScheduleRow.list_name == list_name).returning(ScheduleRow.list_name)
            if not session.execute(gone).all():
                raise NotFound(f"the list {list_name!r} has no schedule")
            target = audit.target(list_name)
            audit.append(session, at=_now(), by=by, action="schedule.remove", target=target)

    def schedules(self) -> list[Schedule]:
        """All schedules."""
        with self._store.reading() as session:
            return [_schedule(row) for row in session.execute(select(ScheduleRow)).scalars()]

    def claim(self, schedule: Schedule, next_at: datetime) -> bool:
        """Put a schedule off until ``next_at``; of several processes that try it at once one is told yes."""
        own = ScheduleRow.list_name == schedule.list_name
        with self._store.writing() as session:
            row = session.execute(select(ScheduleRow).where(own).with_for_update()).scalar_one_or_none()
            if row is None or _utc(row.next_at) != schedule.next_at:
                return False
            row.next_at = next_at
            return True

    def _value(self, row: VerificationRow, *, whole: bool = False) -> Verification:
        document = None
        if whole and row.record is not None:
            with _sealed():
                document = self._store.sealing.open(row.record, "verifications", row.id)
        ended = None if row.ended_at is None else _utc(row.ended_at)
        return Verification(
            row.id, row.list_name, row.entry_id, cast(State, row.state), row.revision, row.model, _utc(row.started_at),
            row.by, dict(row.progress), ended, row.holds, document,
        )  # fmt: skip

    @staticmethod
    def _existing(session: Session, name: str) -> None:
        if session.get(ListRow, name) is None:
            raise NotFound(f"there is no list {name!r}")


@contextmanager
def _sealed() -> Iterator[None]:
    try:
        yield
    except SealError as error:
        raise StoreError(str(error)) from error


def _schedule(row: ScheduleRow) -> Schedule:
    return Schedule(row.list_name, row.every_seconds, dict(row.settings), _utc(row.next_at))


def _utc(moment: datetime) -> datetime:
    """As the database gives it: SQLite keeps no zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _now() -> datetime:
    return datetime.now(UTC)
