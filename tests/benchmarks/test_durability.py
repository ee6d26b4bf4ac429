"""What was acknowledged survives kill -9, whole, in either database; and the measurement would notice if not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.durability import State, look, measure_postgres, measure_sqlite
from benchmarks.postgres import Cluster
from guard.store import Store


@pytest.fixture
def own_postgres(postgres: Cluster) -> Iterator[Cluster]:
    """A server that the test may kill; ``postgres`` says whether there can be one."""
    server = Cluster()
    yield server
    server.close()


def test_nothing_acknowledged_is_lost_or_applied_by_half_in_sqlite(tmp_path: Path) -> None:
    found = measure_sqlite(4, 60, tmp_path, print)
    assert (found.rounds, found.lost, found.half_applied) == (4, 0, 0)
    assert found.acknowledged >= 4


def test_nothing_acknowledged_is_lost_or_applied_by_half_in_postgres(own_postgres: Cluster) -> None:
    found = measure_postgres(4, 60, own_postgres, print)
    assert (found.rounds, found.server_kills, found.lost, found.half_applied) == (4, 2, 0, 0)
    assert found.acknowledged >= 4


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM entries WHERE entry_id = (SELECT max(entry_id) FROM entries)",
        "DELETE FROM diffs WHERE revision = 9",
        "DELETE FROM history WHERE revision = 9",
        "UPDATE revision SET number = number + 1",
        "UPDATE forget_lists SET sigma = 0.5 WHERE name = 'books'",
    ],
)
def test_a_store_in_which_something_is_missing_is_noticed(tmp_path: Path, harm: str) -> None:
    url = f"sqlite:///{tmp_path}/lists.db"
    store, state = Store.open(url), State(5)
    for _ in range(20):
        state.next()(store)
    whole = look(url, 5, 20)
    assert (whole.kept, whole.lost, whole.half) == (20, 0, False)
    assert look(url, 5, 21).lost == 1
    with store.writing() as session:
        session.execute(text(harm))
    store.close()
    assert look(url, 5, 20).half
