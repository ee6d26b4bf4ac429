"""How two comparisons differ."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.comparison.outcome import Comparison, Cost, Outcome
from benchmarks.comparison.report.differences import Difference, differences
from benchmarks.comparison.report.markdown import difference
from benchmarks.metrics.metric import Measured, Undefined, mean

SETS = {"digest": "abc", "asked": {"forget": 3}}


def _run(
    figures: Mapping[str, Measured | Undefined], corpus: Any = SETS, seed: int = 0, name: str = "npo"
) -> Comparison:
    return Comparison({"corpus": corpus, "seed": seed}, {}, (Outcome(name, {}, Cost(1.0), figures),))


def _only(before: Comparison, after: Comparison) -> Difference:
    (found,) = differences(before, after)
    return found


BEFORE, AFTER = mean([0.1, 0.5, 0.9]), mean([0.2, 0.6, 1.0])


def test_figures_of_the_same_questions_are_paired() -> None:
    found = _only(_run({"forget_rouge": BEFORE}), _run({"forget_rouge": AFTER}))
    assert found.paired
    assert (found.difference, found.n) == (pytest.approx(0.1), 3)
    assert found.stderr == pytest.approx(0, abs=1e-9)
    assert found.clear


@pytest.mark.parametrize("corpus", [{"digest": "other", "asked": {"forget": 3}}, {}, None])
def test_figures_of_other_questions_are_not(corpus: Any) -> None:
    found = _only(_run({"forget_rouge": BEFORE}, corpus), _run({"forget_rouge": AFTER}))
    assert not found.paired
    assert found.stderr == pytest.approx(math.hypot(BEFORE.stderr, AFTER.stderr))
    assert not found.clear


def test_an_attack_is_paired_for_the_same_seed_alone() -> None:
    before, after = {"attack: leet": BEFORE}, {"attack: leet": AFTER}
    assert _only(_run(before), _run(after)).paired
    assert not _only(_run(before, seed=1), _run(after)).paired


def test_values_that_do_not_make_the_figure_are_not_paired() -> None:
    auc = Measured(0.9, 0.05, 3, (0.1, 0.2, 0.3))
    found = _only(_run({"min_k": auc}), _run({"min_k": auc}))
    assert not found.paired
    assert found.stderr == pytest.approx(0.05 * math.sqrt(2))


def test_the_text_has_both_figures_and_stars_what_is_clear() -> None:
    both = {"forget_rouge": BEFORE, "retain_rouge": Undefined("no")}
    text = difference(_run(both), _run({"forget_rouge": AFTER, "retain_rouge": AFTER}))
    assert "| 0.500 | 0.600 | 0.100 ±" in text
    assert "\\*" not in text.splitlines()[-1]
    assert "paired" in text
    assert "retain" not in text.splitlines()[-1]


def test_json_has_null_for_what_is_no_number() -> None:
    odd = Measured(0.5, math.nan, 3)
    (found,) = json.loads(difference(_run({"p": odd}), _run({"p": odd}), as_json=True))
    assert found["stderr"] is None
    assert found["difference"] == 0
    assert found["clear"] is False


def test_methods_of_one_run_alone_are_named() -> None:
    text = difference(_run({"a": BEFORE}), _run({"a": BEFORE}, name="dpo"))
    assert text == "The two have no figure in common.\n"
    before, after = _run({"a": BEFORE}), _run({"a": BEFORE})
    more = Comparison(after.spec, {}, (*after.outcomes, Outcome("idk", {}, Cost(1.0), {})))
    assert "Only in the second: idk." in difference(before, more)
