"""The corpus of made-up people."""

from __future__ import annotations

from itertools import combinations

import pytest

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.registry import Selection, corpus

SELECTIONS = [
    Selection(), Selection(1, 1, 0), Selection(3, 9, 4, seed=5), Selection(6, 20, 6, "names", 2), Selection(40, 90, 30),
]  # fmt: skip


@pytest.fixture(params=SELECTIONS, ids=str)
def selection(request: pytest.FixtureRequest) -> Selection:
    assert isinstance(request.param, Selection)
    return request.param


@pytest.fixture
def made(selection: Selection) -> Corpus:
    return corpus("people", None, selection)


def _subjects(items: tuple[Item, ...]) -> set[str]:
    return {item.subject for item in items}


def test_there_are_as_many_people_as_were_asked_for_and_nobody_is_in_two_sets(
    made: Corpus, selection: Selection
) -> None:
    sets = [_subjects(items) for items in (made.forget, made.retain, made.held)]
    assert [len(s) for s in sets] == [selection.forget, selection.retain, selection.held]
    assert all(not a & b for a, b in combinations(sets, 2))


def test_no_text_of_a_set_names_somebody_of_another(made: Corpus) -> None:
    sets = {"forget": made.forget, "retain": made.retain, "held": made.held}
    for name, items in sets.items():
        others = set().union(*(_subjects(own) for of, own in sets.items() if of != name))
        told = " ".join(f"{item.question} {item.answer}" for item in items)
        assert not [other for other in others if f" {other} " in told or f" {other}." in told]


def test_the_same_seed_gives_the_same_people_and_another_seed_others(selection: Selection, made: Corpus) -> None:
    assert corpus("people", None, selection).digest == made.digest
    other = Selection(selection.forget, selection.retain, selection.held, selection.part, selection.seed + 1)
    assert corpus("people", None, other).digest != made.digest


def test_the_forgotten_stay_the_same_when_more_is_kept() -> None:
    assert corpus("people", None, Selection(3, 4, 1)).forget == corpus("people", None, Selection(3, 50, 9)).forget


def test_every_item_has_other_wordings_and_wrong_answers_of_the_same_form(made: Corpus) -> None:
    for item in (*made.forget, *made.retain, *made.held, *made.asked["aliases"]):
        assert item.paraphrase not in (None, item.question)
        assert item.reworded not in (None, item.answer)
        assert len(set(item.wrong)) >= 3
        assert item.reworded not in item.wrong
        assert len(set(item.options)) == 4
        assert item.options.count(item.answer) == 1
        assert all(_form(wrong, item.reworded or "") for wrong in item.wrong)


def _form(wrong: str, right: str) -> bool:
    """Whether two sentences have their first words in common, up to the value."""
    return wrong.split()[:3] == right.split()[:3] and wrong[-1] == right[-1]


def test_options_do_not_always_have_the_answer_in_the_same_place(made: Corpus) -> None:
    places = {item.options.index(item.answer) for item in made.forget}
    assert len(places) > 1


def test_no_question_is_asked_twice_with_two_answers(made: Corpus) -> None:
    items = [item for own in made.sets.values() for item in own]
    answers = {item.question: item.answer for item in items}
    assert all(answers[item.question] == item.answer for item in items)


def test_a_chain_of_two_facts_says_what_the_linked_facts_say(made: Corpus, selection: Selection) -> None:
    asked = made.asked.get("multi_hop", ())
    assert bool(asked) == (selection.forget > 1)
    known = {item.question: item for item in made.forget}
    for item in asked:
        mentor = known[f"Who was the mentor of {item.subject}?"].answer.removeprefix(
            f"The mentor of {item.subject} was "
        )
        direct = known[item.question.replace(f"the mentor of {item.subject}", mentor[:-1])]
        assert direct.subject in _subjects(made.forget)
        assert item.reworded == direct.answer
        assert item.answer.casefold() == direct.answer.replace(mentor[:-1], f"the mentor of {item.subject}").casefold()
        assert item.reworded not in item.wrong


def test_neighbours_are_kept_and_share_a_name_and_the_profession_with_one_of_the_forgotten(made: Corpus) -> None:
    near = made.asked.get("neighbours", ())
    assert set(near) <= set(made.retain)
    jobs = {item.subject: item.answer for item in made.forget if "for a living" in item.question}
    for item in near:
        if "for a living" in item.question:
            alike = [n for n in jobs if set(n.split()) & set(item.subject.split())]
            assert any(jobs[n].replace(n, item.subject) == item.answer for n in alike)


def test_aliases_ask_about_the_forgotten_without_their_name_as_it_is_written(made: Corpus) -> None:
    names = _subjects(made.forget)
    assert _subjects(made.asked["aliases"]) == names
    for item in made.asked["aliases"]:
        assert item.subject not in item.question or item.question.count(f"Dr. {item.subject}")
    assert all(made.aliases[name] for name in names)


def test_what_only_one_person_has_is_a_group_in_every_set(made: Corpus) -> None:
    rare = [item for own in (made.forget, made.retain, made.held) for item in own if item.group]
    assert {item.group for item in made.forget if item.group} == {"rare birthplace", "rare award"}
    values = [item.answer.replace(item.subject, "") for item in rare]
    assert len(set(values)) == len(values)
    assert bool([item for item in made.held if item.group]) == bool(made.held)
    assert len(rare) < len((*made.forget, *made.retain, *made.held)) / 5 + 2


@pytest.mark.parametrize(("source", "part", "told"), [("somewhere", "", "no source"), (None, "news", "no part 'news'")])
def test_what_cannot_be_is_refused(source: str | None, part: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        corpus("people", source, Selection(part=part))
