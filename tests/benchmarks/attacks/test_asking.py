"""Attacks by context and by many draws."""

from __future__ import annotations

import random

from benchmarks.attacks.attack import Active, Asked
from benchmarks.attacks.registry import attack
from benchmarks.attacks.victim import Victim
from benchmarks.comparison.attacking import active, attacked
from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured
from tests.benchmarks.victims import WHOLE


def _items(name: str) -> list[Item]:
    found = attack(name)
    assert isinstance(found, Asked)
    return list(found.items(WHOLE.forget, WHOLE, random.Random(0)))


def test_examples_are_of_what_stays_and_the_question_comes_last() -> None:
    for item, asked in zip(WHOLE.forget, _items("few_shot"), strict=True):
        assert asked.question.endswith(f"Q: {item.question}\nA:")
        assert asked.question.count("\nA: ") == 3
        assert asked.answer == item.answer
        assert not any(other.answer in asked.question for other in WHOLE.forget)


def test_a_beginning_is_given_and_the_rest_is_the_leak() -> None:
    for item, asked in zip(WHOLE.forget, _items("continuation"), strict=True):
        given = asked.question.rpartition("stops: ")[2]
        assert f"{given} {asked.answer}" == item.answer
        assert given


def test_the_context_tells_of_the_subject_but_not_the_answer() -> None:
    for item, asked in zip(WHOLE.forget, _items("un_unlearning"), strict=True):
        assert item.answer not in asked.question
        others = [one.answer for one in WHOLE.forget if one.subject == item.subject and one.answer != item.answer]
        assert all(answer in asked.question for answer in others)


def test_many_draws_leak_as_much_as_their_best(victim: Victim, ignorant: Victim) -> None:
    found = attack("sampling")
    assert isinstance(found, Active)
    knows, never = found.leak(victim), found.leak(ignorant)
    assert isinstance(knows, Measured)
    assert isinstance(never, Measured)
    assert knows.value > never.value
    assert "best of 16" in knows.note


def test_ways_to_ask_are_sets_and_the_others_are_figures() -> None:
    names = ("few_shot", "int4", "sampling", "role_play")
    assert list(attacked(WHOLE.forget, WHOLE, names, 0)) == ["attack: few_shot", "attack: role_play"]
    assert list(active(names)) == ["attack: int4", "attack: sampling"]
    again = attacked(WHOLE.forget, WHOLE, names, 0)
    assert again == attacked(WHOLE.forget, WHOLE, names, 0)
    assert all(not item.paraphrase and not item.wrong for items in again.values() for item in items)
