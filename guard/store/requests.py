"""Idempotency keys: a request that is sent again gets the answer that it got the first time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from guard.schema import DoneRow
from guard.sealing import Sealing
from guard.store.errors import InProgress, KeyReused
from guard.store.values import Done

KEPT = timedelta(hours=24)
# Whoever claimed a key and neither finished nor renewed it for so long has died.
ABANDONED = timedelta(minutes=5)


def claim(session: Session, sealing: Sealing, key: str, digest: str, now: datetime) -> Done | None:
    """Take ``key`` for a request, or tell what it was answered before."""
    left = DoneRow.status.is_(None) & (DoneRow.at <= now - ABANDONED)
    session.execute(delete(DoneRow).where(or_(DoneRow.at <= now - KEPT, left)))
    row = session.get(DoneRow, key)
    if row is None:
        try:
            session.add(DoneRow(key=key, digest=digest, at=now, status=None, answer=None))
            session.flush()
        except IntegrityError as error:  # another claimed it at this moment
            raise InProgress("a request with this idempotency key is being carried out") from error
        return None
    if row.digest != digest:
        raise KeyReused("this idempotency key was used for another request")
    if row.status is None:
        raise InProgress("a request with this idempotency key is being carried out")
    return Done(row.status, sealing.open(row.answer or {}, "requests", key))


def renew(session: Session, key: str, now: datetime) -> None:
    """Say that the request is still being carried out."""
    session.execute(update(DoneRow).where(DoneRow.key == key, DoneRow.status.is_(None)).values(at=now))


def finish(session: Session, sealing: Sealing, key: str, done: Done, now: datetime) -> None:
    """Keep the answer."""
    answer: Mapping[str, Any] = sealing.seal(done.answer, "requests", key)
    own = update(DoneRow).where(DoneRow.key == key)
    session.execute(own.values(status=done.status, answer=answer, at=now))


def release(session: Session, key: str) -> None:
    """Give a key back whose request was not carried out."""
    session.execute(delete(DoneRow).where(DoneRow.key == key, DoneRow.status.is_(None)))
