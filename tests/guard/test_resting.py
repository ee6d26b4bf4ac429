"""Long work gives way in slices while others wait, and in no other case."""

from __future__ import annotations

import threading
import time

from guard.resting import Resting


class _Noted(threading.Event):
    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


def _work() -> float:
    began = time.monotonic()
    sum(range(100_000))
    return time.monotonic() - began


def test_what_a_slice_took_is_rested_several_times_over_while_others_wait() -> None:
    stop = _Noted()
    resting = Resting(lambda: True, stop, 3)
    for _ in range(4):
        took = _work()
        resting()
        assert stop.waits[-1] >= 3 * took > 0


def test_nothing_is_rested_while_nobody_waits() -> None:
    stop = _Noted()
    resting = Resting(lambda: False, stop, 3)
    _work()
    resting()
    assert not stop.waits


def test_work_while_nobody_waited_is_not_rested_later() -> None:
    stop, busy = _Noted(), [False]
    resting = Resting(lambda: busy[0], stop, 3)
    early = sum(_work() for _ in range(50))
    resting()
    busy[0] = True
    resting()
    assert stop.waits[-1] < early


def test_a_rest_ends_when_all_is_to_stop_and_what_was_rested_is_known() -> None:
    stop = threading.Event()
    stop.set()
    resting = Resting(lambda: True, stop, 1e9)
    _work()
    resting()
    assert resting.rested >= 0
