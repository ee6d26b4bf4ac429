"""The audit log: what the database forbids, and what a check finds where somebody got round that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DatabaseError

from guard import audit
from guard.audit_check import Checkpoint, Event, check, events, head, verify
from guard.migrations.append_only import allow_changes
from guard.model import By
from guard.store import Store

ANN = By("Ann", "operator")
LENGTH = 8


def write(store: Store, count: int) -> None:
    for i in range(count):
        with store.writing() as session:
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=i, microseconds=i)
            audit.append(
                session, at=at, by=ANN, action="entry.add", target=f"list/{i}", detail={"n": i, "x": [0.1, None]}
            )


@pytest.fixture
def written(store: Store) -> Store:
    write(store, LENGTH)
    return store


@pytest.fixture
def raw(written: Store, store_url: str) -> Iterator[Connection]:
    """The database as somebody has it who does not go by the store."""
    engine = create_engine(store_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def report(store: Store, checkpoint: Checkpoint | None = None) -> list[str]:
    with store.reading() as session:
        return [f"{fault.seq}: {fault.message}" for fault in verify(session, checkpoint).faults]


def end(store: Store) -> Checkpoint:
    with store.reading() as session:
        return head(session)


def test_an_untouched_log_holds(written: Store) -> None:
    before = end(written)
    write(written, 3)
    assert report(written) == []
    assert report(written, before) == []
    with written.reading() as session:
        assert verify(session, before).events == LENGTH + 3
        assert [e.target for e in events(session, after=2, limit=2)] == ["list/2", "list/3"]


def test_an_empty_log_holds(store: Store) -> None:
    assert report(store) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'Eve' WHERE seq = 3", "DELETE FROM audit WHERE seq = 8", "DELETE FROM audit",
        "UPDATE audit_head SET seq = 2", "UPDATE audit_head SET seq = seq + 2", "DELETE FROM audit_head",
        "UPDATE audit_head SET id = 2", "INSERT INTO audit_head VALUES (2, 0, '')",
    ],
)  # fmt: skip
def test_the_database_forbids_changes(written: Store, raw: Connection, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        raw.execute(text(statement))
    raw.rollback()
    assert report(written) == []


def test_sqlites_replace_is_forbidden_and_postgress_truncate(written: Store, raw: Connection) -> None:
    copied = "SELECT seq, at, 'Eve', role, action, target, detail, before, hash FROM audit WHERE seq = 3"
    sqlite = raw.dialect.name == "sqlite"
    with pytest.raises(DatabaseError, match="append-only"):
        raw.execute(text(f"INSERT OR REPLACE INTO audit {copied}" if sqlite else "TRUNCATE audit"))
    raw.rollback()
    assert report(written) == []


def _sql(statement: str) -> Callable[[Connection], None]:
    return lambda raw: raw.execute(text(statement)) and None


def _swap(raw: Connection) -> None:
    for pair in ("-1 WHERE seq = 3", "3 WHERE seq = 4", "4 WHERE seq = -1"):
        raw.execute(text(f"UPDATE audit SET seq = {pair}"))


def _rechain(raw: Connection, start: int) -> None:
    """Write hashes anew from ``start`` on, as somebody does who has read this code."""
    before = raw.execute(text(f"SELECT hash FROM audit WHERE seq = {start - 1}")).scalar_one_or_none() or "0" * 64
    names = ("seq", "at", "actor", "role", "action", "target", "detail")
    for row in raw.execute(text(f"SELECT {', '.join(names)} FROM audit WHERE seq >= {start} ORDER BY seq")).all():
        values = dict(zip(names, row, strict=True))
        if isinstance(values["at"], str):
            values["at"] = datetime.fromisoformat(values["at"]).replace(tzinfo=UTC)
            values["detail"] = json.loads(values["detail"])
        digest = audit.chained(before, values)
        raw.execute(text(f"UPDATE audit SET before = '{before}', hash = '{digest}' WHERE seq = {values['seq']}"))
        before = digest
    last = raw.execute(text("SELECT max(seq) FROM audit")).scalar_one()
    raw.execute(text(f"UPDATE audit_head SET seq = {last}, hash = '{before}'"))


def _forged(raw: Connection) -> None:
    raw.execute(text("UPDATE audit SET actor = 'Eve' WHERE seq = 4"))
    _rechain(raw, 4)


def _cut(raw: Connection) -> None:
    raw.execute(text("DELETE FROM audit WHERE seq > 5"))
    _rechain(raw, 5)


CLUMSY = {
    "who": _sql("UPDATE audit SET actor = 'Eve' WHERE seq = 3"),
    "role": _sql("UPDATE audit SET role = 'admin' WHERE seq = 3"),
    "what": _sql("UPDATE audit SET action = 'entry.remove' WHERE seq = 3"),
    "to what": _sql("UPDATE audit SET target = 'list/9' WHERE seq = 3"),
    "when": _sql("UPDATE audit SET at = '2026-01-01 00:00:09' WHERE seq = 3"),
    "detail": _sql("UPDATE audit SET detail = '{\"n\": 7}' WHERE seq = 3"),
    "detail that is none": _sql("UPDATE audit SET detail = '[1]' WHERE seq = 3"),
    "the last": _sql("UPDATE audit SET actor = 'Eve' WHERE seq = 8"),
    "the first": _sql("UPDATE audit SET actor = 'Eve' WHERE seq = 1"),
    "hash": _sql(f"UPDATE audit SET hash = '{'a' * 64}' WHERE seq = 3"),
    "before": _sql(f"UPDATE audit SET before = '{'a' * 64}' WHERE seq = 3"),
    "one removed": _sql("DELETE FROM audit WHERE seq = 3"),
    "the first removed": _sql("DELETE FROM audit WHERE seq = 1"),
    "the last removed": _sql("DELETE FROM audit WHERE seq = 8"),
    "all removed": _sql("DELETE FROM audit"),
    "two swapped": _swap,
    "one twice": _sql(
        "INSERT INTO audit SELECT 9, at, actor, role, action, target, detail, before, hash FROM audit WHERE seq = 8"
    ),
    "the head moved": _sql("UPDATE audit_head SET seq = 7"),
    "the head gone": _sql("DELETE FROM audit_head"),
}


@pytest.mark.parametrize("kind", CLUMSY)
def test_tampering_is_found(written: Store, raw: Connection, kind: str) -> None:
    allow_changes(raw)
    CLUMSY[kind](raw)
    raw.commit()
    assert report(written)


@pytest.mark.parametrize("garbage", ["at = 'yesterday'", "detail = 'x'", "at = 5", "action = x'00ff'", "hash = 'é'"])
def test_garbage_in_a_row_is_found_and_not_fallen_over(tmp_path: Path, garbage: str) -> None:
    url = f"sqlite:///{tmp_path}/garbage.db"  # Postgres keeps to the types of its columns
    store = Store.open(url)
    write(store, LENGTH)
    with create_engine(url).begin() as raw:
        allow_changes(raw)
        raw.execute(text(f"UPDATE audit SET {garbage} WHERE seq = 3"))
    assert report(store)
    store.close()


@pytest.mark.parametrize("rewrite", [_forged, _cut])
def test_a_log_written_anew_is_found_by_a_checkpoint(
    written: Store, raw: Connection, rewrite: Callable[[Connection], None]
) -> None:
    before = end(written)
    allow_changes(raw)
    rewrite(raw)
    raw.commit()
    assert report(written) == []  # which is why there are checkpoints
    assert report(written, before)
    write(written, LENGTH)
    assert report(written, before)


EVENTS = [Event(i, datetime(2026, 1, 1, tzinfo=UTC), "Ann", "admin", "x", "y", {"n": i}, "", "") for i in range(1, 30)]


def chain(found: list[Event]) -> list[Event]:
    before, chained = "0" * 64, []
    for event in found:
        linked = replace(event, before=before)
        chained.append(replace(linked, hash=linked.own_hash()))
        before = chained[-1].hash
    return chained


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(st.integers(0, 28), max_size=29))
def test_no_other_choice_or_order_of_events_holds(order: list[int]) -> None:
    whole = chain(EVENTS)
    picked = [whole[i] for i in order]
    is_start = order == list(range(len(order)))
    assert check(picked).holds == is_start
    last = whole[-1]
    assert check(picked, checkpoint=Checkpoint(last.seq, last.hash)).holds == (is_start and len(order) == 29)


def test_an_export_reads_back(written: Store) -> None:
    with written.reading() as session:
        told = [event.told() for event in events(session)]
    assert check(map(Event.read, told)).holds
    told[2]["actor"] = "Eve"
    assert not check(map(Event.read, told)).holds


@pytest.mark.parametrize("wrong", ["", "5", "5:abc", f"x:{'a' * 64}", f"-1:{'a' * 64}", f"5:{'A' * 64}"])
def test_what_is_no_checkpoint_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="checkpoint"):
        Checkpoint.read(wrong)
