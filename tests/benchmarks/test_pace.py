"""How often a run's state is written."""

from __future__ import annotations

from benchmarks.models.pace import Pace


def test_writing_takes_about_a_twentieth_of_the_time_and_the_first_is_due_at_once() -> None:
    now, spent = 0.0, 0.0

    def clock() -> float:
        return now

    pace = Pace(0.05, clock)
    assert pace.due()
    for _ in range(2000):
        now += 1.5  # an epoch
        if pace.due():
            with pace.writing():
                now += 3.0
                spent += 3.0
    assert 0.04 < spent / now < 0.055  # the first was on credit


def test_what_is_cheap_to_write_is_written_every_time() -> None:
    now, written = 0.0, 0
    pace = Pace(0.05, clock=lambda: now)
    for _ in range(10):
        now += 1.0
        if pace.due():
            with pace.writing():
                now += 0.01
            written += 1
    assert written == 10
