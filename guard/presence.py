"""Which worker processes serve from a store, and which revision each has in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from guard.schema import WorkerRow
from guard.store import Store

# A worker that has not been seen for so long has ended without a word. Until then nobody may take for granted that it
# has: it may still serve, cut off from the store.
GONE = timedelta(seconds=60)

Ahead = tuple[str, datetime]  # a worker's id, and when it was seen, which is yet to come


@dataclass(frozen=True, slots=True)
class Worker:
    """One process."""

    id: str
    host: str
    pid: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker as the store knows it. ``silent``: seconds since it was seen."""

    worker: Worker
    revision: int
    silent: float


def sign_on(store: Store, worker: Worker, revision: int) -> None:
    """Say that ``worker`` serves, and has ``revision`` in force; again and again, while it does.

    Raises:
        StoreError: the store cannot be written.
    """
    with store.writing() as session:
        _soon(session)
        row = WorkerRow(
            id=worker.id, host=worker.host, pid=worker.pid, started_at=worker.started_at, seen_at=_now(session),
            revision=revision,
        )  # fmt: skip
        session.merge(row)


def sign_off(store: Store, ids: Sequence[str]) -> None:
    """Say that workers have ended.

    Raises:
        StoreError: the store cannot be written.
    """
    with store.writing() as session:
        _soon(session)
        session.execute(delete(WorkerRow).where(WorkerRow.id.in_(ids)))


def present(store: Store) -> list[Seen]:
    """The workers that have not ended, as far as anybody knows, by host and time of start.

    Raises:
        StoreError: the store cannot be read.
    """
    with store.reading() as session:
        now = _now(session)
        rows = session.execute(select(WorkerRow).order_by(WorkerRow.host, WorkerRow.started_at, WorkerRow.id)).scalars()
        found = [(row, now - _utc(row.seen_at)) for row in rows]
        return [
            Seen(Worker(row.id, row.host, row.pid, _utc(row.started_at)), row.revision, silent.total_seconds())
            for row, silent in found
            if silent < GONE
        ]


def clear_away(store: Store, ahead: frozenset[Ahead] = frozenset()) -> frozenset[Ahead]:
    """Remove what workers left that ended without a word.

    A clock that was set back leaves some that were seen in what is now to come. They go where they still are as they
    were the last time, ``ahead``: one that lives has been seen again by then. Returns those that are there now.

    Raises:
        StoreError: the store cannot be written.
    """
    with store.writing() as session:
        now = _now(session)
        session.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - 2 * GONE))
        rows = session.execute(select(WorkerRow).where(WorkerRow.seen_at > now + GONE)).scalars()
        found = frozenset((row.id, _utc(row.seen_at)) for row in rows)
        session.execute(delete(WorkerRow).where(WorkerRow.id.in_([id for id, _ in found & ahead])))
        return found - ahead


def _now(session: Session) -> datetime:
    """The database's time: hosts' clocks differ."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    return _utc(session.execute(select(func.now())).scalar_one())


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _soon(session: Session) -> None:
    """A word of life need not survive a crash, so nobody waits for the disk."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("SET LOCAL synchronous_commit = off")
