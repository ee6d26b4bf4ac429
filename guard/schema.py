"""Tables of the forget-list store."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


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

    __table_args__ = (Index("entries_in_order", "list_name", "position"),)


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
