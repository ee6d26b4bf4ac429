"""Forget lists on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from guard.model import Entry, ForgetList
from guard.store import NotFound, Store, StoreError


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/lists.db"


def _entry(i: int, **fields: object) -> Entry:
    return Entry(f"e{i}", "a", subject=f"Person {i}", question="q?", aliases=("x",), **fields)  # type: ignore[arg-type]


def test_what_is_put_comes_back_after_reopening(url: str) -> None:
    item = ForgetList("a", policy="dragon", sigma=3.5, threshold=0.25, enabled=False, guideline="g", description="d")
    store = Store.open(url)
    store.put_list(item)
    assert store.add_entries("a", [_entry(1), _entry(0)]) == 2
    store.close()
    again = Store.open(url)
    assert again.get_list("a") == item
    assert again.get_entries("a") == [_entry(1), _entry(0)]
    assert again.load().revision == 2


def test_adding_again_replaces_and_counts_nothing_new(url: str) -> None:
    store = Store.open(url)
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1)])
    assert store.add_entries("a", [_entry(1, answer="new"), _entry(2), _entry(2)]) == 1
    assert [(e.entry_id, e.answer) for e in store.get_entries("a")] == [("e1", "new"), ("e2", None)]


def test_a_change_that_fails_leaves_no_trace(url: str) -> None:
    store = Store.open(url)
    store.put_list(ForgetList("a"))
    for fails in (
        lambda: store.add_entries("b", [_entry(1)]),
        lambda: store.remove_entry("a", "nope"),
        lambda: store.delete_list("b"),
        lambda: store.get_list("b"),
    ):
        with pytest.raises(NotFound):
            fails()
    assert store.revision() == 1


def test_deleting_a_list_deletes_its_entries(url: str) -> None:
    store = Store.open(url)
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1)])
    store.delete_list("a")
    store.put_list(ForgetList("a"))
    assert store.get_entries("a") == []


def test_settings_can_change_without_touching_entries(url: str) -> None:
    store = Store.open(url)
    store.put_list(ForgetList("a"))
    store.add_entries("a", [_entry(1)])
    store.put_list(ForgetList("a", policy="refuse"))
    assert store.list_lists() == [(ForgetList("a", policy="refuse"), 1)]


def test_a_store_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is no database, only text that is long enough to be looked at")
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/x.db")


_WRITER = """
import sys
from guard.model import Entry, ForgetList
from guard.store import Store
store = Store.open(sys.argv[1])
store.put_list(ForgetList("a"))
for i in range(100000):
    store.add_entries("a", [Entry(f"e{i}", "a", subject=f"Person {i}")])
    print(i, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(url: str) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = -1
    for line in writer.stdout:
        acknowledged = int(line)
        if acknowledged == 60:
            os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    kept = {e.entry_id for e in Store.open(url).get_entries("a")}
    assert acknowledged >= 60
    assert kept >= {f"e{i}" for i in range(acknowledged + 1)}
