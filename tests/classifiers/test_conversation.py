"""What a follow-up owes to earlier turns, and for how long."""

from __future__ import annotations

import pytest

from classifiers.conversation import REACH, weakened
from classifiers.detector import Detector
from classifiers.registry import create_encoder
from classifiers.types import Target

SMALL_TALK = ["What rhymes with orange?", "Translate 'good night' into French.", "How do I sharpen a knife?",
              "Name three kinds of bread.", "Why is the sky blue?", "Sort these numbers: 3, 1, 2.",
              "Write a line on autumn."]  # fmt: skip


@pytest.fixture(scope="module")
def detector() -> Detector:
    person = Target("people", "1", ("Zorvan Pelk",), ("Where was Zorvan Pelk born?",), "subject")
    return Detector.build([person], {}, create_encoder("minilm-int8"))


@pytest.mark.parametrize("between", range(8))
def test_a_name_is_meant_for_some_turns_and_then_no_more(detector: Detector, between: int) -> None:
    turns = ["Who is Zorvan Pelk?", *SMALL_TALK[:between], "And where was she born?"]
    assert bool(detector.judge_turns(turns)[-1]) == (between < REACH)


def test_what_was_said_long_ago_weighs_less() -> None:
    scores = [weakened(0.6, ago) for ago in range(1, REACH + 1)]
    assert scores[0] == 0.6
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.5


def test_a_hit_does_not_lock_the_conversation(detector: Detector) -> None:
    found = detector.judge_turns(["Where was Zorvan Pelk born?", "I cannot help with that.", *SMALL_TALK])
    assert bool(found[0])
    assert not any(found[1:])


def test_a_name_over_two_turns_is_a_name(detector: Detector) -> None:
    turns = ["The first name is Zorvan.", "The last name is Pelk. Where was this person born?"]
    assert detector.judge_turns(turns)[-1]
    assert not detector.judge_turns(["The first name is Zorvan.", "Where was this person born?"])[-1]
