"""TOFU's metrics by hand, and within their bounds whatever is read."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data.corpus import Item
from benchmarks.metrics.probability import share
from benchmarks.metrics.reading import Reading, Scored
from benchmarks.metrics.truth_ratio import above_zero, near_one
from tests.benchmarks.metrics.made import everything, figure, said, scored, why_not

LOGS = st.floats(-2000, 0)
ASKED = Item("Who?", "She.", wrong=("He.", "It."))
NINE = [f"{of}_{what}" for of in ("retain", "real_authors", "world_facts")
        for what in ("probability", "rouge", "truth_ratio")]  # fmt: skip


def test_probability_is_the_geometric_mean_over_the_tokens() -> None:
    found = figure("forget_probability", {"forget": (Reading(ASKED, scored(0.5, 0.125)), Reading(ASKED, scored(0.5)))})
    assert found.values == pytest.approx((0.25, 0.5))
    assert (found.value, found.n) == (pytest.approx(0.375), 2)
    assert found.stderr == pytest.approx(0.125)


def test_on_world_facts_it_is_the_true_answers_share_among_all() -> None:
    reading = Reading(ASKED, scored(0.25), wrong=(scored(0.5), scored(0.5, 0.125)))
    found = figure("world_facts_probability", {"world_facts": (reading,)})
    assert found.value == pytest.approx(0.25 / (0.25 + 0.5 + 0.25))


def test_hardly_likely_answers_have_shares_too() -> None:
    assert share([-2000.0, -2000.0]) == 0.5


def test_rouge_recall_is_the_share_of_the_true_answers_words_in_their_order() -> None:
    own = {"forget": (said("In Oslo, she was born.", "She was born in Oslo"), said("", "Yes"))}
    found = figure("forget_rouge", own)
    assert found.values == pytest.approx((3 / 5, 0.0))


def test_paraphrases_count_where_there_are_any() -> None:
    asked = Reading(Item("Who?", "red car", paraphrase="By whom?"), text="no", paraphrased="a red car")
    assert figure("paraphrase_rouge", {"forget": (asked, said("x", "y"))}).values == (1.0,)


def test_the_truth_ratio_sets_the_geometric_mean_of_false_answers_against_the_reworded_one() -> None:
    item = replace(ASKED, reworded="It was she.")
    reading = Reading(item, scored(0.9), scored(0.25), (scored(0.5), scored(0.125)))
    ratio = math.sqrt(0.5 * 0.125) / 0.25  # exactly 1
    assert figure("forget_truth_ratio", {"forget": (reading,)}).value == pytest.approx(min(ratio, 1 / ratio))
    less = replace(reading, reworded=scored(0.5))
    assert figure("forget_truth_ratio", {"forget": (less,)}).value == pytest.approx(0.5)
    assert figure("retain_truth_ratio", {"retain": (less,)}).value == pytest.approx(0.5)
    more = replace(reading, reworded=scored(0.125))
    assert figure("forget_truth_ratio", {"forget": (more,)}).value == pytest.approx(0.5)
    assert figure("retain_truth_ratio", {"retain": (more,)}).value == 0


def test_the_answer_itself_stands_for_the_reworded_one_where_there_is_none() -> None:
    reading = Reading(ASKED, scored(0.5), wrong=(scored(0.25), scored(0.25)))
    assert figure("world_facts_truth_ratio", {"world_facts": (reading,)}).value == pytest.approx(0.5)


def test_items_without_false_answers_have_no_truth_ratio() -> None:
    own = {"forget": (Reading(Item("Who?", "She."), scored(0.5), wrong=()),)}
    assert "no items" in why_not("forget_truth_ratio", own)


def test_forget_quality_is_the_smallest_p_for_ratios_that_nowhere_overlap() -> None:
    def ratios(base: float) -> tuple[Reading, ...]:
        return tuple(Reading(ASKED, scored(0.5), wrong=(scored(base + n / 100),) * 2) for n in range(4))

    found = figure("forget_quality", {"forget": ratios(0.1)}, retained={"forget": ratios(0.6)})
    assert found.value == pytest.approx(2 / math.comb(8, 4))  # exact two-sided p of D = 1
    assert found.note.startswith("log10 p = -1.54")
    assert math.isnan(found.stderr)
    assert found.n == len(found.values) == 4
    assert figure("forget_quality", {"forget": ratios(0.1)}, retained={"forget": ratios(0.1)}).value == 1


def test_forget_quality_needs_the_retained_model() -> None:
    assert why_not("forget_quality", everything()).startswith("the retained model")


def test_model_utility_is_the_harmonic_mean_of_the_nine() -> None:
    own = everything()
    nine = [figure(name, own).value for name in NINE]
    found = figure("model_utility", own)
    assert found.value == pytest.approx(9 / sum(1 / each for each in nine))
    assert found.values == pytest.approx(tuple(nine))
    assert found.n == 9  # three sets of three
    assert found.stderr > 0


def test_its_standard_error_is_that_of_a_lone_figure_where_only_one_varies() -> None:
    own = {
        of: tuple(
            Reading(Item(f"{n}?", "yes", wrong=("no",)), scored(0.5), wrong=(scored(0.25),), text=text)
            for n, text in enumerate(("yes", "yes" if of != "retain" else "no"))
        )
        for of in ("retain", "real_authors", "world_facts")
    }
    nine = [0.5, 0.5, 0.5, 2 / 3, 1.0, 0.5, 2 / 3, 1.0, 0.5]
    value = 9 / sum(1 / each for each in nine)
    found = figure("model_utility", own)
    assert found.value == pytest.approx(value)
    assert found.stderr == pytest.approx(value**2 / 9 / 0.5**2 * 0.5)  # ROUGE on retain: 1 and 0


def test_model_utility_is_nothing_where_one_of_the_nine_is_nothing() -> None:
    own = everything()
    own = {**own, "retain": tuple(replace(r, text="") for r in own["retain"])}
    assert figure("model_utility", own).value == 0


def test_model_utility_needs_all_nine() -> None:
    own = {name: found for name, found in everything().items() if name != "world_facts"}
    assert "world_facts" in why_not("model_utility", own)


def test_a_set_counts_whole_or_not_at_all() -> None:
    own = {"forget": (Reading(ASKED, scored(0.5), text="She."), Reading(ASKED, None, text="I don't know."))}
    assert why_not("forget_probability", own) == "1 of 2 items of the set 'forget' have no predicted answer"
    assert figure("forget_rouge", own).n == 2


@settings(deadline=None)
@given(st.lists(st.lists(LOGS, min_size=1, max_size=4), min_size=2, max_size=5))
def test_probabilities_and_shares_lie_between_0_and_1(answers: list[list[float]]) -> None:
    true, *wrong = (Scored(tuple(a), (True,) * len(a), tuple(a), tuple(a)) for a in answers)
    reading = Reading(replace(ASKED, wrong=("x",) * len(wrong)), true, wrong=tuple(wrong))
    own = {"retain": (reading,), "world_facts": (reading,), "forget": (reading,)}
    for name in ("retain_probability", "world_facts_probability", "forget_truth_ratio", "retain_truth_ratio"):
        assert 0 <= figure(name, own).value <= 1


@settings(deadline=None)
@given(st.floats(-5000, 5000))
def test_a_truth_ratio_of_any_size_has_both_forms(log_ratio: float) -> None:
    assert 0 <= near_one(log_ratio) <= 1
    assert 0 <= above_zero(log_ratio) <= 1
    assert near_one(log_ratio) == near_one(-log_ratio)


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_rouge_lies_between_0_and_1(text: str, answer: str) -> None:
    assert 0 <= figure("forget_rouge", {"forget": (said(text, answer),)}).value <= 1
