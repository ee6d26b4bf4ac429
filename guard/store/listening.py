"""Hearing at once that another process, or another host, changed the store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Engine

from guard.store.change import CHANNEL

log = structlog.get_logger("letheward.store")

_NUMBER = "SELECT number FROM revision"
_POLL = 0.015  # seconds between looks at SQLite's own change counter, which cost microseconds
_LOOK = 1.0  # seconds without a notification after which Postgres is asked all the same, and after a callback failed
_AGAIN = (0.1, 2.0)  # seconds before the first and before every later attempt to connect


class Listener:
    """A thread that calls back with each new revision, and first with the one that there is.

    It connects again by itself, and then tells what it missed. A callback that fails is logged and called again, soon
    and with the revision that there is by then.
    """

    def __init__(self, engine: Engine, callback: Callable[[int], None]) -> None:
        self._engine = engine
        self._callback = callback
        self._stop = threading.Event()
        self._told: int | None = None
        self._thread = threading.Thread(target=self._run, name="letheward-listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; no callback comes after this, except one that is under way when it is called from a callback."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        listen = self._sqlite if self._engine.dialect.name == "sqlite" else self._postgres
        wait = _AGAIN[0]
        while not self._stop.is_set():
            before = self._told
            try:
                listen()
            except Exception as error:  # noqa: BLE001 - whatever the driver makes of a connection that is gone
                log.warning("store_not_heard", error=type(error).__name__)
                # The pool's other connections went the same way.
                self._engine.dispose()
            wait = _AGAIN[0] if self._told != before else min(2 * wait, _AGAIN[1])
            self._stop.wait(wait)

    def _sqlite(self) -> None:
        connection = self._engine.raw_connection()
        try:
            seen: Any = None
            while not self._stop.is_set():
                version = connection.driver_connection.execute("PRAGMA data_version").fetchone()  # type: ignore[union-attr]
                told = True
                if version != seen:
                    told = self._tell(connection.driver_connection.execute(_NUMBER).fetchone()[0])  # type: ignore[union-attr]
                    seen = version if told else None
                self._stop.wait(_POLL if told else _LOOK)
        finally:
            connection.close()

    def _postgres(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as sqlalchemy_connection:
            connection: Any = sqlalchemy_connection.connection.driver_connection
            try:
                connection.execute(f"LISTEN {CHANNEL}")
                while not self._stop.is_set():
                    self._tell(connection.execute(_NUMBER).fetchone()[0])
                    for _ in connection.notifies(timeout=_LOOK, stop_after=1):
                        pass
            finally:
                sqlalchemy_connection.invalidate()  # what listens does not go back to the pool

    def _tell(self, revision: int) -> bool:
        """Call back with a revision that is new; whether that went well."""
        if revision == self._told or self._stop.is_set():
            return True
        try:
            self._callback(revision)
        except Exception as error:  # noqa: BLE001 - the listener must outlive whatever a callback does
            log.warning("store_callback_failed", revision=revision, error=str(error))
            return False
        self._told = revision
        return True
