"""A look at a store that changes nothing in it: how far its tables are, and what its clock says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from guard.store.engine import MIGRATIONS, parsed_url, postgres
from guard.store.errors import StoreError


@dataclass(frozen=True, slots=True)
class Looked:
    """What a store is like.

    Attributes:
        file: that it is in; None where it is in Postgres or in memory.
        at: the migration that its tables are at; None where there are none yet.
        newest: the one that this version brings them to.
        known: whether this version knows ``at``. It does not where a newer version made the tables.
        clock: the time of the database's host; None where it has no clock of its own.
    """

    file: Path | None
    at: str | None
    newest: str
    known: bool
    clock: datetime | None = None

    @property
    def current(self) -> bool:
        """Whether nothing is left to migrate."""
        return self.at == self.newest


def look(url: str) -> Looked:
    """Look at the store at an SQLAlchemy ``url``. What is not there is not made.

    Raises:
        StoreError: it cannot be reached or read.
    """
    script = ScriptDirectory(str(MIGRATIONS))
    newest = script.get_current_head() or ""
    known = {each.revision for each in script.walk_revisions()}
    parsed = parsed_url(url)
    file = _file(parsed)
    try:
        if parsed.get_backend_name() == "sqlite" and (file is None or not file.exists()):
            return Looked(file, None, newest, known=True)
        engine = postgres(parsed) if file is None else _read_only(file)
        try:
            at, clock = _asked(engine)
        finally:
            engine.dispose()
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the forget-list store {parsed!r} cannot be read: {error}") from error
    return Looked(file, at, newest, at is None or at in known, clock)


def _file(url: URL) -> Path | None:
    in_memory = not url.database or url.database == ":memory:"
    return None if url.get_backend_name() != "sqlite" or in_memory else Path(str(url.database))


def _read_only(file: Path) -> Engine:
    query = {"mode": "ro", "uri": "true"}
    return create_engine(URL.create("sqlite", database=file.absolute().as_uri(), query=query))


def _asked(engine: Engine) -> tuple[str | None, datetime | None]:
    with engine.connect() as connection:
        at = MigrationContext.configure(connection).get_current_revision()
        own = engine.dialect.name == "postgresql"
        clock = connection.execute(text("SELECT clock_timestamp()")).scalar_one() if own else None
        return at, clock.astimezone(UTC) if clock else None
