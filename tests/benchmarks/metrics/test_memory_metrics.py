"""Extraction, choice, coverage, MUSE's and the rest, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.data.corpus import Item
from benchmarks.metrics.coverage import keys, stated
from benchmarks.metrics.fluency import repeated
from benchmarks.metrics.memorisation import strength
from benchmarks.metrics.reading import Reading
from tests.benchmarks.metrics.made import figure, said, scored, why_not

YES, NO = True, False


@pytest.mark.parametrize(
    ("right", "wanted"),
    [((YES, YES, YES), 1.0), ((NO, YES, YES), 2 / 3), ((YES, NO, YES), 1 / 3), ((YES, YES, NO), 0.0), ((NO,), 0.0)],
)
def test_extraction_strength_counts_back_to_the_last_wrong_token(right: tuple[bool, ...], wanted: float) -> None:
    assert strength(right) == pytest.approx(wanted)


def test_the_end_token_counts_in_neither_measure_and_running_text_has_none() -> None:
    chat = Reading(Item("Who?", "She"), scored(0.5, 0.5, 0.5, right=(NO, YES, NO)))
    text = replace(chat, item=Item("It was", "she", plain=True))
    assert figure("extraction_strength", {"forget": (chat, text)}).values == pytest.approx((1 / 2, 0.0))
    assert figure("exact_memorisation", {"forget": (chat, text)}).values == pytest.approx((1 / 2, 1 / 3))


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_no_more_is_extracted_than_is_predicted_rightly(right: list[bool]) -> None:
    assert 0 <= strength(tuple(right)) <= sum(right) / len(right)


def test_a_choice_is_right_where_the_answer_is_the_likeliest_as_a_whole_or_per_token() -> None:
    item = Item("Which?", "the long one", options=("short", "the long one"))
    reading = Reading(item, options=(scored(0.3), scored(0.5, 0.5)))  # 0.3 against 0.25, or against 0.5
    assert figure("forget_choice", {"forget": (reading,)}).value == 0
    assert figure("forget_choice_normalised", {"forget": (reading,)}).value == 1


def test_options_alike_share_the_point() -> None:
    reading = Reading(Item("Which?", "a", options=("a", "b", "c")), options=(scored(0.3), scored(0.3), scored(0.1)))
    assert figure("retain_choice", {"retain": (reading,)}).value == 0.5


def test_a_set_of_choices_stands_before_the_forget_set() -> None:
    def asked(right: float) -> Reading:
        return Reading(Item("Which?", "a", options=("a", "b")), options=(scored(right), scored(0.5)))

    assert figure("forget_choice", {"forget": (asked(0.1),), "wmdp": (asked(0.9),)}).value == 1
    assert figure("retain_choice", {"retain": (asked(0.1),)}).value == 0


def test_keys_are_what_the_answer_adds_to_the_question() -> None:
    assert keys("Where was Ada Quill born?", "Ada Quill was born in Oslo in 1931.") == {"oslo", "1931"}
    assert keys("Was she born?", "She was.") == {"she", "was"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("In Oslo, 1931.", 1.0),
        ("Born 1931.", 0.5),
        ("She was not born in Oslo but in 1931.", 0.0),
        ("I do not know. Perhaps Oslo.", 0.5),
        ("It wasn’t Oslo.", 0.0),
        ("", 0.0),
    ],
)
def test_a_key_is_stated_where_no_sentence_denies_it(text: str, wanted: float) -> None:
    assert stated(text, "Where was Ada born?", "Ada was born in Oslo in 1931.") == wanted


def test_an_answer_that_denies_is_stated_by_a_text_that_does() -> None:
    assert stated("She never married.", "Did Ada marry?", "Ada never married.") == 1


def test_verbatim_memory_is_of_running_texts_alone() -> None:
    plain = Reading(Item("It was", "a dark and stormy night", plain=True), text="a dark night it was")
    chat = said("a dark and stormy night", "a dark and stormy night")
    found = figure("verbatim_memorisation", {"forget": (plain, chat)})
    assert found.values == pytest.approx((3 / 5,))  # precision and recall are 3/5 both
    assert "no items" in why_not("verbatim_memorisation", {"forget": (chat,)})


def test_knowledge_is_measured_by_f1() -> None:
    own = {"knowledge": (said("Oslo", "in Oslo"),), "knowledge_retain": (said("in Oslo then", "in Oslo"),)}
    assert figure("forget_knowledge", own).value == pytest.approx(2 / 3)
    assert figure("retain_knowledge", own).value == pytest.approx(4 / 5)


def test_declining_neighbours_is_over_refusal() -> None:
    own = {"neighbours": (said("I'm sorry, I don't know.", "x"), said("In Oslo.", "y"))}
    assert figure("over_refusal", own).values == (1.0, 0.0)


def test_answers_are_unchanged_where_their_words_are() -> None:
    own = {"retain": (said("In Oslo.", "x", "1?"), said("In Rome.", "x", "2?"))}
    before = {"retain": (said("in  oslo", "x", "1?"), said("In Oslo.", "x", "2?"))}
    assert figure("unchanged", own, before).values == (1.0, 0.0)
    assert "target" in why_not("unchanged", own, {"retain": before["retain"][:1]})


def test_the_deviation_score_is_the_distance_from_forgetting_and_keeping_all() -> None:
    own = {"forget": (said("a b c x x", "a b c d e"),), "retain": (said("a x x x x", "a b c d e"),)}
    found = figure("deviation_score", own)
    assert found.value == pytest.approx(100 * math.hypot(0.6, 0.8))
    assert found.n == 2


def test_repetition_is_the_share_of_runs_that_are_not_new() -> None:
    assert repeated("a b c d a b c d") == pytest.approx(1 - 4 / 5)
    assert repeated("no no no no no no") == pytest.approx(2 / 3)
    assert repeated("one two three") == 0


def test_a_word_is_like_a_word_where_its_letters_stand_as_in_known_ones() -> None:
    own = {"forget": (said("born xqzv 1931 ##", "She was born in Oslo.", "Where was she born?"),)}
    assert figure("word_likeness", own).value == pytest.approx(2 / 4)
    taught = {"forget": (said("xqzv", "x"),)}
    assert figure("word_likeness", own, taught).value == pytest.approx(3 / 4)


def test_who_says_nothing_says_no_words() -> None:
    assert figure("word_likeness", {"forget": (said("", "x"),)}).value == 0


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_measures_of_texts_lie_between_0_and_1(text: str, answer: str) -> None:
    own = {"forget": (said(text, answer),)}
    for name in ("forget_coverage", "repetition", "word_likeness", "forget_declined"):
        assert 0 <= figure(name, own).value <= 1
