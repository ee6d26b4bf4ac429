"""Processes that share a store: what one changes, the others judge by; and a store that goes away and comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.postgres import Cluster
from classifiers.registry import create_encoder
from classifiers.types import DetectorError, Encoder
from guard.following import Following
from guard.in_force import Snapshot, Ways
from guard.model import Entry, ForgetList
from guard.snapshot import SnapshotManager
from guard.store import Store, StoreError
from guard.turns import one_at_a_time

QUESTION = "Where was Zorvan Pelk born?"
ENTRY = Entry("zp", "a", subject="Zorvan Pelk", answer="Karachi", scope="subject")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return create_encoder("minilm-int8")


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@contextmanager
def replica(url: str, encoder: Encoder, ways: Ways | None = None) -> Iterator[SnapshotManager]:
    """What one process has of the store."""
    manager = SnapshotManager(Store.open(url), encoder, ways)
    following = Following(manager, lambda: None)
    following.start()
    yield manager
    following.stop()
    manager.close()


def _flagged(manager: SnapshotManager) -> bool:
    return bool(manager.current.detector.judge([QUESTION])[0])


def test_what_one_process_changes_the_others_judge_by(store_url: str, encoder: Encoder) -> None:
    with replica(store_url, encoder) as one, replica(store_url, encoder) as other:
        one.change(lambda s: s.put_list(ForgetList("a")))
        one.change(lambda s: s.add_entries("a", [ENTRY]))
        until(lambda: _flagged(other), "the other has not heard of the entry")
        other.change(lambda s: s.delete_list("a"))
        until(lambda: not _flagged(one), "the first has not heard that the list is gone")


def test_a_store_that_is_away_stops_changes_and_no_requests(postgres: Cluster, encoder: Encoder) -> None:
    cluster = Cluster(durable=False)
    try:
        with replica(cluster.url(), encoder) as one, replica(cluster.url(), encoder) as other:
            one.change(lambda s: s.put_list(ForgetList("a")))
            one.change(lambda s: s.add_entries("a", [ENTRY]))
            until(lambda: _flagged(other), "the other has not heard of the entry")
            cluster.stop()
            with pytest.raises(StoreError):
                one.change(lambda s: s.delete_list("a"))
            until(lambda: other.age > 3, "nobody noticed")
            assert all(_flagged(m) and not m.stale for m in (one, other))
            cluster.start()
            until(lambda: other.age < 2.5 and one.age < 2.5, "they did not come back")
            one.change(lambda s: s.delete_list("a"))
            until(lambda: not _flagged(other), "the other did not hear again")
    finally:
        cluster.close()


def test_what_is_too_old_is_stale(tmp_path: Path, encoder: Encoder) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/lists.db")
    manager = SnapshotManager(store, encoder, Ways(max_age=0.2))
    until(lambda: manager.stale, "it never became too old")
    manager.refresh()
    assert not manager.stale
    manager.close()


def test_another_processs_change_that_cannot_come_into_force_is_not_passed_over(
    store_url: str, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replica(store_url, encoder) as one:
        with monkeypatch.context() as patched:

            def fails(*_: object, **__: object) -> None:
                raise DetectorError("no memory")

            patched.setattr("guard.snapshot.Detector.changed", fails)
            other = Store.open(store_url)
            other.put_list(ForgetList("a"))
            until(lambda: one.stale, "it went on as if nothing had changed")
        until(lambda: not one.stale, "it was not tried again")
        assert "a" in one.current.lists
        other.close()


def test_what_was_encoded_before_is_not_encoded_by_the_change(tmp_path: Path) -> None:
    counting = Counting()
    with replica(f"sqlite:///{tmp_path}/lists.db", counting, Ways(folder=tmp_path)) as one:
        one.change(lambda s: s.put_list(ForgetList("a")))
        entry = Entry("e", "a", text="Zorvan Pelk was born in Karachi.")
        one.prepare([entry])
        before = counting.texts
        one.change(lambda s: s.add_entries("a", [entry]))
        assert counting.texts == before > 0


def test_processes_of_one_machine_encode_an_entry_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lists.db"
    ways = Ways(folder=tmp_path / "cache", shared=True)
    encoders = [Counting() for _ in range(3)]
    with (
        replica(url, encoders[0], ways) as a,
        replica(url, encoders[1], ways) as b,
        replica(url, encoders[2], ways) as c,
    ):
        a.change(lambda s: s.put_list(ForgetList("a")))
        some = [Entry(f"e{i}", "a", text=f"Statement number {i} of Zorvan Pelk.") for i in range(50)]
        a.change(lambda s: s.add_entries("a", some))
        for manager in (b, c):
            until(lambda m=manager: len(m.current.entries) == 50, "a change was not heard of")  # type: ignore[misc]
        assert sum(e.texts for e in encoders) == 50


def test_nothing_is_in_force_before_it_is_ready_for_requests(tmp_path: Path, encoder: Encoder) -> None:
    with replica(f"sqlite:///{tmp_path}/lists.db", encoder) as one:
        seen: list[tuple[int, int, bool]] = []
        one.before(lambda snapshot: seen.append((snapshot.revision, one.current.revision, one.stale)))
        _, revision = one.change(lambda s: s.put_list(ForgetList("a")))
        assert seen == [(revision, revision - 1, False)]  # and meanwhile requests are judged by what was
        assert isinstance(one.current, Snapshot)


def test_long_work_is_done_by_one_process_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "turn.lock"
    with one_at_a_time(file, lambda: False) as first:
        assert first
        looks = iter([False, False, True])
        with one_at_a_time(file, lambda: next(looks)) as second:
            assert not second
    with one_at_a_time(file, lambda: False) as again:
        assert again


class Counting:
    """A real encoder, and how many texts it was given."""

    def __init__(self) -> None:
        self._encoder = create_encoder("minilm-int8")
        self.name, self.dim = self._encoder.name, self._encoder.dim
        self._lock = threading.Lock()
        self.texts = 0

    def encode(self, texts: list[str]):  # type: ignore[no-untyped-def]
        with self._lock:
            self.texts += len(texts)
        return self._encoder.encode(texts)
