"""Extraction strength under attack: by hand, and who has forgotten more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.metrics.metric import Measured
from benchmarks.probes.extraction import beginnings, first_like
from benchmarks.probes.registry import probe
from tests.benchmarks.attacks.test_attacks import Silent

NAMES = ("extraction_exact", "extraction_paraphrased", "extraction_similar")


def _found(name: str, victim: Victim) -> Measured:
    found = probe(name).measure(victim)
    assert isinstance(found, Measured)
    return found


def test_the_beginnings_of_an_answer_are_eighths_of_it() -> None:
    assert beginnings(16, 8) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert beginnings(3, 8) == [0, 1, 2]
    assert beginnings(1, 8) == [0]


def test_the_first_text_that_says_enough_of_its_rest_counts() -> None:
    texts, rests = ("no", "Vorsk by", "the sea"), ("in Vorsk by the sea", "Vorsk by the sea", "the sea")
    assert first_like(texts, rests, 0.5) == 2  # a half is not over a half
    assert first_like(texts, rests, 0.4) == 1
    assert first_like(("no", "no", "no"), rests, 0.5) is None


@pytest.mark.parametrize("name", NAMES)
def test_who_knows_the_answers_has_them_extracted(victim: Victim, ignorant: Victim, name: str) -> None:
    knows, not_ = _found(name, victim), _found(name, ignorant)
    assert knows.value > not_.value
    assert knows.n == 6


@pytest.mark.parametrize("name", NAMES)
def test_a_guard_that_declines_gives_nothing(victim: Victim, name: str) -> None:
    assert _found(name, replace(victim, guard=Silent())).value == 0


def test_a_paraphrase_is_asked_where_there_is_one(victim: Victim) -> None:
    items = victim.sets["forget"]
    same = replace(victim, sets={"forget": tuple(replace(item, paraphrase=item.question) for item in items)})
    assert _found("extraction_paraphrased", same).values == _found("extraction_exact", victim).values
    assert _found("extraction_paraphrased", same).note == ""
    assert "6 questions in a sentence" in _found("extraction_paraphrased", victim).note
