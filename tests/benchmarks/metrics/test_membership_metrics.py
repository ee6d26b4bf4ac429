"""Membership inference by hand."""

from __future__ import annotations

import math
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data.corpus import Item
from benchmarks.metrics.membership import auc, by_min_k, by_min_k_plus_plus, by_zlib, measured
from benchmarks.metrics.reading import Reading, Readings, Scored
from tests.benchmarks.metrics.made import everything, figure, scored, why_not

SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=8)


def _answers(*p: float, group: str = "", answer: str = "She.") -> tuple[Reading, ...]:
    return tuple(Reading(Item(f"{n}?", answer, group=group), scored(each, each)) for n, each in enumerate(p))


def _told(members: tuple[float, ...], others: tuple[float, ...]) -> Readings:
    return {"forget": _answers(*members), "held": _answers(*others)}


def test_the_auc_is_the_share_of_pairs_in_which_the_member_is_the_likelier() -> None:
    found = figure("mia_loss", _told((0.9, 0.5), (0.5, 0.1)))
    assert found.value == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert found.values == pytest.approx(tuple(map(math.log, (0.9, 0.5, 0.5, 0.1))))
    assert found.n == 4
    assert 0 < found.stderr < 0.5


def test_zlib_divides_by_the_compressed_length_of_the_answer() -> None:
    reading = _answers(0.5, answer="A long long long answer")[0]
    assert reading.answer is not None
    assert by_zlib(reading, reading.answer) == math.log(0.5) / len(zlib.compress(b"A long long long answer"))


def test_min_k_is_the_mean_of_the_least_likely_tokens_but_the_end() -> None:
    answer = scored(0.9, 0.1, 0.8, 0.2, 0.7, 0.0001)  # five tokens and an end: 40 % are two
    assert by_min_k(Reading(Item("?", "a")), answer) == pytest.approx((math.log(0.1) + math.log(0.2)) / 2)


def test_of_few_tokens_the_least_likely_one_counts() -> None:
    assert by_min_k(Reading(Item("?", "a", plain=True)), scored(0.9, 0.1)) == pytest.approx(math.log(0.1))


def test_min_k_plus_plus_measures_each_token_against_the_vocabulary() -> None:
    answer = Scored((-1.0, -4.0, -9.0), (True,) * 3, (-2.0, -2.0, 0.0), (2.0, 0.5, 1.0))
    assert by_min_k_plus_plus(Reading(Item("?", "a")), answer) == pytest.approx(-4.0)  # (-4 + 2) / 0.5


def test_a_spread_of_nothing_divides_by_no_zero() -> None:
    answer = Scored((0.0, 0.0), (True,) * 2, (0.0, 0.0), (0.0, 0.0))
    assert by_min_k_plus_plus(Reading(Item("?", "a")), answer) == 0


def test_the_reference_takes_off_what_anyone_would_find_likely() -> None:
    own = _told((0.5, 0.5), (0.9, 0.9))
    assert figure("mia_loss", own).value == 0
    assert figure("mia_reference", own, retained=_told((0.1, 0.1), (0.9, 0.9))).value == 1
    assert figure("mia_reference", own, retained=own).value == 0.5
    assert why_not("mia_reference", own, retained=_told((0.1,), (0.9,))) == "the retained model was asked other items"


def test_privacy_leakage_is_how_far_from_the_retained_model_the_attack_is() -> None:
    own, retained = _told((0.9, 0.3), (0.5, 0.1)), _told((0.6, 0.3), (0.5, 0.8))
    found = figure("privacy_leakage", own, retained=retained)  # AUCs 3/4 and 1/4
    assert found.value == pytest.approx((0.25 - 0.75) / 0.75 * 100)
    assert found.stderr > 0
    same = figure("privacy_leakage", retained, retained=retained)
    assert (same.value, same.stderr) == (0, 0)


def test_privacy_leakage_is_undefined_where_the_retained_model_tells_all() -> None:
    own = _told((0.9,), (0.5,))
    assert "retained model itself" in why_not("privacy_leakage", own, retained=own)


def test_the_worst_group_is_the_one_told_best_from_its_own_non_members() -> None:
    own = {
        "forget": (*_answers(0.9, 0.9, group="rare"), *_answers(0.4, 0.4, group="usual"), *_answers(0.99, group="one")),
        "held": (*_answers(0.5, 0.5, group="rare"), *_answers(0.4, 0.4, group="usual")),
    }
    found = figure("mia_worst_group", own)
    assert found.value == 1
    assert "'rare'; the highest of 2" in found.note
    assert "no groups" in why_not("mia_worst_group", _told((0.9,), (0.5,)))


def test_membership_needs_non_members() -> None:
    assert "held" in why_not("mia_min_k", {"forget": everything()["forget"]})


def test_the_standard_error_shrinks_with_the_root_of_the_number() -> None:
    few, many = measured((1.0, 3.0) * 8, (0.0, 2.0) * 8), measured((1.0, 3.0) * 128, (0.0, 2.0) * 128)
    assert few.value == many.value == 0.75
    assert few.stderr / many.stderr == pytest.approx(4, rel=0.15)


@settings(deadline=None)
@given(SCORES, SCORES)
def test_an_auc_lies_between_0_and_1_and_turns_with_its_sides(one: list[int], other: list[int]) -> None:
    found = auc(one, other)
    assert 0 <= found <= 1
    assert found == pytest.approx(1 - auc(other, one))


@settings(deadline=None)
@given(SCORES, SCORES)
def test_it_is_that_of_scikit_learn(one: list[int], other: list[int]) -> None:
    from sklearn.metrics import roc_auc_score

    labels = [1] * len(one) + [0] * len(other)
    assert auc(one, other) == pytest.approx(roc_auc_score(labels, one + other))
