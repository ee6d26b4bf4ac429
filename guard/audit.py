"""The audit log: who did what, each event chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.orm import Session

from guard.model import By
from guard.schema import AuditHeadRow, AuditRow

_AUDIT, _HEAD = cast(Table, AuditRow.__table__), cast(Table, AuditHeadRow.__table__)
# The head is changed first: whoever appends stands in line behind it.
_NEXT = update(_HEAD).values(seq=_HEAD.c.seq + 1).returning(_HEAD.c.seq, _HEAD.c.hash)
_ADD = insert(_AUDIT)
_CLOSE = update(_HEAD).values(hash=bindparam("digest"))


def append(
    session: Session, *, at: datetime, by: By, action: str, target: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Add an event in the caller's transaction: it stands or falls with what it tells of.

    Args:
        session: a writing transaction of the store.
        at: when, with its zone.
        by: who; the reason is not taken over, as it may name what is forgotten.
        action: such as "entry.add".
        target: what it was done to; see ``target``.
        detail: numbers and names of settings, never a text of an entry, a prompt or an answer.
    """
    seq, before = session.execute(_NEXT).one()
    row = {"seq": seq, "at": at.astimezone(UTC), "actor": by.actor, "role": by.role, "action": action,
           "target": target, "detail": dict(detail or {})}  # fmt: skip
    digest = chained(before, row)
    session.execute(_ADD, [row | {"before": before, "hash": digest}])
    session.execute(_CLOSE, {"digest": digest})


def target(list_name: str, entry_id: str | None = None) -> str:
    """What names a list or an entry in the log, which can never be cleared: an id, which may be a name, as a digest.

    Whoever asks what was done to an entry whose id he knows looks for this.
    """
    if entry_id is None:
        return list_name
    return f"{list_name}/{hashlib.sha256(f'{list_name}/{entry_id}'.encode()).hexdigest()[:16]}"


def chained(before: str, row: Mapping[str, Any]) -> str:
    """The hash of ``row`` after the hash ``before``: SHA-256 of both, the row as JSON with sorted keys."""
    told = {key: row[key] for key in ("seq", "actor", "role", "action", "target", "detail")}
    told["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256((before + json.dumps(told, sort_keys=True, separators=(",", ":"))).encode()).hexdigest()
