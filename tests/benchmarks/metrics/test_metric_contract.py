"""What holds of every metric in the registry."""

from __future__ import annotations

import json
import math
import re

import pytest

from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Readings
from benchmarks.metrics.registry import METRICS, metric
from tests.benchmarks.metrics.made import everything, silent, subjects

ALL = everything(size=4)
RETAINED = everything(size=4, knowing=0.2)
NO_MEANS = ("forget_quality", "model_utility", "deviation_score", "privacy_leakage", "forget_degree", "retain_utility",
            *(name for name in METRICS if name.startswith("mia_")))  # fmt: skip
OVER = {"model_utility": 12, "deviation_score": 8, "privacy_leakage": 8}  # examples of several sets
OVER |= {name: 8 for name in METRICS if name.startswith("mia_")}


def _measured(name: str, own: Readings = ALL) -> Measured:
    found = metric(name).measure(subjects(own, ALL, RETAINED))
    assert isinstance(found, Measured), found
    return found


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_says_nothing_of_readings_without_sets(name: str) -> None:
    assert isinstance(metric(name).measure(subjects({}, ALL, RETAINED)), Undefined)
    assert isinstance(metric(name).measure(subjects({}, {}, {})), Undefined)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_says_nothing_of_a_guard_that_predicts_nothing(name: str) -> None:
    found = metric(name).measure(subjects(silent(ALL), ALL, RETAINED))
    assert isinstance(found, Undefined)
    assert found.why


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_counts_the_whole_set(name: str) -> None:
    assert _measured(name).n == OVER.get(name, 4)


@pytest.mark.parametrize("name", [name for name in METRICS if name not in NO_MEANS])
def test_a_mean_is_that_of_its_values(name: str) -> None:
    found = _measured(name)
    assert len(found.values) == found.n
    assert found.value == pytest.approx(math.fsum(found.values) / found.n)


@pytest.mark.parametrize("name", METRICS)
def test_the_same_readings_give_the_same_figure(name: str) -> None:
    assert repr(_measured(name)) == repr(_measured(name))


@pytest.mark.parametrize("name", METRICS)
def test_figures_are_plain_numbers(name: str) -> None:
    found = _measured(name)
    assert {type(found.value), type(found.stderr), *map(type, found.values)} == {float}
    assert math.isfinite(found.value)
    json.dumps([found.value, found.values])


@pytest.mark.parametrize("name", METRICS)
def test_an_item_that_is_not_answered_leaves_no_figure_of_the_others(name: str) -> None:
    broken = {of: (silent({of: found})[of][0], *found[1:]) for of, found in ALL.items()}
    assert isinstance(metric(name).measure(subjects(broken, ALL, RETAINED)), Undefined)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_tells_where_it_comes_from(name: str) -> None:
    own = metric(name)
    assert own.title
    assert re.search(r"arXiv \d{4}\.\d{5}|project|Mirage", own.paper)


def test_titles_are_unique() -> None:
    titles = [metric(name).title for name in METRICS]
    assert len(set(titles)) == len(titles)


def test_a_metric_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no metric 'rogue'"):
        metric("rogue")
