"""The store comes up from every earlier schema with what was in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import guard
from guard.model import ForgetList
from guard.store import Store

_BODY = '{"subject": "Zorvan Pelk", "aliases": [], "scope": "subject"}'


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
                " description) VALUES ('people', 'eco', 'refuse', 7.5, NULL, 1, 'g', 'r', 'd')"
            )
        )
        connection.execute(
            text("INSERT INTO entries (list_name, entry_id, position, body) VALUES ('people', '1', 0, :body)"),
            {"body": _BODY},
        )
    engine.dispose()


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004"])
def test_a_store_of_an_earlier_release_opens_with_its_lists(tmp_path: Path, revision: str) -> None:
    url = f"sqlite:///{tmp_path}/lists.db"
    _at(revision, url)
    store = Store.open(url)
    item = store.get_list("people")
    assert (item.sigma, item.scorer, item.false_positive_rate, item.recall_floor) == (7.5, None, None, None)
    assert store.get_entries("people")[0].subject == "Zorvan Pelk"
    assert (item.corruption, item.dims, item.models, item.keep) == ("gaussian", None, (), "text")
    store.put_list(ForgetList("people", scorer="rule", false_positive_rate=0.01, recall_floor=0.99))
    store.close()
    again = Store.open(url)
    assert again.get_list("people").recall_floor == 0.99
    assert again.get_list("people").scorer == "rule"
    again.close()
