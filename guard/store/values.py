"""What the store tells, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from guard.model import EcoFit, Entry, ForgetList


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything in force in the store at one revision."""

    revision: int
    lists: tuple[ForgetList, ...]
    entries: tuple[Entry, ...]
    fits: tuple[EcoFit, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to entries after a revision."""

    revision: int
    lists: tuple[ForgetList, ...]  # all, as they are now
    entries: tuple[Entry, ...]  # added or replaced, as they are now
    touched: frozenset[tuple[str, str]]  # (list, entry) added, replaced or removed
    emptied: frozenset[str]  # lists of which every entry before was removed
    fits: tuple[EcoFit, ...] = ()  # all, as they are now


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry with what the store knows of it. ``revision``: that last changed it. Moments are None if unknown."""

    entry: Entry
    revision: int
    created_at: datetime | None
    created_by: str
    updated_at: datetime | None
    updated_by: str


@dataclass(frozen=True, slots=True)
class StoredList:
    """A list, its number of entries, and the revision that last changed its settings."""

    forget_list: ForgetList
    entries: int
    revision: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list's entries. ``next`` asks for those after them, None at the end; ``total`` counts all found."""

    entries: list[Stored]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Added:
    """What became of entries that were put: ``updated`` were there before."""

    added: int
    updated: int
    revision: int


@dataclass(frozen=True, slots=True)
class Removed:
    """Which of the entries that were to be removed were there."""

    removed: tuple[str, ...]
    missing: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class RevisionInfo:
    """What a revision was. ``counts``: entries "added", "updated", "removed" and "replaced", where there are any."""

    revision: int
    at: datetime
    actor: str
    action: str
    list_name: str | None  # None where it was about more than one
    reason: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """A list's settings (``entry_id`` None) or an entry, before and after; None where it was not there."""

    list_name: str
    entry_id: str | None
    before: ForgetList | Entry | None
    after: ForgetList | Entry | None


@dataclass(frozen=True, slots=True)
class Done:
    """The answer that a request with an idempotency key got."""

    status: int
    answer: Mapping[str, Any] = field(default_factory=dict)
