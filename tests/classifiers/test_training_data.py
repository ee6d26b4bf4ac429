"""What a prompt classifier is trained on."""

from __future__ import annotations

import random

import pytest

from classifiers.training_data import dressed, examples, renamed
from classifiers.types import Target
from tests.classifiers import tiny

PELK = Target("people", "1", ("Zorvan Pelk", "Z. P."), ("Where was Zorvan Pelk born?", "Birthplace of Zorvan Pelk?"))


def test_an_epoch_is_the_same_again_and_the_next_one_is_worded_otherwise() -> None:
    found = tiny.small()
    first, second = found.epoch(0, 5), found.epoch(1, 5)
    assert first == found.epoch(0, 5)
    assert first != second
    assert len(first) == len(second)
    assert {t for t, about in first if about} > set(found.positives)


def test_nothing_that_is_held_out_is_trained_on() -> None:
    targets = [Target("l", str(i), (), (f"Text {i}?", *(f"Variant {j} of {i}?" for j in range(5)))) for i in range(20)]
    found = examples(targets, [f"Keep {i}" for i in range(50)])
    trained = {*found.positives, *found.kept, *found.usual}
    assert not trained & {h.text for h in found.held}
    assert {h.kind for h in found.held} == {"rewordings", "paraphrases", "keep", "ordinary"}
    assert {t.texts[0] for t in targets} <= set(found.positives)
    assert sum(found.counts().values()) == len(trained) + len(found.held)


def test_what_is_done_to_one_class_is_done_to_the_other() -> None:
    drawn = [row for number in range(6) for row in tiny.small().epoch(number, 0)]
    for wording in ("Please answer in one sentence.", "Question: ", '{"role"'):
        assert {about for text, about in drawn if wording in text} == {True, False}


def test_a_subject_is_forgotten_by_its_name_and_a_fact_only_with_its_question() -> None:
    about_fact = examples([PELK], [])
    assert not any(t in about_fact.positives for t in ("Zorvan Pelk", "Who is Zorvan Pelk?"))
    others = [t for t in (*about_fact.facts, *(h.text for h in about_fact.held if not h.about)) if "Zorvan Pelk" in t]
    assert len(others) == len(set(others)) > 2
    assert not any("born" in t or "birth" in t.lower() for t in others)
    about_subject = examples([Target("people", "1", ("Zorvan Pelk",), (), "subject")], [])
    assert all("Zorvan Pelk" in t for t in about_subject.positives)
    assert about_subject.facts == ()


def test_what_is_asked_of_others_is_to_pass_when_only_another_fact_is_to_be_forgotten() -> None:
    keep = ["Which prizes did Marta Olsen win?", "In which town was Marta Olsen born?"]
    found = examples([PELK], keep)
    asked = {*found.facts, *(h.text for h in found.held)}
    assert "Which prizes did Zorvan Pelk win?" in asked
    assert "In which town was Zorvan Pelk born?" not in asked


def test_neighbours_have_another_name_and_sometimes_one_word_of_it() -> None:
    made = {renamed("Was zorvan pelk there? Zorvan Pelk!", "Zorvan Pelk", random.Random(i)) for i in range(80)}
    assert not any("zorvan pelk" in t.lower() for t in made)
    assert any("Zorvan" in t for t in made)
    assert any("Pelk" in t for t in made)


def test_allowed_entries_are_texts_to_keep() -> None:
    allowed = Target("people", "2", ("Zorvan Pelk",), ("Which Zorvan Pelk sells bread?",), allow=True)
    assert "Which Zorvan Pelk sells bread?" in examples([PELK, allowed], []).kept


def test_a_text_to_keep_and_to_forget_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"1 of the texts to keep are also in the list.*take them out"):
        examples([PELK], ["where was  zorvan pelk BORN?", "Other"])


def test_a_list_without_entries_is_an_error() -> None:
    with pytest.raises(ValueError, match="no entry to train on"):
        examples([], ["Keep"])


def test_braces_in_a_text_stay_as_they_are() -> None:
    assert all("{x}" in dressed("Is {x} a set?", random.Random(i)) for i in range(50))
