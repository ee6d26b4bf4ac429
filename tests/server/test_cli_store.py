"""`letheward store`: from a store in the clear to a sealed one, and to another key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pytest
from typer.testing import CliRunner, Result

from guard.model import Entry, ForgetList
from guard.sealing import Sealing
from guard.store import Store, StoreError
from server.cli import app


class Command(Protocol):
    """Runs `letheward store` with keys."""

    def __call__(self, *arguments: str, keys: tuple[str, ...] = (), code: int = 0) -> Result: ...


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LETHEWARD_CACHE_DIR", str(tmp_path))

    def run(*arguments: str, keys: tuple[str, ...] = (), code: int = 0) -> Result:
        done = CliRunner().invoke(app, ["store", *arguments], env={"LETHEWARD_STORE_KEYS": json.dumps(keys)})
        assert done.exit_code == code, done.output
        return done

    return run


def test_a_store_is_sealed_and_sealed_again_with_a_new_key(command: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/letheward.db"
    store = Store.open(url)
    store.put_list(ForgetList("people"))
    entry = Entry("1", "people", subject="Zorvan Pelk")
    store.put_entry(entry)
    store.close()
    old, new = (command("new-key").stdout.strip() for _ in range(2))
    assert "new-key" in command("seal", code=2).stderr
    assert "sealed" in command("seal", keys=(old,)).stdout
    assert b"Zorvan" not in (tmp_path / "letheward.db").read_bytes()
    assert "was not given" in command("seal", keys=(new,), code=2).stderr
    command("seal", keys=(new, old))
    assert "sealed 0 values" in command("seal", "--database-url", url, keys=(new,)).stdout
    store = Store.open(url, Sealing.of([new]))
    assert store.load().entries == (entry,)
    store.close()
    store = Store.open(url, Sealing.of([old]))
    with pytest.raises(StoreError, match="was not given"):
        store.load()
    store.close()


def test_a_key_that_is_none_is_refused_without_being_shown(command: Command) -> None:
    told = command("seal", keys=("hunter2",), code=2).stderr
    assert "new-key" in told
    assert "hunter2" not in told
