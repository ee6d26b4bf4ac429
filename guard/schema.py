"""Tables of the forget-list store."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import JSON, Boolean, DateTime, Dialect, Float, ForeignKey, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Moment(TypeDecorator[datetime]):
    """A moment, in UTC on either database: SQLite forgets the zone of what it is given."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As it is stored."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """As it was meant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables."""


class ListRow(Base):
    """One forget list."""

    __tablename__ = "forget_lists"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    policy: Mapped[str] = mapped_column(String(16))
    fallback: Mapped[str] = mapped_column(String(16))
    sigma: Mapped[float] = mapped_column(Float)
    threshold: Mapped[float | None] = mapped_column(Float)
    enabled: Mapped[bool] = mapped_column(Boolean)
    guideline: Mapped[str] = mapped_column(Text)
    refusal: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    scorer: Mapped[str | None] = mapped_column(String(160))
    false_positive_rate: Mapped[float | None] = mapped_column(Float)
    recall_floor: Mapped[float | None] = mapped_column(Float)
    corruption: Mapped[str] = mapped_column(String(64))
    dims: Mapped[int | None] = mapped_column(Integer)
    token_classifier: Mapped[str | None] = mapped_column(String(160))
    template: Mapped[str | None] = mapped_column(Text)
    models: Mapped[list[str]] = mapped_column(JSON)
    tenants: Mapped[list[str]] = mapped_column(JSON)
    keep: Mapped[str] = mapped_column(String(16))
    examples: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(Integer, default=0)  # that last changed its settings


class FitRow(Base):
    """A fitted corruption strength; ``body`` holds what ``guard.model.EcoFit`` holds beside its two keys."""

    __tablename__ = "eco_fits"

    list_name: Mapped[str] = mapped_column(ForeignKey("forget_lists.name", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(String(512), primary_key=True)
    body: Mapped[dict[str, object]] = mapped_column(JSON)


class EntryRow(Base):
    """One entry; ``body`` holds what ``guard.model.Entry`` holds beside its two keys."""

    __tablename__ = "entries"

    list_name: Mapped[str] = mapped_column(ForeignKey("forget_lists.name", ondelete="CASCADE"), primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    revision: Mapped[int] = mapped_column(Integer, default=0)  # that last changed it
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(String(128), default="")
    updated_at: Mapped[datetime | None] = mapped_column(Moment)
    updated_by: Mapped[str] = mapped_column(String(128), default="")

    __table_args__ = (
        Index("entries_in_order", "list_name", "position"),
        Index("entries_by_expiry", "expires_at"),
    )


class ChangeRow(Base):
    """Which entry a revision touched, so that a running server takes in the change and not the whole store."""

    __tablename__ = "changes"

    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    list_name: Mapped[str] = mapped_column(String(128), primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(128), primary_key=True)  # "" for the whole list


class RevisionRow(Base):
    """The number of changes so far; one row, changed in the transaction of every change."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer)


class HistoryRow(Base):
    """What a revision was: who changed what, when and why."""

    __tablename__ = "history"

    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(32))
    list_name: Mapped[str | None] = mapped_column(String(128), index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    counts: Mapped[dict[str, int]] = mapped_column(JSON)  # added, updated, removed


class DiffRow(Base):
    """One list or entry before and after a revision, sealed as entries' bodies are; None where it was not there."""

    __tablename__ = "diffs"

    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    list_name: Mapped[str] = mapped_column(String(128), primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(128), primary_key=True)  # "" for the list's settings
    before: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))


class DoneRow(Base):
    """The answer to a request that came with an idempotency key."""

    __tablename__ = "idempotent_requests"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)  # with the caller's id before it
    digest: Mapped[str] = mapped_column(String(64))  # of method, path and body
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    status: Mapped[int | None] = mapped_column(Integer)  # None while it is being carried out
    answer: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))


class KeyRow(Base):
    """An API key, by its hash alone."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(16))  # client, operator, auditor, admin
    lists: Mapped[list[str]] = mapped_column(JSON)  # patterns of lists that it may manage; empty: all
    may_choose: Mapped[list[str]] = mapped_column(JSON)
    requests_per_minute: Mapped[int | None] = mapped_column(Integer)
    concurrent_requests: Mapped[int | None] = mapped_column(Integer)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(String(128))
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    rotated_from: Mapped[str | None] = mapped_column(String(32))


class AuditRow(Base):
    """One event of the audit log; ``hash`` covers the row and the hash before it."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(512))
    detail: Mapped[dict[str, object]] = mapped_column(JSON)
    before: Mapped[str] = mapped_column(String(64))  # the hash of the row before
    hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """The end of the audit log; one row, locked by whoever appends."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))


class WorkerRow(Base):
    """A worker process that serves from this store, and the revision that it has in force."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment, index=True)
    revision: Mapped[int] = mapped_column(Integer)


class ResponseRow(Base):
    """A remembered answer of ``/v1/responses``, sealed, for whichever worker is asked to go on from it."""

    __tablename__ = "responses"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    body: Mapped[str] = mapped_column(Text)


class VerificationRow(Base):
    """A verification of a list: its state while it runs, and its signed record."""

    __tablename__ = "verifications"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    list_name: Mapped[str] = mapped_column(String(128), index=True)
    entry_id: Mapped[str | None] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(16))  # waiting, running, done, failed
    revision: Mapped[int] = mapped_column(Integer)
    model: Mapped[str] = mapped_column(String(512))
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    by: Mapped[str] = mapped_column(String(128))
    holds: Mapped[bool | None] = mapped_column(Boolean)
    progress: Mapped[dict[str, object]] = mapped_column(JSON)
    record: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))  # sealed as bodies are


class ScheduleRow(Base):
    """When a list is verified again."""

    __tablename__ = "verification_schedules"

    list_name: Mapped[str] = mapped_column(ForeignKey("forget_lists.name", ondelete="CASCADE"), primary_key=True)
    every_seconds: Mapped[int] = mapped_column(Integer)
    settings: Mapped[dict[str, object]] = mapped_column(JSON)
    next_at: Mapped[datetime] = mapped_column(Moment)
