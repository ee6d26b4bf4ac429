"""The store comes up from every earlier schema with what was in it, in either database."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, inspect, text

import guard
from benchmarks.postgres import Cluster
from guard.model import By, Entry, ForgetList
from guard.schema import Base
from guard.store import Invalid, Store

_BODY = '{"subject": "Zorvan Pelk", "aliases": ["Z\\u00f6"], "answer": null, "scope": "subject"}'
_EARLIER = ["0001", "0002", "0003", "0004"]


@pytest.fixture(params=["sqlite", "postgres"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lists.db"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.create(f"bare_{abs(hash(tmp_path))}")


def _at(revision: str, url: str) -> None:
    """A store as a release of that time left it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(guard.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(
            text(
                "INSERT INTO forget_lists (name, policy, fallback, sigma, threshold, enabled, guideline, refusal,"
                " description) VALUES ('people', 'eco', 'refuse', 7.5, NULL, :on, 'g', 'r', 'd')"
            ),
            {"on": True},
        )
        connection.execute(
            text("INSERT INTO entries (list_name, entry_id, position, body) VALUES ('people', '1', 0, :body)"),
            {"body": _BODY},
        )
        connection.execute(text("UPDATE revision SET number = 12"))
    engine.dispose()


@pytest.mark.parametrize("revision", _EARLIER)
def test_a_store_of_an_earlier_release_opens_with_its_lists(bare_url: str, revision: str) -> None:
    _at(revision, bare_url)
    store = Store.open(bare_url)
    item = store.get_list("people")
    assert (item.sigma, item.scorer, item.false_positive_rate, item.recall_floor) == (7.5, None, None, None)
    assert store.get_entries("people") == [
        Entry("1", "people", subject="Zorvan Pelk", aliases=("Zö",), scope="subject")
    ]
    assert (item.corruption, item.dims, item.models, item.keep, item.enabled) == ("gaussian", None, (), "text", True)
    store.put_list(ForgetList("people", scorer="rule", false_positive_rate=0.01, recall_floor=0.99))
    store.close()
    again = Store.open(bare_url)
    assert again.get_list("people").recall_floor == 0.99
    assert again.get_list("people").scorer == "rule"
    again.close()


@pytest.mark.parametrize("revision", _EARLIER)
def test_what_an_earlier_release_left_can_be_changed_and_brought_back(bare_url: str, revision: str) -> None:
    _at(revision, bare_url)
    store = Store.open(bare_url)
    before = store.load()
    held = store.get_entry("people", "1")
    assert (before.revision, held.revision, held.created_at, held.created_by) == (12, 12, None, "")
    assert store.revisions() == []
    store.put_entry(Entry("1", "people", subject="Another"), expect=12, by=By("ann"))
    assert store.get_entry("people", "1").updated_by == "ann"
    store.put_list(ForgetList("people"), expect=12)
    store.delete_list("people")
    with pytest.raises(Invalid, match="begins after revision 12"):
        store.roll_back(11)
    store.roll_back(12)
    back = store.load()
    assert (back.lists, back.entries) == (before.lists, before.entries)
    assert store.get_entry("people", "1").created_at is None
    store.close()


def test_the_migrations_make_the_tables_that_the_code_knows(store_url: str) -> None:
    Store.open(store_url).close()
    engine = create_engine(store_url)
    found = inspect(engine)
    kept = MetaData()
    kept.reflect(engine)
    assert set(kept.tables) - {"alembic_version"} == set(Base.metadata.tables)
    for name, table in Base.metadata.tables.items():
        columns = {c["name"]: c["nullable"] for c in found.get_columns(name)}
        assert columns == {c.name: bool(c.nullable) for c in table.columns}, name
        assert set(found.get_pk_constraint(name)["constrained_columns"]) == {c.name for c in table.primary_key}
    engine.dispose()
