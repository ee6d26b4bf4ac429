"""What requests that come one by one amount to, in the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchmarks.comparison.outcome import Comparison
from benchmarks.comparison.report.html import html
from benchmarks.comparison.report.markdown import markdown
from benchmarks.comparison.report.sequence import deviations, sequence_table, utilities
from benchmarks.comparison.report.view import View
from benchmarks.metrics.metric import Measured, Undefined
from tests.benchmarks.comparison.report_made import CATALOGUE, made

Step = Mapping[str, Measured | Undefined]


def _steps(**figures: tuple[float, ...]) -> tuple[Step, ...]:
    count = len(next(iter(figures.values())))
    return tuple({name: Measured(values[at], 0.1, 4) for name, values in figures.items()} for at in range(count))


def _with(steps: tuple[Step, ...]) -> Comparison:
    """Only NPO has ``steps``."""
    whole = made()
    outcomes = tuple(replace(one, steps=steps if one.name == "npo" else ()) for one in whole.outcomes)
    return replace(whole, outcomes=outcomes)


def test_the_scores_are_reckoned_over_the_steps() -> None:
    steps = _steps(deviation_score=(20.0, 40.0, 30.0), model_utility=(0.6, 0.5, 0.6), forget_degree=(0.8, 0.4, 0.6),
                   retain_utility=(1.0, 1.0, 0.7))  # fmt: skip
    (row,) = sequence_table(View(_with(steps), CATALOGUE)).rows
    assert [cell.text for cell in row[1:]] == ["3", "0.350", "0.900", "0.600", "0.400", "0.900", "0.700"]
    assert row[0].text.endswith("NPO")
    assert not row[3].why


def test_without_the_deviation_score_it_is_made_of_its_parts_and_the_retain_set_stands_for_utility() -> None:
    steps = _steps(forget_rouge=(0.3, 0.0), retain_rouge=(0.6, 0.9))
    assert deviations(steps) == pytest.approx([0.5, 0.1])
    assert utilities(steps) == ([0.6, 0.9], "of ROUGE-L on the retain set: no model utility")
    assert deviations(_steps(retain_rouge=(0.6,))) == []


def test_what_was_not_measured_after_each_request_is_not_told() -> None:
    steps = (*_steps(deviation_score=(20.0,)), {"deviation_score": Undefined("no answers")})
    (row,) = sequence_table(View(_with(steps), CATALOGUE)).rows
    assert [cell.text for cell in row[2:]] == ["n/a"] * 6
    alone = _steps(deviation_score=(20.0,), model_utility=(math.nan,))
    (row,) = sequence_table(View(_with(alone), CATALOGUE)).rows
    assert [cell.text for cell in row[2:4]] == ["0.200", "n/a"]


def test_both_reports_show_the_table_where_requests_came_one_by_one() -> None:
    whole = made()
    assert "Over all requests" in markdown(whole, CATALOGUE)
    assert "Over all requests" in html(whole, CATALOGUE)
    single = replace(whole, outcomes=tuple(replace(one, steps=()) for one in whole.outcomes))
    assert "Over all requests" not in markdown(single, CATALOGUE)
    assert "Over all requests" not in html(single, CATALOGUE)
