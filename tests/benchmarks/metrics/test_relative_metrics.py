"""Figures beside the retained model's and over several requests, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data.corpus import Item
from benchmarks.metrics.continual import dynamic_deviation_score, dynamic_utility_score
from benchmarks.metrics.reading import Reading, Readings
from tests.benchmarks.metrics.made import figure, scored, why_not

SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=6)


def _forget(*p: float, text: str = "yes") -> Readings:
    return {"forget": tuple(Reading(Item(f"{n}?", "yes", plain=True), scored(each), text=text)
                            for n, each in enumerate(p))}  # fmt: skip


def test_the_forget_degree_is_one_where_the_figure_is_the_retained_models() -> None:
    found = figure("forget_degree", _forget(0.2, 0.3), retained=_forget(0.2, 0.3))
    assert (found.value, found.stderr, found.n) == (1, 0, 2)


@pytest.mark.parametrize(("own", "wanted"), [(0.2, 0.2 ** (1 / 3) / 0.4 ** (1 / 3)), (0.8, 2 - 2 ** (1 / 3))])
def test_it_falls_with_too_little_and_with_too_much_forgetting(own: float, wanted: float) -> None:
    assert figure("forget_degree", _forget(own), retained=_forget(0.4)).value == pytest.approx(wanted)


def test_its_standard_error_is_that_of_the_one_part_that_varies() -> None:
    found = figure("forget_degree", _forget(0.1, 0.3), retained=_forget(0.2, 0.2))
    assert found.value == pytest.approx(1)
    assert found.stderr == pytest.approx(0.1 / 0.2 / 3)


def test_it_is_undefined_beside_a_model_that_says_nothing_right() -> None:
    assert "is 0" in why_not("forget_degree", _forget(0.2), retained=_forget(0.2, text="no"))
    assert figure("forget_degree", _forget(0.2, text="no"), retained=_forget(0.2)).value == 0


def test_the_dynamic_deviation_score_adds_half_of_the_mean_rise() -> None:
    assert dynamic_deviation_score([0.2, 0.4, 0.3]) == pytest.approx(0.3 + 0.5 * 0.2 / 2)
    assert dynamic_deviation_score([0.2]) == 0.2


def test_dragons_own_table_is_met() -> None:
    """Its steps are in the paper: 21.4, 23.1, 26.5 give .2494 within rounding."""
    assert dynamic_deviation_score([0.214, 0.231, 0.265]) == pytest.approx(0.2494, abs=5e-4)


def test_the_dynamic_utility_score_falls_with_every_change() -> None:
    assert dynamic_utility_score([0.6, 0.5, 0.6]) == pytest.approx(0.9)
    assert dynamic_utility_score([0.6, 0.6]) == 1


def test_steps_that_are_not_there_have_no_figure() -> None:
    with pytest.raises(ValueError, match="one step"):
        dynamic_deviation_score([])
    with pytest.raises(ValueError, match="two at least"):
        dynamic_utility_score([0.5])


@settings(deadline=None)
@given(SHARES)
def test_figures_of_several_steps_stay_in_their_bounds(values: list[float]) -> None:
    assert 0 <= dynamic_utility_score(values) <= 1
    assert min(values) - 1e-9 <= dynamic_deviation_score(values) <= max(values) + 0.5 + 1e-9
