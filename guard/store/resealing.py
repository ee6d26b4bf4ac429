"""Sealing what is in the clear, and sealing again what was sealed with an older key, while the store is in use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session

from guard.schema import DiffRow, DoneRow, EntryRow, HistoryRow, ListRow, RevisionRow, VerificationRow
from guard.store.coding import SEALED_TEXTS, Coding

_ROWS = 200  # of one transaction, so that changes get their turn in between
_PAUSE = 0.02  # seconds, as SQLite's waiters look again only now and then


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rows of one table and how a row's columns would be sealed now."""

    table: Any
    keys: tuple[str, ...]
    sealed: Callable[[Coding, Any], dict[str, Any]]  # the columns that are to change


def _body(coding: Coding, row: Any) -> dict[str, Any]:
    return _json(coding, row, "body", "entries", row.list_name, row.entry_id)


def _diff(coding: Coding, row: Any) -> dict[str, Any]:
    where = "diffs", str(row.revision), row.list_name, row.entry_id
    return _json(coding, row, "before", *where, "before") | _json(coding, row, "after", *where, "after")


def _list(coding: Coding, row: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in SEALED_TEXTS:
        found |= _text(coding, row, name, "lists", row.name, name)
    examples = row.examples or []
    if examples and not coding.sealing.fresh(examples[0]):
        found["examples"] = coding.examples(row.name, coding.opened_examples(row.name, examples))
    return found


_KINDS = (
    _Kind(EntryRow.__table__, ("list_name", "entry_id"), _body),
    _Kind(DiffRow.__table__, ("revision", "list_name", "entry_id"), _diff),
    _Kind(ListRow.__table__, ("name",), _list),
    _Kind(HistoryRow.__table__, ("revision",), lambda c, r: _text(c, r, "reason", "history", str(r.revision))),
    _Kind(DoneRow.__table__, ("key",), lambda c, r: _json(c, r, "answer", "requests", r.key)),
    _Kind(VerificationRow.__table__, ("id",), lambda c, r: _json(c, r, "record", "verifications", r.id)),
)


def reseal(begin: Callable[[], Any], coding: Coding, progress: Callable[[int], object]) -> int:
    """Seal every value with the first key; how many were not.

    Args:
        begin: opens a writing transaction (a context manager with a ``Session``).
        coding: with the keys.
        progress: told how many rows were looked at just now.
    """
    done = 0
    for kind in _KINDS:
        after: tuple[Any, ...] | None = ()
        while after is not None:
            with begin() as session:
                after, looked, changed = _some(session, coding, kind, after)
            done += changed
            progress(looked)
            time.sleep(_PAUSE)
    return done


def rows_of(session: Session) -> int:
    """How many rows there are to look at."""
    return sum(session.execute(select(func.count()).select_from(kind.table)).scalar_one() for kind in _KINDS)


def _some(
    session: Session, coding: Coding, kind: _Kind, after: tuple[Any, ...]
) -> tuple[tuple[Any, ...] | None, int, int]:
    """Seal the next rows; where to go on (None at the end), rows looked at, values sealed."""
    # Nobody else changes a row between its reading and its writing.
    session.execute(update(RevisionRow).values(number=RevisionRow.number))
    keys = [kind.table.c[name] for name in kind.keys]
    query = select(kind.table).order_by(*keys).limit(_ROWS)
    rows = session.execute(query.where(tuple_(*keys) > after) if after else query).all()
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if values := kind.sealed(coding, row):
            own = {f"own_{name}": getattr(row, name) for name in kind.keys}
            by_columns.setdefault(tuple(sorted(values)), []).append(values | own)
    for columns, some in by_columns.items():
        place = [key == bindparam(f"own_{key.name}") for key in keys]
        session.connection().execute(update(kind.table).where(*place).values({c: bindparam(c) for c in columns}), some)
    changed = sum(len(columns) * len(some) for columns, some in by_columns.items())
    last = tuple(getattr(rows[-1], name) for name in kind.keys) if len(rows) == _ROWS else None
    return last, len(rows), changed


def _json(coding: Coding, row: Any, column: str, *where: str) -> dict[str, Any]:
    value = getattr(row, column)
    if value is None or coding.sealing.fresh(value):
        return {}
    return {column: coding.sealing.seal(coding.sealing.open(value, *where), *where)}


def _text(coding: Coding, row: Any, column: str, *where: str) -> dict[str, Any]:
    value = getattr(row, column)
    if value is None or coding.sealing.fresh(value):
        return {}
    return {column: coding.sealing.seal_text(coding.sealing.open_text(value, *where), *where)}
