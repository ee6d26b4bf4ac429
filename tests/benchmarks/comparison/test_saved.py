"""A comparison as files."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.comparison.outcome import Comparison, Cost, Outcome, Said
from benchmarks.comparison.saved import COLUMNS, dumps, load, loads, rows, save
from benchmarks.methods.method import Intent
from benchmarks.metrics.metric import Measured, Undefined
from tests.benchmarks.comparison.report_made import NO_PROBABILITIES, made

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
TEXTS = st.text(st.characters(), max_size=8)  # lone surrogates too
KEYS = TEXTS | st.sampled_from(["$float", "$map"])
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=5,
)  # fmt: skip
MAPPINGS = st.dictionaries(TEXTS, PLAIN, max_size=3)
FIGURES = st.dictionaries(
    TEXTS,
    st.builds(Undefined, TEXTS)
    | st.builds(Measured, FLOATS, FLOATS, st.integers(0), st.lists(FLOATS, max_size=4).map(tuple), TEXTS),
    max_size=3,
)
COSTS = st.builds(Cost, FLOATS, st.none() | FLOATS, st.none() | st.integers(0), deletion_seconds=st.none() | FLOATS)
SAID = st.lists(st.builds(Said, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple)
OUTCOMES = st.builds(
    Outcome, TEXTS, MAPPINGS, COSTS, FIGURES, SAID, TEXTS, TEXTS, st.lists(FIGURES, max_size=2).map(tuple)
)
COMPARISONS = st.builds(
    Comparison, MAPPINGS, MAPPINGS, st.lists(OUTCOMES, max_size=2).map(tuple), st.lists(TEXTS, max_size=2).map(tuple)
)


@settings(max_examples=150, deadline=None)
@given(COMPARISONS)
def test_the_same_comparison_comes_back_nan_and_order_included(comparison: Comparison) -> None:
    assert repr(loads(dumps(comparison))) == repr(comparison)


def test_a_folder_holds_json_and_a_table(tmp_path: Path) -> None:
    save(made(), tmp_path / "new" / "run")
    assert repr(load(tmp_path / "new" / "run" / "comparison.json")) == repr(made())
    text = (tmp_path / "new" / "run" / "comparison.csv").read_text(encoding="utf-8")
    assert text == rows(made())


def test_what_json_has_not_is_saved_as_what_comes_nearest() -> None:
    spec = {"way": Intent.REMOVE, "folder": Path("a/b"), "both": (1, (2.5,)), "names": frozenset("ba")}
    assert loads(dumps(replace(made(), spec=spec))).spec == {
        "way": "remove", "folder": "a/b", "both": [1, [2.5]], "names": ["a", "b"]
    }  # fmt: skip


def test_the_table_has_a_row_for_each_method_and_metric_and_says_why_there_is_no_figure() -> None:
    found = list(csv.DictReader(io.StringIO(rows(made()))))
    assert tuple(found[0]) == COLUMNS
    assert len(found) == sum(len(outcome.figures) or 1 for outcome in made().outcomes)
    (eco,) = [r for r in found if r["method"] == "eco" and r["metric"] == "min_k"]
    assert (eco["value"], eco["not_available"]) == ("", NO_PROBABILITIES)
    (quality,) = [r for r in found if r["method"] == "npo" and r["metric"] == "forget_quality"]
    assert float(quality["value"]) == 0.12
    assert math.isnan(float(quality["stderr"]))
    (failed,) = [r for r in found if r["method"] == "whp"]
    assert failed["not_available"] == "OutOfMemoryError: 12 GiB wanted"


def test_a_spreadsheet_takes_no_text_for_a_formula() -> None:
    outcome = Outcome("=HYPERLINK(1)", {}, Cost(1), {"@m": Undefined("+why")})
    (found,) = csv.DictReader(io.StringIO(rows(Comparison({}, {}, (outcome,)))))
    assert [found["method"], found["metric"], found["not_available"]] == ["'=HYPERLINK(1)", "'@m", "'+why"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 2}', '{"format": 1}', "not JSON"])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        loads(text)
