"""The arithmetic of drift, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from server.drift import Windows, ks_statistic

SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1), min_size=1, max_size=60)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scipy's p-values of small samples, which are not asked for
@given(SCORES, SCORES)
def test_the_statistic_is_scipys(first: list[float], second: list[float]) -> None:
    assert ks_statistic(first, second) == pytest.approx(ks_2samp(first, second, method="asymp").statistic, abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.3])
def test_the_statistic_is_scipys_for_whole_windows(shift: float) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.beta(1, 8, 1000), np.clip(rng.beta(1, 8, 1000) + shift, 0, 1)
    assert ks_statistic(first, second) == pytest.approx(ks_2samp(first, second, method="asymp").statistic, abs=1e-12)


def test_equal_samples_are_at_0_and_samples_apart_at_1() -> None:
    assert ks_statistic([0.1, 0.2], [0.2, 0.1]) == 0.0
    assert ks_statistic([0.1, 0.2], [0.3, 0.4, 0.5]) == 1.0


@pytest.mark.parametrize(("first", "second"), [([], [1.0]), ([1.0], []), ([float("nan")], [1.0])])
def test_a_sample_that_says_nothing_is_an_error(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="sample"):
        ks_statistic(first, second)


def test_one_pair_in_a_thousand_of_equal_traffic_is_over_the_bound_that_the_docstring_gives() -> None:
    rng = np.random.default_rng(0)
    over = sum(ks_statistic(rng.random(1000), rng.random(1000)) > 0.087 for _ in range(2000))
    assert over <= 8


@given(st.lists(st.none() | st.floats(0.01, 1), max_size=60), st.integers(1, 12), st.integers(0, 5))
def test_windows_are_those_of_all_scores_written_out(scores: list[float | None], size: int, start: int) -> None:
    windows = Windows(size, start)
    for i, score in enumerate(scores):
        if score is not None:
            windows.note(start + i, score, score > 0.5)
    sample = windows.sample(start + len(scores))
    written = [s or 0.0 for s in scores]
    assert sorted(sample.reference) == sorted(written[:size])
    assert sorted(sample.recent) == sorted(written[-size:])
    assert sample.flagged == sum(s > 0.5 for s in written[-size:])
    assert sample.complete is (len(scores) >= size)
    assert (sample.drift is None) is not sample.complete


def test_a_window_stays_small_over_many_prompts() -> None:
    windows = Windows(10, 0)
    for i in range(10_000):
        windows.note(i, 0.5, True)
    assert len(windows._latest) == len(windows._first) == 10
