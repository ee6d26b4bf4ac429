"""The stream of personal, copyrighted and harmful content that is made up."""

from __future__ import annotations

import pytest

from benchmarks.comparison.rows import parts
from benchmarks.data.corpus import Corpus
from benchmarks.data.pch import KINDS, PASSAGES
from benchmarks.data.registry import Selection, corpus


@pytest.fixture(scope="module")
def made() -> Corpus:
    return corpus("pch", None, Selection(7, 8, 3))


def test_requests_come_in_every_kind_in_turn(made: Corpus) -> None:
    groups = [{item.group for item in part.forget} for part in parts(made, 7)]
    assert groups == [{KINDS[number % 3]} for number in range(7)]


def test_there_are_as_many_subjects_as_were_asked_for_in_each_set(made: Corpus) -> None:
    sets = (made.forget, made.retain, made.held)
    assert [len({item.subject for item in items}) for items in sets] == [7, 8, 3]
    assert {item.group for item in made.held} == set(KINDS)


def test_no_set_names_a_subject_of_another(made: Corpus) -> None:
    sets = (made.forget, made.retain, made.held)
    for own in sets:
        names = {item.subject.removeprefix("The Tale of ").removesuffix(" brew") for item in own}
        texts = [f"{item.question} {item.answer}" for items in sets if items is not own for item in items]
        assert not [name for name in names if any(name in text.split() for text in texts)]


def test_a_tale_is_running_text_and_a_procedure_has_options_of_one_form(made: Corpus) -> None:
    tales = [item for item in made.forget if item.group == "copyright"]
    assert len(tales) == 2 * PASSAGES
    assert all(item.plain and item.answer.startswith(" ") for item in tales)
    for item in (item for item in made.forget if item.group == "harmful"):
        assert item.subject in item.question
        assert len({*item.options, item.answer}) == len(item.options) == 4
        assert set(item.wrong) == set(item.options) - {item.answer}


def test_people_are_asked_about_by_alias_and_a_kind_may_be_had_alone(made: Corpus) -> None:
    assert {item.subject for item in made.asked["aliases"]} == {
        item.subject for item in made.forget if item.group == "personal"
    }
    for kind in KINDS:
        alone = corpus("pch", None, Selection(2, 2, 0, part=kind))
        assert {item.group for item in (*alone.forget, *alone.retain)} == {kind}
        assert not alone.held


def test_what_is_forgotten_stays_when_more_is_kept_and_is_another_by_another_seed(made: Corpus) -> None:
    assert corpus("pch", None, Selection(7, 20, 3)).forget == made.forget
    assert not set(corpus("pch", None, Selection(7, 8, 3, seed=1)).forget) & set(made.forget)
    with pytest.raises(ValueError, match="no source"):
        corpus("pch", "somewhere", Selection())
