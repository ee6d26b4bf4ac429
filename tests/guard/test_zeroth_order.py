"""The search for a corruption strength, on metrics whose answer is known."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.zeroth_order import Found, SearchConfig, ask, bracket

Metric = Callable[[float], float]
CONFIG = SearchConfig()


def _run(metric: Metric, target: float, config: SearchConfig = CONFIG) -> Found:
    known: dict[float, float] = {}
    while not isinstance(asked := ask(target, config, known), Found):
        assert asked not in known
        assert config.floor <= asked <= config.ceiling
        known[asked] = metric(asked)
    return asked


def _falling(middle: float, width: float, top: float = 0.9, bottom: float = 0.0) -> Metric:
    """From ``top`` down to ``bottom``, half-way at ``middle``; ``width`` in units of log sigma."""
    return lambda s: bottom + (top - bottom) / (1 + math.exp((math.log(s) - math.log(middle)) / width))


@settings(max_examples=300)
@given(
    middle=st.floats(0.15, 30),
    width=st.floats(0.1, 1),
    target=st.floats(0.05, 0.8),
    scale=st.sampled_from([0.05, 1, 9]),
)
def test_the_strength_where_a_falling_metric_meets_the_target_is_found(
    middle: float, width: float, target: float, scale: float
) -> None:
    metric = _falling(middle, width)
    at_floor = metric(CONFIG.floor)
    found = _run(lambda s: metric(s / scale), min(target, at_floor), CONFIG.scaled(scale))
    assert found.reason == "tolerance"
    assert found.loss <= CONFIG.tolerance
    assert found.value == metric(found.sigma / scale)


@given(at=st.floats(0.06, 500), target=st.floats(0.1, 0.4))
def test_a_jump_is_found_on_its_better_side(at: float, target: float) -> None:
    found = _run(lambda s: 1.0 if s < at else 0.0, target)
    assert found.value == 0.0
    assert at <= found.sigma <= at * 1.03


@given(seed=st.integers(0, 2**31))
def test_noise_costs_no_more_than_its_own_size(seed: int) -> None:
    rng = random.Random(seed)
    metric = _falling(1.5, 0.4)
    found = _run(lambda s: metric(s) + rng.uniform(-0.05, 0.05), 0.3)
    assert abs(metric(found.sigma) - 0.3) <= 0.05 + CONFIG.tolerance


def test_one_looks_further_where_both_sides_are_the_same() -> None:
    found = _run(_falling(400, 0.1), 0.3)  # the first points look alike
    assert found.loss <= CONFIG.tolerance
    from_above = _run(_falling(0.12, 0.1), 0.3, SearchConfig(sigma0=50, c=1))
    assert from_above.loss <= CONFIG.tolerance


def test_a_metric_that_nothing_changes_is_called_flat() -> None:
    found = _run(lambda _: 0.4, 0.1)
    assert (found.reason, found.steps, found.sigma) == ("flat", 0, CONFIG.floor)
    assert CONFIG.ceiling in dict(found.measured)


def test_where_the_target_is_out_of_reach_the_smallest_strength_that_is_as_good_is_taken() -> None:
    found = _run(_falling(1, 0.3, bottom=0.2), 0.1)
    assert found.reason == "level"
    assert found.value == pytest.approx(0.2, abs=CONFIG.flat)
    assert found.sigma < 10


def test_a_target_that_is_met_at_once_costs_one_measurement() -> None:
    assert _run(lambda _: 0.3, 0.31) == Found(1.0, 0.3, pytest.approx(0.01), 0, "tolerance", ((1.0, 0.3),))


def test_with_a_given_eta_the_step_is_the_papers() -> None:
    config = SearchConfig(sigma0=1, c=0.2, eta=0.3, steps=1, floor=0, tolerance=0, longest=100)
    assert _run(lambda s: 1 - s / 10, 0.1, config).measured[-1][0] == pytest.approx(1 - 0.3 * -0.1)


def test_a_clipped_point_is_as_far_away_as_it_is() -> None:
    # By 2c the slope would come out at half its size, and Polyak's step at twice: 1.8, not 1.0.
    config = SearchConfig(sigma0=0.2, c=0.5, floor=0.2, steps=1, tolerance=0)
    assert _run(lambda s: 1 - s / 2, 0.5, config).measured[-1][0] == pytest.approx(1.0)


@settings(max_examples=50)
@given(middle=st.floats(0.2, 30), stop=st.integers(0, 30))
def test_a_stopped_search_goes_on_from_what_was_written_down(middle: float, stop: int) -> None:
    metric = _falling(middle, 0.3)
    whole = _run(metric, 0.3)
    half = whole.measured[:stop]
    config = SearchConfig(**json.loads(json.dumps(CONFIG.plain())))
    known = dict(json.loads(json.dumps(half)))
    while not isinstance(asked := ask(0.3, config, known), Found):
        known[asked] = metric(asked)
    assert asked == whole
    assert tuple(known.items()) == whole.measured


def test_the_crossing_lies_between_its_neighbours() -> None:
    assert bracket({1: 0.9, 3: 0.2, 2: 0.8}, 0.5) == (2, 3)
    assert bracket({1: 0.9, 2: 0.8}, 0.5) is None


@pytest.mark.parametrize(
    "wrong",
    [{"floor": -1}, {"sigma0": 0.01}, {"ceiling": 0.5}, {"c": 0}, {"eta": 0}, {"steps": 0}, {"widen": 1}, {"flat": -1},
     {"patience": 0}],
)  # fmt: skip
def test_senseless_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        SearchConfig(**wrong)  # type: ignore[arg-type]
