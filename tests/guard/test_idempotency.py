"""A request that is sent again with its key is carried out once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from guard.store import Done, InProgress, KeyReused, Store


def _in(**span: int) -> datetime:
    return datetime.now(UTC) + timedelta(**span)


def test_the_answer_comes_again_for_a_day(store: Store) -> None:
    assert store.claim("ann:k", "d") is None
    with pytest.raises(InProgress):
        store.claim("ann:k", "d")
    store.finish("ann:k", 201, {"added": 3})
    assert store.claim("ann:k", "d") == Done(201, {"added": 3})
    assert store.claim("bob:k", "d") is None
    with pytest.raises(KeyReused):
        store.claim("ann:k", "other")
    assert store.claim("ann:k", "other", now=_in(hours=25)) is None


def test_a_key_whose_request_failed_or_died_can_be_used_again(store: Store) -> None:
    store.claim("k", "d")
    store.release("k")
    assert store.claim("k", "d") is None
    assert store.claim("k", "d", now=_in(minutes=6)) is None
    store.finish("k", 200, {})
    store.release("k")
    assert store.claim("k", "d") == Done(200, {})


def test_a_request_that_goes_on_keeps_its_key(store: Store) -> None:
    store.claim("k", "d", now=_in(minutes=-4))
    store.renew("k")
    with pytest.raises(InProgress):
        store.claim("k", "d", now=_in(minutes=4))


def test_of_many_at_once_one_gets_the_key(store: Store) -> None:
    def claim(_: int) -> bool:
        try:
            return store.claim("k", "d") is None
        except InProgress:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1
