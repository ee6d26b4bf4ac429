"""Real databases for tests: an SQLite file, and a Postgres that is started once for all tests.

Where Postgres is not installed, its tests are left out, unless LETHEWARD_TEST_REQUIRE_POSTGRES is set: then they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from benchmarks.postgres import Cluster, NoPostgres
from guard.store import Store

_numbers = count()
_TEMPLATE = "letheward_empty"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A Postgres server with a database ``letheward_empty`` whose tables are up to date."""
    try:
        cluster = Cluster(durable=False)
    except NoPostgres as error:
        if os.environ.get("LETHEWARD_TEST_REQUIRE_POSTGRES"):
            raise
        pytest.skip(str(error))
    Store.open(cluster.create(_TEMPLATE)).close()
    yield cluster
    cluster.close()


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """An empty store in Postgres."""
    name = f"store_{next(_numbers)}"
    yield postgres.create(name, _TEMPLATE)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store in each kind of database."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path}/lists.db"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """``store_url``, open."""
    held = Store.open(store_url)
    yield held
    held.close()
