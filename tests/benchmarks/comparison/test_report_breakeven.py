"""When a guard is cheaper, reckoned by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.comparison.outcome import Comparison, Cost, Outcome
from benchmarks.comparison.report.breakeven import BreakEven, break_even, paid_requests, rivals, run_seconds, speed_up
from benchmarks.comparison.report.headline import Answer, answer, chosen_guard
from benchmarks.comparison.report.view import Row, View
from benchmarks.metrics.metric import Measured
from tests.benchmarks.comparison.report_made import CATALOGUE, made

GUARD = Cost(130.0, request_seconds=0.002, deletion_seconds=0.02)
GUARDS = ("eco", "dragon", "refuse")
TIMES = st.integers(0, 2000).map(float)


@pytest.mark.parametrize(
    ("run", "requests", "batch", "found"),
    [
        (60.0, 0, 1, BreakEven("updating", 2)),  # 120 < 130.04, 180 > 130.06
        (60.0, 1_000_000, 1, BreakEven("updating", 35)),  # 2130 / 59.98 = 35.5
        (60.0, 0, 100, BreakEven("updating", 2)),  # 130 / 58 = 2.2
        (600.0, 0, 1, BreakEven("guard", None)),
        (0.01, 0, 1, BreakEven("updating", None)),
        (65.02, 0, 1, BreakEven("updating", 2)),  # even at 2: the guard must be cheaper
    ],
)
def test_the_number_of_deletions_until_which_one_is_cheaper(
    run: float, requests: int, batch: int, found: BreakEven
) -> None:
    assert break_even(GUARD, Cost(run), requests, batch) == found


def test_a_guard_of_slow_deletions_is_cheaper_first() -> None:
    slow = Cost(0.0, deletion_seconds=11.0)
    decoder = Cost(10.0, request_seconds=0.05)  # 100 requests: 5 s
    assert break_even(slow, decoder, 100) == BreakEven("guard", 4)  # N < 5, and at 5 both take 55 s


@given(TIMES, TIMES, TIMES, TIMES, st.integers(0, 50))
def test_each_side_of_the_number_is_as_said(
    setup: float, deletion: float, run: float, added: float, count: int
) -> None:
    even = break_even(Cost(setup, request_seconds=added, deletion_seconds=deletion), Cost(run), count)
    assert even is not None

    def guard_is_cheaper(n: int) -> bool:
        return setup + n * deletion + count * added < n * run

    assert guard_is_cheaper(1) == (even.first == "guard")
    last = even.until or 5000
    assert guard_is_cheaper(last) == (even.first == "guard")
    assert guard_is_cheaper(last + 1) == ((even.first == "guard") == (even.until is None))


def test_what_is_not_known_gives_no_number() -> None:
    assert break_even(Cost(1.0), Cost(2.0), 0) is None
    assert break_even(GUARD, Cost(math.nan), 0) is None
    assert paid_requests(Cost(1.0, deletion_seconds=1.0), Cost(2.0)) is None
    assert speed_up(Cost(1.0), Cost(2.0)) is None


def test_a_run_of_several_requests_costs_their_mean_and_what_it_saves_pays_for_requests() -> None:
    assert run_seconds(Cost(180.0, deletion_seconds=60.0)) == 60.0
    assert speed_up(GUARD, Cost(60.0)) == pytest.approx(3000)
    assert paid_requests(GUARD, Cost(60.0)) == pytest.approx(29_990)


def test_rivals_are_the_fastest_that_forget_comparably_and_then_stay_as_useful() -> None:
    view = View(made(), CATALOGUE)
    found = rivals(view, _named(view, "eco"))
    assert [row.outcome.name if row else None for row in (found.as_guard, found.as_retained, found.useful)] == [
        "ga", "ga", "npo"
    ]  # fmt: skip


def test_where_none_forgets_as_much_as_the_guard_it_says_so() -> None:
    view = View(_without("ga"), CATALOGUE)
    found = rivals(view, _named(view, "refuse"))
    assert found.as_guard is None
    assert found.as_retained is not None
    assert found.as_retained.outcome.name == "npo"
    only = View(_with(_without("ga", "eco", "dragon")), CATALOGUE)
    assert any("No method that changes weights tells as little" in line for line in answer(only).reasons)


def test_the_answer_is_the_guard_from_a_number_of_deletions_on() -> None:
    found = _answer(made())
    assert found.side == "guard"
    assert found.verdict.startswith("Guard, with ECO, from deletion 3 on; before that NPO takes less time")
    assert "20.0 s, 1,000× the 20.0 ms of a deletion by ECO" in found.reasons[1]
    assert "29,990 requests" in found.reasons[3]
    assert "NPO up to 35, guard from 36" in found.reasons[3]


def test_the_answer_turns_with_the_figures() -> None:
    leaky = {name: {"forget_rouge": 0.8} for name in GUARDS}
    assert _answer(_with(made(), leaky)).verdict == "Unlearn, with NPO: the guards here still tell too much."
    dull = {name: {"retain_rouge": 0.4} for name in GUARDS}
    assert _answer(_with(_without("npo"), dull)).verdict == (
        "Retrain: the guards here lose too much of what is to stay."
    )
    blunt = {name: {"retain_rouge": 0.2} for name in ("npo", "retained")}
    assert _answer(_with(made(), blunt)).verdict.startswith("Guard, with ECO: no method that changes weights")
    assert _answer(_with(made(), {**blunt, **leaky})).side == "open"
    assert _answer(_without("eco", "dragon", "refuse")).verdict == "No answer: no guard has both figures."
    assert _answer(_without("retained")).verdict == "No answer: there is nothing to measure against."


def test_a_guard_that_is_set_up_at_once_is_for_any_number_of_deletions() -> None:
    found = _answer(_without("eco"))
    assert found.verdict == "Guard, with Refusal: NPO does as well and takes longer."


def test_the_guard_of_the_best_balance_is_chosen_and_ties_go_to_the_first() -> None:
    chosen = chosen_guard(View(made(), CATALOGUE))
    assert chosen is not None
    assert chosen.outcome.name == "eco"


def _answer(comparison: Comparison) -> Answer:
    return answer(View(comparison, CATALOGUE))


def _named(view: View, name: str) -> Row:
    row = view.named(name)
    assert row is not None
    return row


def _without(*names: str) -> Comparison:
    whole = made()
    return replace(whole, outcomes=tuple(outcome for outcome in whole.outcomes if outcome.name not in names))


def _with(comparison: Comparison, figures: dict[str, dict[str, float]] | None = None) -> Comparison:
    def changed(outcome: Outcome) -> Outcome:
        own: dict[str, Any] = {
            name: Measured(value, 0.01, 40) for name, value in (figures or {}).get(outcome.name, {}).items()
        }
        return replace(outcome, figures={**outcome.figures, **own})

    return replace(comparison, outcomes=tuple(changed(outcome) for outcome in comparison.outcomes))
