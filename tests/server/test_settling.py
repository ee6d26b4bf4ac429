"""What is in force is left out of garbage collections, and garbage among it is found all the same."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from server import settling
from server.settling import Settling, keep_settling


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


def _left_out(settle: Settling) -> weakref.ref[_Cycle]:
    """A cycle that nothing refers to any more, once it was left out."""
    cycle = _Cycle()
    settle()
    return weakref.ref(cycle)


def test_a_cycle_that_was_dropped_just_now_is_not_left_out() -> None:
    settle = Settling()
    settle()
    dropped = weakref.ref(_Cycle())
    settle()
    assert dropped() is None


def test_what_is_there_is_left_out_of_collections() -> None:
    gc.unfreeze()
    Settling()()
    assert gc.get_freeze_count() > 0
    assert len(gc.get_objects()) < gc.get_freeze_count()


def test_what_nothing_refers_to_is_freed_at_once_also_where_it_was_left_out() -> None:
    held = _Cycle()
    gone = weakref.ref(held)
    held.itself = held.__class__.__new__(held.__class__)  # no longer a cycle
    Settling()()
    del held
    assert gone() is None


def test_cycles_among_it_are_found_once_it_has_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Settling()
    settle()  # what is there is more than twice nothing: it is looked through
    left = _left_out(settle)
    gc.collect()
    assert left() is not None
    monkeypatch.setattr(settling, "_FEW", 1000)
    kept = [[i] for i in range(2 * sys.getallocatedblocks())]
    settle()
    assert left() is None
    assert kept


def test_while_nobody_waits_less_is_worth_looking_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_WORTH_IT", 1000)
    settle = Settling()
    settle()
    left = _left_out(settle)
    kept = [[i] for i in range(2000)]
    settle()
    assert left() is not None
    settle(idle=True)
    assert left() is None
    assert kept


def test_what_is_left_out_is_not_walked_through_to_see_how_much_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def walk() -> int:
        raise AssertionError("every thread would wait for it")

    monkeypatch.setattr(settling, "_FEW", 0)
    settle = Settling()
    settle()

    def collect(generation: int = 2) -> int:
        assert generation < 2, "every thread would wait for it"
        return 0

    monkeypatch.setattr(gc, "get_freeze_count", walk)
    monkeypatch.setattr(gc, "collect", collect)
    for idle in (False, True):
        settle(idle=idle)


def test_freed_memory_is_given_back_after_all_was_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_FEW", 0)
    given: list[bool] = []
    monkeypatch.setattr(settling, "_give_back", lambda: given.append(True))
    settle = Settling()
    settle()
    assert given == [True]
    monkeypatch.setattr(settling, "_FEW", 600_000)
    settle()
    assert given == [True]


async def test_it_goes_on_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_EVERY", 0.01)
    asked: list[bool] = []

    def idle() -> bool:
        asked.append(True)
        return len(asked) > 1

    gc.unfreeze()
    keeping = asyncio.create_task(keep_settling(Settling(), idle))
    async with asyncio.timeout(60):
        while len(asked) < 3:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.01)
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    assert gc.get_freeze_count() > 0
