"""API keys in the store: made, changed, rotated and revoked, each with its event in the audit log."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from guard import audit
from guard.model import By
from guard.schema import KeyRow
from guard.store import NotFound, Store
from server.access.principal import Principal, Role
from server.access.secret_keys import hash_of, make_key

# What may be changed afterwards. The role is in the key's own text, and stays.
CHANGEABLE = ("name", "lists", "may_choose", "requests_per_minute", "concurrent_requests", "expires_at")


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept, without its text."""

    id: str
    hash: str
    name: str
    role: Role
    lists: tuple[str, ...]
    may_choose: tuple[str, ...]
    requests_per_minute: int | None
    concurrent_requests: int | None
    expires_at: datetime | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    rotated_from: str | None

    def works(self, now: datetime) -> bool:
        """Whether it opens anything at ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def principal(self) -> Principal:
        """Whom it stands for."""
        return Principal(
            self.id, self.name, self.role, self.lists, frozenset(self.may_choose),
            self.name if self.role == "client" else None, self.requests_per_minute, self.concurrent_requests,
        )  # fmt: skip


class KeyGone(NotFound):
    """There is no such key, or it no longer works."""


class KeyStore:
    """The table of keys. Blocking; each method is one transaction. Rows stay, so that the audit log can be read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[Key]:
        """Every key that there ever was, the oldest first."""
        with self._store.reading() as session:
            rows = session.execute(select(KeyRow).order_by(KeyRow.created_at, KeyRow.id)).scalars()
            return [_key(row) for row in rows]

    def create(self, role: Role, settings: Mapping[str, Any], by: By) -> tuple[Key, str]:
        """A new key and its text, which is told this once. ``settings``: of ``CHANGEABLE``."""
        with self._store.writing() as session:
            return _added(session, role, settings, by, "key.create")

    def change(self, key_id: str, settings: Mapping[str, Any], by: By) -> Key:
        """Change some of ``CHANGEABLE``.

        Raises:
            KeyGone: there is no such key that works.
        """
        with self._store.writing() as session:
            row = _working(session, key_id)
            for name, value in settings.items():
                setattr(row, name, value)
            _tell(session, by, "key.change", key_id, {"changed": sorted(settings)})
            return _key(row)

    def revoke(self, key_id: str, by: By) -> Key:
        """End a key.

        Raises:
            KeyGone: there is no such key, or it was revoked before.
        """
        with self._store.writing() as session:
            row = session.get(KeyRow, key_id)
            if row is None or row.revoked_at is not None:
                raise KeyGone(f"there is no key {key_id!r}, or it is revoked")
            row.revoked_at = datetime.now(UTC)
            _tell(session, by, "key.revoke", key_id, {})
            return _key(row)

    def rotate(self, key_id: str, grace: timedelta, by: By) -> tuple[Key, str]:
        """A key like ``key_id`` in its place, which goes on working for ``grace``.

        Raises:
            KeyGone: there is no such key that works.
        """
        with self._store.writing() as session:
            row = _working(session, key_id)
            settings = {name: getattr(row, name) for name in CHANGEABLE}
            ends = datetime.now(UTC) + grace
            row.expires_at = ends if row.expires_at is None else min(row.expires_at, ends)
            return _added(session, _key(row).role, settings, by, "key.rotate", rotated_from=key_id)


def _added(
    session: Session, role: Role, settings: Mapping[str, Any], by: By, action: str, *, rotated_from: str | None = None
) -> tuple[Key, str]:
    text = make_key(role)
    row = KeyRow(
        id=secrets.token_hex(8), hash=hash_of(text), role=role, created_at=datetime.now(UTC), created_by=by.actor,
        revoked_at=None, rotated_from=rotated_from, **{name: settings.get(name) for name in CHANGEABLE},
    )  # fmt: skip
    row.lists, row.may_choose = list(row.lists or ()), list(row.may_choose or ())
    session.add(row)
    session.flush()
    _tell(session, by, action, row.id, {"role": role} | ({"from": rotated_from} if rotated_from else {}))
    return _key(row), text


def _working(session: Session, key_id: str) -> KeyRow:
    row = session.get(KeyRow, key_id)
    if row is None or not _key(row).works(datetime.now(UTC)):
        raise KeyGone(f"there is no key {key_id!r}, or it is revoked or has expired")
    return row


def _tell(session: Session, by: By, action: str, key_id: str, detail: Mapping[str, Any]) -> None:
    session.flush()
    audit.append(session, at=datetime.now(UTC), by=by, action=action, target=f"key {key_id}", detail=detail)


def _key(row: KeyRow) -> Key:
    values = {name: getattr(row, name) for name in Key.__dataclass_fields__}
    tuples: dict[str, Sequence[str]] = {name: tuple(values[name] or ()) for name in ("lists", "may_choose")}
    return Key(**values | tuples)
