"""ROUGE-L and means."""

from __future__ import annotations

import math
import statistics
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.text_metrics import Overlap, estimate, rouge_l, words

FEW = st.lists(st.sampled_from("abc"), max_size=7).map(" ".join)


def test_recall_is_the_share_of_the_reference_that_is_said_in_order() -> None:
    assert rouge_l("The capital of France is Paris.", "Paris").recall == 1
    assert rouge_l("It was found by Fleming, Alexander", "Alexander Fleming").recall == 0.5
    found = rouge_l("the cat sat on the mat", "the cat on a mat")
    assert (found.precision, found.recall) == (4 / 6, 4 / 5)
    assert math.isclose(found.f1, 2 * (4 / 6) * (4 / 5) / (4 / 6 + 4 / 5))


def test_case_marks_and_width_do_not_count() -> None:
    assert rouge_l("J. K. ROWLING!", "j.k. rowling") == Overlap(1.0, 1.0, 1.0)
    assert words("Ｐａｒｉｓ, 1889") == ["paris", "1889"]


def test_other_scripts_count() -> None:
    assert rouge_l("Столица Франции — Париж.", "париж").recall == 1
    assert rouge_l("日本の首都は東京です。", "東京").recall == 1
    assert words("東京 Tokyo") == ["東", "京", "tokyo"]


@pytest.mark.parametrize(("text", "reference"), [("", "Paris"), ("Paris", ""), ("...", "!"), ("a", "b")])
def test_nothing_in_common_is_nothing(text: str, reference: str) -> None:
    assert rouge_l(text, reference) == Overlap(0.0, 0.0, 0.0)


@given(text=FEW, reference=FEW)
def test_the_longest_common_subsequence_is_found(text: str, reference: str) -> None:
    own, wanted = text.split(), reference.split()
    kept = {c for n in range(len(own) + 1) for c in combinations(own, n)}
    longest = max(n for n in range(len(wanted) + 1) for c in combinations(wanted, n) if c in kept)
    assert rouge_l(text, reference).recall == (longest / len(wanted) if wanted else 0)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=50))
def test_a_mean_has_the_standard_error_of_the_textbook(values: list[float]) -> None:
    found = estimate(values)
    assert math.isclose(found.mean, statistics.fmean(values), abs_tol=1e-12)
    assert math.isclose(found.stderr, statistics.stdev(values) / math.sqrt(len(values)), abs_tol=1e-9)


def test_a_single_value_has_no_error_and_none_has_no_mean() -> None:
    assert (estimate([0.5]).stderr, estimate([0.5]).n) == (0.0, 1)
    with pytest.raises(ValueError, match="at least one"):
        estimate([])
