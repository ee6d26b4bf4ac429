"""Another process hears of a change at once, and again after the database was away."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.postgres import Cluster
from guard.model import ForgetList
from guard.store import Store, StoreError

_DEADLINE = 30.0


def _until(heard: queue.Queue[int], revision: int) -> list[int]:
    """What was heard, up to ``revision``."""
    found = [heard.get(timeout=_DEADLINE)]
    while found[-1] < revision:
        found.append(heard.get(timeout=_DEADLINE))
    return found


def test_every_listener_hears_of_what_others_change(store_url: str) -> None:
    writer, reader = Store.open(store_url), Store.open(store_url)
    writer.put_list(ForgetList("a"))
    heard: list[queue.Queue[int]] = [queue.Queue() for _ in range(3)]
    stops = [store.listen(q.put) for store, q in zip((reader, reader, writer), heard, strict=True)]
    assert [_until(q, 1) for q in heard] == [[1]] * 3
    for i in range(2, 8):
        writer.put_list(ForgetList("a", sigma=i))
        assert [_until(q, i) for q in heard] == [[i]] * 3
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: writer.put_list(ForgetList("a", sigma=i)), range(20)))
    for q in heard:
        told = _until(q, 27)
        assert told == sorted(set(told))
    for stop in stops:
        stop()
    writer.put_list(ForgetList("b"))
    assert all(q.empty() for q in heard)
    writer.close()
    reader.close()


def test_what_is_no_change_of_a_list_is_not_told(store: Store) -> None:
    heard: queue.Queue[int] = queue.Queue()
    store.listen(heard.put)
    assert _until(heard, 0) == [0]
    store.claim("k", "d")
    store.put_list(ForgetList("a"))
    assert _until(heard, 1) == [1]


def test_a_callback_that_fails_is_called_again(store: Store) -> None:
    calls: list[int] = []
    done = threading.Event()

    def callback(revision: int) -> None:
        calls.append(revision)
        if len(calls) == 2:
            raise ValueError("not now")
        if revision == 2:
            done.set()

    stop = store.listen(callback)
    store.put_list(ForgetList("a"))
    store.put_list(ForgetList("b"))
    assert done.wait(_DEADLINE)
    stop()
    assert calls[-1] == 2


def test_a_listener_can_stop_itself(store: Store) -> None:
    stopped = threading.Event()
    stops: list[object] = []

    def callback(_: int) -> None:
        if stops:
            stops[0]()  # type: ignore[operator]
            stopped.set()

    stops.append(store.listen(callback))
    store.put_list(ForgetList("a"))
    assert stopped.wait(_DEADLINE)


@pytest.fixture
def own_postgres(postgres: Cluster) -> Cluster:
    """One that a test may stop. ``postgres`` says whether there can be any."""
    return Cluster(durable=False)


def test_after_postgres_was_away_changes_are_refused_clearly_and_then_work_and_are_heard(own_postgres: Cluster) -> None:
    url = own_postgres.create("lists")
    writer, reader = Store.open(url), Store.open(url)
    heard: queue.Queue[int] = queue.Queue()
    try:
        reader.listen(heard.put)
        assert writer.put_list(ForgetList("a")) == 1
        _until(heard, 1)
        for end in (own_postgres.stop, own_postgres.kill):
            end()
            for fails in (lambda: writer.put_list(ForgetList("b")), writer.load, reader.revision):
                with pytest.raises(StoreError, match="the store failed"):
                    fails()
            own_postgres.start()
            now = writer.put_list(ForgetList("a", sigma=1))
            assert _until(heard, now)[-1] == now
        assert now == 3
    finally:
        writer.close()
        reader.close()
        own_postgres.close()
