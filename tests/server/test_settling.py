"""What is in force is left out of garbage collections, and garbage among it is found all the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from server import settling
from server.settling import Settling


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


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
    monkeypatch.setattr(settling, "_FEW", 1000)
    settle = Settling()
    settle()  # what is left out is more than twice nothing: it is looked through
    settle()
    left = weakref.ref(_Cycle())
    settle()
    gc.collect()
    assert left() is not None
    kept = [[i] for i in range(2 * gc.get_freeze_count())]
    settle()
    settle()
    assert left() is None
    assert kept
