"""The database behind the store: SQLite for one machine, Postgres for many."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from guard.store.errors import StoreError

MIGRATIONS = Path(__file__).parent.parent / "migrations"
# FULL: a commit returns only when the log is on disk, so an acknowledged change survives a power cut.
# secure_delete: what is deleted is overwritten.
_PRAGMAS = (
    "busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON",
)  # fmt: skip
# A host that is gone is noticed in seconds, not after the two hours that are usual.
_LIVELY = {
    "connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip
_PATIENCE = 1000  # ms that wiping waits for readers
_MIGRATING = 0x1E7E_3A4D  # any number, the same in every process


def connect(url: str) -> Engine:
    """The engine for ``url``, with the tables up to date.

    Raises:
        StoreError: it cannot be reached or migrated.
    """
    parsed = parsed_url(url)
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else postgres(parsed)
        with writing(engine).begin() as connection:
            _migrate(connection)
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the forget-list store {parsed!r} cannot be opened: {error}") from error
    return engine


def parsed_url(url: str) -> URL:
    """``url`` in its parts.

    Raises:
        StoreError: it is none.
    """
    try:
        return make_url(url)
    except ArgumentError as error:  # which may hold a password, at a place where nobody knows it for one
        raise StoreError("the store's URL is none: use sqlite:///FILE or postgresql://USER@HOST/NAME") from error


def writing(engine: Engine) -> Engine:
    """``engine`` for transactions that change something."""
    return engine.execution_options(letheward_writes=True)


def reading(engine: Engine) -> Engine:
    """``engine`` for transactions that see one state from beginning to end."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def wipe(engine: Engine) -> None:
    """See that the files hold nothing more of what is gone from the tables.

    Postgres' own log and backups are the operator's.

    Raises:
        StoreError: somebody was reading all the while.
        SQLAlchemyError: the database failed.
    """
    if engine.dialect.name == "sqlite":
        with contextlib.closing(engine.raw_connection()) as raw:
            driver: Any = raw.driver_connection
            driver.execute(f"PRAGMA busy_timeout={_PATIENCE}")
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            driver.execute(f"PRAGMA {_PRAGMAS[0]}")
        if busy:
            raise StoreError("somebody reads the store")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"SET lock_timeout = {_PATIENCE}")
        try:
            for table in ("entries", "diffs", "changes", "forget_lists", "history", "idempotent_requests"):
                connection.exec_driver_sql(f"VACUUM (FULL) {table}")
        finally:
            connection.invalidate()  # others are more patient


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:" and not url.query.get("uri"):
        file = Path(url.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # SQLite gives what it makes beside the file the file's own mode
    engine = create_engine(url, json_serializer=_dumped, json_deserializer=orjson.loads)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver would begin a transaction only at the first change, so that reads see no one state.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("letheward_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def postgres(url: URL) -> Engine:
    """The engine for a Postgres at ``url``; nothing is asked of it yet.

    Raises:
        StoreError: it is another database, or the driver is missing.
    """
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise StoreError(f"the store can be SQLite or Postgres, and not {url.get_backend_name()}")
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    lively = {key: value for key, value in _LIVELY.items() if key not in url.query}
    try:
        engine = create_engine(
            url, pool_pre_ping=True, connect_args=lively, json_serializer=_dumped, json_deserializer=orjson.loads
        )
    except ImportError as error:
        raise StoreError("Postgres needs a driver: pip install 'letheward[postgres]'") from error

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            # Rather a clear failure than requests that wait for ever behind a client that hangs.
            cursor.execute("SET lock_timeout = '10s'")
            cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
        connection.commit()

    return engine


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # workers start at the same time
        connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _dumped(value: Any) -> str:
    return orjson.dumps(value).decode()
