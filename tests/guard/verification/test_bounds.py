"""Bounds of Clopper and Pearson against scipy's, and against trials that are simulated exactly."""

from __future__ import annotations

import math
from itertools import product

import pytest
from scipy.stats import beta, binomtest

from guard.verification.bounds import Rate, enough, lower, upper

COUNTS = [(0, 1), (0, 59), (1, 1), (1, 2), (3, 7), (5, 100), (50, 100), (99, 100), (100, 100), (12, 4000), (250, 500)]


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99, 0.999])
@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_bounds_are_those_of_scipy(k: int, n: int, confidence: float) -> None:
    high = 1.0 if k == n else float(beta.ppf(confidence, k + 1, n - k))
    low = 0.0 if k == 0 else float(beta.ppf(1 - confidence, k, n - k + 1))
    assert upper(k, n, confidence) == pytest.approx(high, rel=1e-7)
    assert lower(k, n, confidence) == pytest.approx(low, rel=1e-7, abs=1e-12)


def test_they_are_one_sided_and_exact() -> None:
    found = binomtest(4, 300, alternative="less").proportion_ci(0.95, "exact")
    assert upper(4, 300, 0.95) == pytest.approx(found.high, rel=1e-9)
    assert upper(0, 100_000, 0.95) == pytest.approx(3 / 100_000, rel=2e-3)  # the rule of three


def test_nothing_is_known_of_no_trials() -> None:
    rate = Rate(0, 0, 0.95)
    assert (rate.value, rate.lower, rate.upper) == (0.0, 0.0, 1.0)


def test_the_bound_holds_for_the_mean_of_trials_that_differ() -> None:
    """Every outcome of a few trials, weighed by its chance: the bound is below the mean as seldom as is promised."""
    for odds in ([0.0, 0.0, 0.0, 1.0, 0.5, 0.1], [0.02] * 8, [0.9, 0.9, 0.1, 0.1, 0.5, 0.5, 0.3], [0.0] * 7 + [0.97]):
        mean = sum(odds) / len(odds)
        for confidence in (0.8, 0.9, 0.95):
            wrong = 0.0
            for outcome in product((0, 1), repeat=len(odds)):
                chance = math.prod(p if hit else 1 - p for p, hit in zip(odds, outcome, strict=True))
                wrong += chance * (upper(sum(outcome), len(odds), confidence) < mean - 1e-12)
            assert wrong <= 1 - confidence + 1e-12


@pytest.mark.parametrize(("tolerance", "n"), [(0.05, 59), (0.01, 299), (0.5, 5)])
def test_so_many_clean_answers_are_enough(tolerance: float, n: int) -> None:
    assert enough(tolerance, 0.95) == n
    assert upper(0, n, 0.95) <= tolerance < upper(0, n - 1, 0.95)


@pytest.mark.parametrize(("k", "n", "confidence"), [(2, 1, 0.95), (-1, 3, 0.95), (0, 5, 1.0), (0, 5, 0.5)])
def test_what_is_no_count_is_refused(k: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"is no count|confidence"):
        upper(k, n, confidence)
