"""Fictional people for measuring the detector."""

from __future__ import annotations

import random

import pytest

from benchmarks.attacks.turns import PASSING, SPREAD
from benchmarks.attacks.wording import WORDINGS
from benchmarks.data.people import lookalikes, neighbours, nicknames, people, things


@pytest.mark.parametrize("seed", [0, 1])
def test_made_up_people_are_many_different_and_the_same_for_a_seed(seed: int) -> None:
    made = people(1500, seed)
    assert len({p.name for p in made}) == 1500
    assert made[:50] == people(1500, seed)[:50]
    assert all(f.question != p for person in made[:50] for f in person.facts for p in f.paraphrases)


def test_neighbours_share_one_part_of_the_name_and_never_both() -> None:
    for person in people(30, plain=True):
        for other in neighbours(person):
            assert (other.first == person.first) != (other.last == person.last)
    assert all(one.last == other.last and one.first != other.first for one, other in lookalikes())


def test_every_wording_and_conversation_takes_every_kind_of_subject() -> None:
    for subject in [*people(110), *things()]:
        for fact in subject.facts:
            assert all(make(subject, fact, random.Random(0)) for make in WORDINGS.values())
            assert all(make(subject, fact, random.Random(0)) for make in (SPREAD | PASSING).values())
        assert subject.kind != "person" or all(nicknames(subject).values())
