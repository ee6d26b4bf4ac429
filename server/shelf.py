"""Remembered responses in the store, sealed, for whichever worker is asked to go on from them.

Rows are found by keyed hashes: whoever has the database learns neither texts nor ids nor keys of clients.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import delete, func, insert, select

from guard.schema import ResponseRow
from guard.sealing import SealError, Sealing
from guard.store import Store
from server.dialects.state import Kept

log = structlog.get_logger("letheward.shelf")

KEPT = timedelta(hours=24)
MOST = 200_000  # rows; the oldest go first
LARGEST = 16 * 1024 * 1024  # bytes of a conversation
_AT_ONCE = 500


class Shelf:
    """Blocking, and safe to use from threads. Every method raises ``StoreError`` where the store is away."""

    def __init__(self, store: Store, sealing: Sealing) -> None:
        """Keep in ``store``, sealed with ``sealing``'s keys, which every worker must have.

        Raises:
            SealError: there is no key.
        """
        self._store = store
        self._sealing = sealing
        self._secret = sealing.secret("responses")

    def owner(self, key: str | None) -> str:
        """A name for a client's key, the same in every worker, that does not tell the key."""
        return self._hash("owner", key or "")

    def put(self, owner: str, response_id: str, kept: Kept) -> bool:
        """Keep a response in place of one with the same id; whether it is small enough."""
        if kept.size > LARGEST:
            return False
        own = self._hash("response", owner, response_id)
        now = datetime.now(UTC)
        rows = {own: self._sealing.seal_text(kept.packed.decode(), "response", own)}
        for item_id in kept.ids:
            item = self._hash("item", owner, item_id)
            rows[item] = self._sealing.seal_text(orjson.dumps({"of": response_id}).decode(), "response", item)
        keys = list(rows)
        with self._store.writing() as session:
            if session.get_bind().dialect.name == "postgresql":  # what a crash may lose is a turn of a conversation
                session.connection().exec_driver_sql("SET LOCAL synchronous_commit = off")
            for at in range(0, len(keys), _AT_ONCE):
                session.execute(delete(ResponseRow).where(ResponseRow.id.in_(keys[at : at + _AT_ONCE])))
            values = [{"id": k, "owner": owner, "at": now, "body": sealed} for k, sealed in rows.items()]
            session.execute(insert(ResponseRow), values)
        return True

    def get(self, owner: str, response_id: str) -> Kept | None:
        """A response of that owner."""
        found = self._opened(self._hash("response", owner, response_id))
        if found is None:
            return None
        return Kept.of(tuple(found["items"]), found["response"])

    def holder(self, owner: str, item_id: str) -> str | None:
        """The id of the latest response whose conversation has an item."""
        found = self._opened(self._hash("item", owner, item_id))
        return None if found is None else str(found["of"])

    def delete(self, owner: str, response_id: str) -> None:
        """Forget a response. What still refers to its items finds nothing."""
        with self._store.writing() as session:
            session.execute(delete(ResponseRow).where(ResponseRow.id == self._hash("response", owner, response_id)))

    def tidy(self) -> None:
        """Remove what is too old, and the oldest of too many."""
        with self._store.reading() as session:
            old = datetime.now(UTC) - KEPT
            count = session.execute(select(func.count()).select_from(ResponseRow)).scalar_one()
            if count > MOST:
                newest = select(ResponseRow.at).order_by(ResponseRow.at.desc()).offset(MOST).limit(1)
                old = max(old, _utc(session.execute(newest).scalar_one()))
            due = session.execute(select(ResponseRow.id).where(ResponseRow.at <= old).limit(1)).first()
        if due is not None:
            with self._store.writing() as session:
                session.execute(delete(ResponseRow).where(ResponseRow.at <= old))

    def _opened(self, row_id: str) -> dict[str, Any] | None:
        with self._store.reading() as session:
            query = select(ResponseRow.body).where(ResponseRow.id == row_id, ResponseRow.at > datetime.now(UTC) - KEPT)
            body = session.execute(query).scalar_one_or_none()
        if body is None:
            return None
        try:
            opened: dict[str, Any] = orjson.loads(self._sealing.open_text(body, "response", row_id))
        except SealError as error:
            log.warning("response_not_opened", why=str(error))
            return None
        return opened

    def _hash(self, *parts: str) -> str:
        return hmac.digest(self._secret, orjson.dumps(parts), "sha256").hex()


def shelf_keys(given: Sealing, made: bytes) -> Sealing:
    """The operator's keys, or else what one server's workers share for as long as they run."""
    return given if given.on else Sealing([made])


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
