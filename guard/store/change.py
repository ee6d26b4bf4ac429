"""One change: a transaction that gets the next revision, and tells history, audit log and listeners of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Insert, Table, bindparam, delete, insert, text, update
from sqlalchemy.orm import Session

from guard import audit
from guard.model import By, ForgetList
from guard.schema import ChangeRow, DiffRow, HistoryRow, RevisionRow
from guard.store.coding import Coding, Record, list_json

CHANNEL = "letheward_revision"
# Older than this, what a revision touched is no longer told entry by entry.
KEPT_REVISIONS = 1000
_TRIM_EVERY = 50

# Made once: every change executes them, and making them takes as long as carrying them out.
_REVISION, _TOUCHED = cast(Table, RevisionRow.__table__), cast(Table, ChangeRow.__table__)
_NEXT = update(_REVISION).values(number=_REVISION.c.number + 1).returning(_REVISION.c.number)
_ADD_DIFFS = insert(cast(Table, DiffRow.__table__))
_ADD_TOUCHED = insert(_TOUCHED)
_ADD_HISTORY = insert(cast(Table, HistoryRow.__table__))
_TRIM = delete(_TOUCHED).where(_TOUCHED.c.revision <= bindparam("old"))
_NOTIFY = text("SELECT pg_notify(:channel, :number)")


@dataclass(slots=True)
class Change:
    """A change under way."""

    session: Session
    coding: Coding
    by: By
    action: str
    list_name: str | None
    revision: int
    at: datetime
    entry_id: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    _diffs: list[dict[str, Any]] = field(default_factory=list)
    _touched: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def begin(cls, session: Session, coding: Coding, by: By, action: str, list_name: str | None) -> Change:
        """Take the next revision: changes by several processes stand in line here."""
        revision = session.execute(_NEXT).scalar_one()
        return cls(session, coding, by, action, list_name, revision, datetime.now(UTC))

    def touch(self, list_name: str, entry_ids: Iterable[str]) -> None:
        """Say which entries running servers must take in; "" for every one before."""
        self._touched.update((list_name, entry_id) for entry_id in entry_ids)

    def settings(self, name: str, before: ForgetList | None, after: ForgetList | None) -> None:
        """Note a list's settings before and after."""
        self._diff(name, "", list_json(before) if before else None, list_json(after) if after else None)

    def entry(self, name: str, entry_id: str, before: Record | None, after: Record | None) -> None:
        """Note an entry before and after."""
        self._diff(name, entry_id, before.as_json() if before else None, after.as_json() if after else None)
        self.touch(name, [entry_id])
        self.count("added" if before is None else "removed" if after is None else "updated")

    def count(self, what: str, number: int = 1) -> None:
        """Count for the history."""
        self.counts[what] = self.counts.get(what, 0) + number

    def finish(self) -> None:
        """Write down what the change was."""
        self._insert(_ADD_DIFFS, self._diffs)
        self._insert(
            _ADD_TOUCHED, [{"revision": self.revision, "list_name": n, "entry_id": e} for n, e in sorted(self._touched)]
        )
        if self.revision % _TRIM_EVERY == 0:
            self.session.execute(_TRIM, {"old": self.revision - KEPT_REVISIONS})
        reason = self.coding.sealing.seal_text(self.by.reason, "history", str(self.revision))
        self._insert(
            _ADD_HISTORY,
            [{"revision": self.revision, "at": self.at, "actor": self.by.actor, "action": self.action,
              "list_name": self.list_name, "reason": reason, "counts": self.counts}],
        )  # fmt: skip
        audit.append(
            self.session, at=self.at, by=self.by, action=self.action,
            target="" if self.list_name is None else audit.target(self.list_name, self.entry_id),
            detail={"revision": self.revision} | self.counts | self.detail,
        )  # fmt: skip
        if self.session.get_bind().dialect.name == "postgresql":
            self.session.execute(_NOTIFY, {"channel": CHANNEL, "number": str(self.revision)})

    def _diff(self, name: str, entry_id: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        where = (str(self.revision), name, entry_id)
        self._diffs.append(
            {"revision": self.revision, "list_name": name, "entry_id": entry_id,
             "before": self.coding.diff(before, *where, "before"), "after": self.coding.diff(after, *where, "after")}
        )  # fmt: skip

    def _insert(self, into: Insert, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.session.execute(into, rows)
