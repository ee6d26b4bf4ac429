"""The database itself: transactions, whoever listens to them, what is sealed, and requests that are sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

import orjson
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, InterfaceError, OperationalError, SQLAlchemyError, StatementError
from sqlalchemy.orm import Session

from guard.model import SYSTEM, By
from guard.sealing import SealError, Sealing
from guard.store import requests
from guard.store.change import Change
from guard.store.coding import Coding
from guard.store.engine import connect, reading, wipe, writing
from guard.store.errors import Invalid, StoreError
from guard.store.listening import Listener
from guard.store.resealing import reseal, rows_of
from guard.store.values import Done

log = structlog.get_logger("letheward.store")


class Database:
    """SQLite or Postgres behind SQLAlchemy, with the tables of ``guard.schema``."""

    def __init__(self, engine: Engine, sealing: Sealing) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._reading = reading(engine)
        self._coding = Coding(sealing)
        self._listeners: list[Listener] = []
        self._unwiped = False

    @classmethod
    def open(cls, url: str, keys: Sealing | None = None) -> Self:
        """Open the store at an SQLAlchemy ``url`` and bring its tables up to date; ``keys`` seal what is written.

        Raises:
            StoreError: it cannot be reached or migrated.
        """
        return cls(connect(url), keys or Sealing())

    def close(self) -> None:
        """Stop listening and close the connections."""
        while self._listeners:
            self._listeners.pop().close()
        self._engine.dispose()

    @property
    def sealing(self) -> Sealing:
        """The keys, for what else is kept in this database."""
        return self._coding.sealing

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state and changes nothing."""
        with _faults(), Session(self._reading) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction for tables that no snapshot is made of: it makes no revision."""
        with _faults(), Session(self._writing) as session, session.begin():
            yield session

    @contextmanager
    def changing(self, action: str, *, by: By = SYSTEM, list_name: str | None = None) -> Iterator[Change]:
        """A transaction that makes a revision, with its history and its audit event."""
        with self.writing() as session:
            change = Change.begin(session, self._coding, by, action, list_name)
            yield change
            change.finish()

    def listen(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call back from a thread with every new revision, whoever made it, and first with the present one.

        Several changes may be told as one. Returns what stops it.
        """
        listener = Listener(self._engine, callback)
        self._listeners.append(listener)
        return listener.close

    # Requests that are sent again

    def claim(self, key: str, digest: str, *, now: datetime | None = None) -> Done | None:
        """Take an idempotency key for the request with ``digest``, or tell what it was answered in the last 24 hours.

        Raises:
            InProgress: it is being carried out; a claim that is not renewed for 5 minutes is over.
            KeyReused: the key came with another request.
        """
        with self.writing() as session:
            return requests.claim(session, self.sealing, key, digest, now or utc_now())

    def renew(self, key: str) -> None:
        """Say that the request of a claimed key is still being carried out."""
        with self.writing() as session:
            requests.renew(session, key, utc_now())

    def finish(self, key: str, status: int, answer: Mapping[str, Any]) -> None:
        """Keep the answer to the request of a claimed key."""
        with self.writing() as session:
            requests.finish(session, self.sealing, key, Done(status, answer), utc_now())

    def release(self, key: str) -> None:
        """Give a claimed key back whose request was not carried out."""
        with self.writing() as session:
            requests.release(session, key)

    # Sealing

    def sealable(self) -> int:
        """How many rows ``seal`` looks at, for its progress."""
        with self.reading() as session:
            return rows_of(session)

    def seal(self, progress: Callable[[int], object] = lambda _: None) -> int:
        """Seal every value with the first key, whether it is in the clear or sealed with another; how many were not.

        Changes go on meanwhile. Afterwards no other key is needed.

        Raises:
            StoreError: a value cannot be opened with the keys given.
        """
        done = reseal(self.writing, self._coding, progress)
        if done:
            self._wipe()
        return done

    def _wipe(self) -> None:
        """See that no file holds more than the store does; where that fails now, at the next ``expire``."""
        try:
            wipe(self._engine)
            self._unwiped = False
        except (SQLAlchemyError, StoreError) as error:  # what was to be done is done, and stays done
            self._unwiped = True
            log.warning("store_not_wiped", error=type(error).__name__)


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except SealError as error:
        raise StoreError(str(error)) from error
    except (DataError, OverflowError, UnicodeEncodeError, orjson.JSONEncodeError) as error:
        raise Invalid("a value cannot be stored: too large, or with a NUL or half a surrogate pair") from error
    except SQLAlchemyError as error:
        if isinstance(error, StatementError) and isinstance(error.orig, (UnicodeError, orjson.JSONEncodeError)):
            raise Invalid("a value cannot be stored: it holds half a surrogate pair") from error
        if isinstance(error, (OperationalError, InterfaceError)):  # no connection, or no answer in time
            raise StoreError(
                "the store failed: it cannot be reached or does not answer, so try again when it is back "
                f"({type(error).__name__})"
            ) from error
        raise StoreError(f"the store failed: {type(error).__name__}") from error


def utc_now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)
