"""Forget lists on disk: what was acknowledged survives a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, delete, event, func, insert, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from guard.model import EcoFit, Entry, Example, ForgetList, Kept
from guard.schema import ChangeRow, EntryRow, FitRow, ListRow, RevisionRow


class StoreError(RuntimeError):
    """The store could not be read or written."""


class NotFound(StoreError):
    """There is no such list or entry."""


class Invalid(StoreError):
    """A value that cannot be stored."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything in the store at one revision."""

    revision: int
    lists: tuple[ForgetList, ...]
    entries: tuple[Entry, ...]
    fits: tuple[EcoFit, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to entries after a revision."""

    revision: int
    lists: tuple[ForgetList, ...]  # all, as they are now
    entries: tuple[Entry, ...]  # added or replaced, as they are now
    touched: frozenset[tuple[str, str]]  # (list, entry) added, replaced or removed
    emptied: frozenset[str]  # lists of which every entry before was removed
    fits: tuple[EcoFit, ...] = ()  # all, as they are now


# A server that has more than this to take in reads the whole store again.
_MOST_CHANGES = 20_000
_KEPT_REVISIONS = 1000
# SQLite allows 32766 values in a statement.
_AT_ONCE = 5000


class Store:
    """SQLite or Postgres behind SQLAlchemy. Each method is one transaction; each change adds 1 to the revision."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Open the store at an SQLAlchemy ``url`` and bring its tables up to date.

        Raises:
            StoreError: it cannot be reached or migrated.
        """
        try:
            engine = _engine(url)
            with engine.begin() as connection:
                config = Config()
                config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"the forget-list store {make_url(url)!r} cannot be opened: {error}") from error
        return cls(engine)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise StoreError(f"the store failed: {type(error).__name__}") from error

    @contextmanager
    def _change(self) -> Iterator[tuple[Session, Callable[[str, Iterable[str]], None]]]:
        with self._session() as session:
            # Taken first, so that changes by several processes stand in line.
            session.execute(update(RevisionRow).values(number=RevisionRow.number + 1))
            revision = session.execute(select(RevisionRow.number)).scalar_one()

            def touch(list_name: str, entry_ids: Iterable[str]) -> None:
                rows = [{"revision": revision, "list_name": list_name, "entry_id": e} for e in entry_ids]
                if rows:
                    session.execute(insert(ChangeRow), rows)

            yield session, touch
            session.execute(delete(ChangeRow).where(ChangeRow.revision <= revision - _KEPT_REVISIONS))

    def changes(self, since: int) -> Changes | None:
        """What happened after the revision ``since``; None where reading everything is the better way."""
        with self._session() as session:
            revision = session.execute(select(RevisionRow.number)).scalar_one()
            after = ChangeRow.revision > since
            count = session.execute(select(func.count()).select_from(ChangeRow).where(after)).scalar_one()
            if since > revision or since <= revision - _KEPT_REVISIONS or count > _MOST_CHANGES:
                return None
            lists = tuple(map(_list, session.execute(select(ListRow).order_by(ListRow.name)).scalars()))
            rows = session.execute(select(ChangeRow.list_name, ChangeRow.entry_id).where(after)).all()
            touched: dict[str, list[str]] = {}
            for name, entry_id in dict.fromkeys((r[0], r[1]) for r in rows):
                touched.setdefault(name, []).append(entry_id)
            emptied = {name for name, ids in touched.items() if "" in ids}
            entries: list[Entry] = []
            for name, ids in touched.items():
                own = select(EntryRow).where(EntryRow.list_name == name).order_by(EntryRow.position)
                if name in emptied:
                    entries += map(_entry, session.execute(own).scalars())
                    continue
                for at in range(0, len(ids), _AT_ONCE):
                    some = own.where(EntryRow.entry_id.in_(ids[at : at + _AT_ONCE]))
                    entries += map(_entry, session.execute(some).scalars())
            keys = frozenset((n, e) for n, ids in touched.items() for e in ids if e)
            return Changes(revision, lists, tuple(entries), keys, frozenset(emptied), _fits(session))

    def revision(self) -> int:
        """How many changes there have been."""
        with self._session() as session:
            return session.execute(select(RevisionRow.number)).scalar_one()

    def load(self) -> Contents:
        """Everything, at one revision."""
        with self._session() as session:
            revision = session.execute(select(RevisionRow.number)).scalar_one()
            lists = session.execute(select(ListRow).order_by(ListRow.name)).scalars()
            entries = session.execute(select(EntryRow).order_by(EntryRow.list_name, EntryRow.position)).scalars()
            return Contents(revision, tuple(map(_list, lists)), tuple(map(_entry, entries)), _fits(session))

    def list_lists(self) -> list[tuple[ForgetList, int]]:
        """Every list with its number of entries, by name."""
        count = select(func.count()).where(EntryRow.list_name == ListRow.name).scalar_subquery()
        with self._session() as session:
            return [(_list(row), n) for row, n in session.execute(select(ListRow, count).order_by(ListRow.name))]

    def get_list(self, name: str) -> ForgetList:
        """One list.

        Raises:
            NotFound: there is none of that name.
        """
        with self._session() as session:
            return _list(_existing(session, name))

    def put_list(self, forget_list: ForgetList) -> None:
        """Create or replace a list's settings; its entries stay.

        Raises:
            Invalid: it is to keep no texts, and has entries with texts (``replace_entries``).
        """
        with self._change() as (session, _):
            before = session.get(ListRow, forget_list.name)
            if before is not None and forget_list.keep == "vectors" != before.keep:
                own = select(EntryRow).where(EntryRow.list_name == forget_list.name)
                _no_texts(forget_list.name, map(_entry, session.execute(own).scalars()))
            session.merge(ListRow(**asdict(forget_list)))

    def delete_list(self, name: str) -> None:
        """Delete a list with its entries.

        Raises:
            NotFound: there is none of that name.
        """
        with self._change() as (session, touch):
            session.delete(_existing(session, name))
            touch(name, [""])

    def get_entries(self, name: str, *, offset: int = 0, limit: int | None = None) -> list[Entry]:
        """A list's entries in the order in which they were added."""
        with self._session() as session:
            _existing(session, name)
            query = select(EntryRow).where(EntryRow.list_name == name).order_by(EntryRow.position, EntryRow.entry_id)
            return [_entry(row) for row in session.execute(query.offset(offset).limit(limit)).scalars()]

    def add_entries(self, name: str, entries: Sequence[Entry]) -> int:
        """Add entries, replacing those of the same id; returns how many are new.

        Raises:
            NotFound: there is no such list.
            Invalid: an entry has texts, and the list keeps none.
        """
        with self._change() as (session, touch):
            if _existing(session, name).keep == "vectors":
                _no_texts(name, entries)
            touch(name, {e.entry_id for e in entries})
            own = EntryRow.list_name == name
            ids = list({e.entry_id for e in entries})
            known: set[str] = set()
            for at in range(0, len(ids), _AT_ONCE):
                some = EntryRow.entry_id.in_(ids[at : at + _AT_ONCE])
                known.update(session.execute(select(EntryRow.entry_id).where(own, some)).scalars())
            last = session.execute(select(func.max(EntryRow.position)).where(own)).scalar_one()
            position = -1 if last is None else last
            new = 0
            for entry in {e.entry_id: e for e in entries}.values():
                if entry.entry_id in known:
                    session.execute(
                        update(EntryRow).where(own, EntryRow.entry_id == entry.entry_id).values(body=_body(entry))
                    )
                    continue
                new += 1
                session.add(
                    EntryRow(list_name=name, entry_id=entry.entry_id, position=position + new, body=_body(entry))
                )
            return new

    def replace_entries(self, name: str, entries: Sequence[Entry]) -> None:
        """Put ``entries`` in place of all that a list has, of which no trace is left.

        Raises:
            NotFound: there is no such list.
        """
        with self._change() as (session, touch):
            _existing(session, name)
            session.execute(delete(EntryRow).where(EntryRow.list_name == name))
            session.execute(delete(ChangeRow).where(ChangeRow.list_name == name))  # ids may tell something too
            distinct = {e.entry_id: e for e in entries}
            rows = [{"list_name": name, "entry_id": e.entry_id, "position": i, "body": _body(e)}
                    for i, e in enumerate(distinct.values())]  # fmt: skip
            if rows:
                session.execute(insert(EntryRow), rows)
            touch(name, ["", *distinct])
        self._wipe()

    def _wipe(self) -> None:
        """See that the log of changes holds nothing that is gone from the store."""
        if self._engine.dialect.name != "sqlite":
            return
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        except SQLAlchemyError as error:
            raise StoreError(f"the store failed: {type(error).__name__}") from error

    def put_fit(self, fit: EcoFit) -> None:
        """Keep a fitted strength; one for the same list and model is replaced.

        Raises:
            NotFound: there is no such list.
        """
        body = {k: v for k, v in asdict(fit).items() if k not in ("list_name", "model")}
        with self._change() as (session, _):
            _existing(session, fit.list_name)
            session.merge(FitRow(list_name=fit.list_name, model=fit.model, body=body))

    def remove_fit(self, name: str, model: str) -> None:
        """Forget a fitted strength.

        Raises:
            NotFound: there is none for that list and model.
        """
        with self._change() as (session, _):
            row = session.get(FitRow, (name, model))
            if row is None:
                raise NotFound(f"the list {name!r} has no fit for the model {model!r}")
            session.delete(row)

    def remove_fits(self, name: str) -> None:
        """Forget every fitted strength of a list, if there are any."""
        with self._change() as (session, _):
            session.execute(delete(FitRow).where(FitRow.list_name == name))

    def fits(self, name: str) -> list[EcoFit]:
        """The fitted strengths of a list, by model."""
        with self._session() as session:
            rows = session.execute(select(FitRow).where(FitRow.list_name == name).order_by(FitRow.model)).scalars()
            return [_fit(row) for row in rows]

    def remove_entry(self, name: str, entry_id: str) -> None:
        """Remove one entry.

        Raises:
            NotFound: there is no such entry.
        """
        with self._change() as (session, touch):
            gone = session.execute(
                delete(EntryRow)
                .where(EntryRow.list_name == name, EntryRow.entry_id == entry_id)
                .returning(EntryRow.entry_id)
            ).all()
            if not gone:
                raise NotFound(f"the list {name!r} has no entry {entry_id!r}")
            touch(name, [entry_id])


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def durable(connection: Any, _: Any) -> None:
        # FULL: a commit returns only when the log is on disk, so an acknowledged change survives a power cut.
        # secure_delete: what is deleted is overwritten.
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "secure_delete=ON",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _existing(session: Session, name: str) -> ListRow:
    row = session.get(ListRow, name)
    if row is None:
        raise NotFound(f"there is no list {name!r}")
    return row


def _no_texts(name: str, entries: Iterable[Entry]) -> None:
    if any(entry.kept is None for entry in entries):
        raise Invalid(f"the list {name!r} keeps vectors only, and an entry comes with its texts")


def _list(row: ListRow) -> ForgetList:
    values = {c.name: getattr(row, c.name) for c in ListRow.__table__.columns if c.name != "revision"}
    values |= {key: tuple(values[key] or ()) for key in ("models", "tenants")}
    values["examples"] = tuple(Example(**e) for e in values["examples"] or ())
    return ForgetList(**values)


def _fits(session: Session) -> tuple[EcoFit, ...]:
    rows = session.execute(select(FitRow).order_by(FitRow.list_name, FitRow.model)).scalars()
    return tuple(_fit(row) for row in rows)


def _fit(row: FitRow) -> EcoFit:
    body: dict[str, Any] = dict(row.body)
    return EcoFit(list_name=row.list_name, model=row.model, **body)


def _body(entry: Entry) -> dict[str, object]:
    return {k: v for k, v in asdict(entry).items() if k not in ("entry_id", "list_name", "expires_at")}


def _entry(row: EntryRow) -> Entry:
    body: dict[str, Any] = dict(row.body)
    for key in ("aliases", "paraphrases", "labels"):
        body[key] = tuple(body.get(key) or ())
    if body.get("kept"):
        kept = dict(body["kept"])
        body["kept"] = Kept(**kept | {key: tuple(kept[key]) for key in ("vectors", "names", "values")})
    return Entry(entry_id=row.entry_id, list_name=row.list_name, **body)
