"""The keys as this process knows them: looked up in memory, and never more than a moment behind the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from anyio.to_thread import run_sync
from sqlalchemy import select

from guard.schema import AuditHeadRow, AuditRow
from guard.store import Store, StoreError
from server.access.keystore import Key, KeyStore

log = structlog.get_logger("letheward.access")

FRESH = 0.25  # seconds for which nobody asks the store whether something changed
_OLDEST = 1.0  # seconds after which a request waits for the answer,
_PATIENCE = 2.0  # but no longer than this: while the store is away, what was known last goes on
_TOLD = ("key.create", "key.change", "key.revoke", "key.rotate", "session.end")


@dataclass(frozen=True, slots=True)
class _Known:
    """All keys and ended sessions as of the audit log's event ``seq``."""

    seq: int = -1
    by_hash: dict[str, Key] = field(default_factory=dict)
    by_id: dict[str, Key] = field(default_factory=dict)
    ended: frozenset[str] = frozenset()
    has_clients: bool = False


class KnownKeys:
    """Every key of the store, by hash and by id.

    Each change of a key is an event of the audit log, so that one number tells whether there is something to read.
    It is asked for at most four times a second, and a key that was revoked elsewhere ends here within a second.
    """

    def __init__(self, store: Store, *, session_seconds: float) -> None:
        self.store = store
        self._session_seconds = session_seconds
        self.keys = KeyStore(store)
        self._known = _Known()
        self._asked = -float("inf")
        self._away = False
        self._asking: asyncio.Task[None] | None = None

    def find(self, key_hash: str) -> Key | None:
        """The key with that hash, where it works."""
        return self._working(self._known.by_hash.get(key_hash))

    def get(self, key_id: str) -> Key | None:
        """The key with that id, where it works."""
        return self._working(self._known.by_id.get(key_id))

    def ended(self, session_id: str) -> bool:
        """Whether somebody signed out of that session."""
        return session_id in self._known.ended

    @property
    def has_clients(self) -> bool:
        """Whether a client's key was ever made: from then on nobody asks without one, even if all are revoked."""
        return self._known.has_clients

    async def fresh(self) -> None:
        """See that what is known is not old. Waits for the store only where it has not been asked for a second."""
        age = time.monotonic() - self._asked
        if age <= FRESH:
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        if age > _OLDEST and not self._away:
            await asyncio.wait({self._asking}, timeout=_PATIENCE)
            if not self._asking.done():
                self._lost("no answer")

    def read(self) -> None:
        """Take in what the store has now. Blocking.

        Raises:
            StoreError: it cannot be read; what was known stays.
        """
        known = self._known
        with self.store.reading() as session:
            seq = session.execute(select(AuditHeadRow.seq)).scalar_one()
            if seq == known.seq:
                return
            since = select(AuditRow.action, AuditRow.target).where(AuditRow.seq > known.seq, AuditRow.action.in_(_TOLD))
            if known.seq < 0:
                began = datetime.now(UTC) - timedelta(seconds=self._session_seconds)
                since = since.where(AuditRow.at > began)
            told: Sequence[tuple[str, str]] = [(a, t) for a, t in session.execute(since)]
        ended = {target.removeprefix("session ") for action, target in told if action == "session.end"}
        if 0 <= known.seq < seq and all(action == "session.end" for action, _ in told):
            self._known = _Known(seq, known.by_hash, known.by_id, known.ended | ended, known.has_clients)
            return
        keys = self.keys.all()
        self._known = _Known(
            seq, {k.hash: k for k in keys}, {k.id: k for k in keys}, known.ended | ended,
            any(k.role == "client" for k in keys),
        )  # fmt: skip

    async def _ask(self) -> None:
        begun = time.monotonic()
        try:
            await run_sync(self.read)
        except StoreError as error:
            self._lost(str(error))
        else:
            if self._away:
                log.info("keys_fresh_again")
            self._away = False
        self._asked = begun

    def _lost(self, why: str) -> None:
        if not self._away:
            log.warning("keys_not_fresh", why=why, known_until_event=self._known.seq)
        self._away = True

    @staticmethod
    def _working(key: Key | None) -> Key | None:
        return key if key is not None and key.works(datetime.now(UTC)) else None
