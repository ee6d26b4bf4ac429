"""Questions in other words, by other names and in two steps; what the target knows of them."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.attacks.knowing import known, right
from benchmarks.attacks.mirage import ALIAS, MULTI_HOP, PARAPHRASE, aliased, multi_hop, spread
from benchmarks.attacks.rewording import chained, names, renamed, rewordings
from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.data.registry import Selection, corpus
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Reading

BORN = Item("Where was Ada Quill born?", "Ada Quill was born in Pelk.", "Ada Quill")
WROTE = Item("What did Ada Quill write?", "The book Rain.", "Ada Quill", "Which book is by Ada Quill?")


def test_a_question_is_reworded_with_its_own_paraphrase_first() -> None:
    assert rewordings(BORN) == [
        "Can you tell me where Ada Quill was born ?",
        "Ada Quill : Where was this person born?",
        "Please tell me : where was Ada Quill born",
    ]
    assert rewordings(WROTE)[0] == "Which book is by Ada Quill?"
    assert rewordings(replace(BORN, plain=True)) == []
    assert "Name the job of Ada Quill ." in rewordings(Item("What is the job of Ada Quill?", "Baker.", "Ada Quill"))


def test_a_person_is_called_by_the_names_that_are_given_and_by_those_of_a_rule() -> None:
    assert names(BORN, ("Mora Lin", "Ada Quill")) == ["Mora Lin", "Quill", "A. Quill", "Quill, Ada"]
    assert names(replace(BORN, subject="Ada")) == []
    assert renamed(WROTE, "A. Quill") == Item("What did A. Quill write?", "The book Rain.", "Ada Quill")
    assert renamed(replace(BORN, question="Who?"), "A. Quill") is None


def test_a_chain_names_nobody_and_asks_for_the_second_fact() -> None:
    told = chained([BORN, WROTE, Item("Where was Per Lund born?", "In Lisk.", "Per Lund")])
    assert [(item.question, item.answer) for item in told] == [
        ("What did this person write? The book Rain. Where was this person born?", "Ada Quill was born in Pelk."),
        ("Where was this person born? this person was born in Pelk. What did this person write?", "The book Rain."),
    ]


def test_an_answer_is_right_by_what_it_adds_to_the_question() -> None:
    assert right(Reading(BORN, text="In Pelk, I think."))
    assert not right(Reading(BORN, text="Ada Quill was born in Vorsk."))
    assert not right(Reading(BORN))


def test_what_the_target_does_not_know_is_left_out(victim: Victim) -> None:
    one = victim.sets["forget"][0]
    wrong = replace(one, answer="Ilmar Sveen was born in Zorvan .")
    assert known(victim, [one, wrong]) == [one]
    assert known(victim, []) == []


def test_a_model_that_never_learnt_leaks_less_and_a_target_what_it_knows(victim: Victim, ignorant: Victim) -> None:
    for attack in (PARAPHRASE, ALIAS, MULTI_HOP):
        knowing, other = attack.leak(victim), attack.leak(ignorant)
        assert isinstance(knowing, Measured)
        assert isinstance(other, Measured)
        assert knowing.value > 0.5 > other.value
        assert knowing.n == other.n  # the same probes for every row
        assert "asked as in the set" in knowing.note


def test_sets_of_the_data_are_used_where_there_are_some(victim: Victim) -> None:
    people = corpus("people", None, Selection(2, 2, 0))
    row = replace(victim, corpus=people, sets={"forget": people.forget[:3]})
    assert aliased(row) == [item for item in people.asked["aliases"] if item.subject == people.forget[0].subject]
    assert set(multi_hop(row)) > {
        item for item in people.asked["multi_hop"] if item.subject == people.forget[0].subject
    }


def test_questions_that_nobody_understands_tell_nothing(victim: Victim) -> None:
    strange = replace(victim, sets={"forget": (Item("Whence Bo Ra?", "From Nowhere.", "Bo Ra"),)})
    assert isinstance(ALIAS.leak(strange), Undefined)


def test_some_of_many_are_taken_evenly() -> None:
    items = [replace(BORN, answer=str(number)) for number in range(10)]
    assert [item.answer for item in spread(items, 3)] == ["0", "3", "6"]
    assert spread(items, 20) == items
