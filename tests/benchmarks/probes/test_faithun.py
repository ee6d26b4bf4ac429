"""Multiple choice after forgetting: which questions are made, and what the tiny models choose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.data.distractors import as_choice, others
from benchmarks.data.registry import Selection, corpus
from benchmarks.metrics.coverage import keys
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.models.packing import Chat
from benchmarks.probes.faithun import ACCURACY, MULTI_HOP, PARAPHRASE, SAME_ANSWER, multi_hop, paraphrased, same_answer
from benchmarks.probes.probe import Probe
from tests.benchmarks.victims import Unwatched

BORN = Item("Where was Ada Quill born?", "Ada Quill was born in Pelk.", "Ada Quill")
POOL = [
    BORN,
    Item("Where was Per Lund born?", "Per Lund was born in Lisk.", "Per Lund"),
    Item("When was Per Lund born?", "In May.", "Per Lund"),
    Item("Where was Bo Ra born?", "Bo Ra was born in Pelk.", "Bo Ra"),
    Item("Where was Li Na born?", "Li Na was born in Oran.", "Li Na"),
]
PEOPLE = corpus("people", None, Selection(2, 4, 0))


def test_false_answers_are_those_to_the_same_question_about_others() -> None:
    assert others(BORN, POOL, 2) == ("Ada Quill was born in Lisk.", "Ada Quill was born in Oran.")
    assert others(BORN, POOL, 3) == ()
    given = replace(BORN, options=("In Ulm.", BORN.answer, "In Rome."))
    assert others(given, POOL, 2) == ("In Ulm.", "In Rome.")
    assert others(replace(BORN, subject="Nobody"), POOL, 1) == ()


def test_options_are_in_the_form_of_the_answer_or_else_of_the_false_answers() -> None:
    made = as_choice(BORN, POOL)
    assert made is not None
    assert made.options == (BORN.answer, "Ada Quill was born in Lisk.", "Ada Quill was born in Oran.")
    reworded = as_choice(replace(BORN, reworded="It is Pelk.", wrong=("It is Ulm.", "It is Rome.")), ())
    assert reworded is not None
    assert (reworded.answer, reworded.options) == ("It is Pelk.", ("It is Pelk.", "It is Ulm.", "It is Rome."))
    assert as_choice(BORN, ()) is None
    assert as_choice(replace(BORN, plain=True), POOL) is None


def test_people_have_all_four_sets(victim: Victim) -> None:
    row = replace(victim, corpus=PEOPLE, sets={"forget": PEOPLE.forget})
    made = paraphrased(row)
    assert [item.question for item in made] == [item.paraphrase for item in PEOPLE.forget]
    assert all(len(item.options) == 3 and item.answer in item.options for item in (*made, *multi_hop(row)))
    assert len(multi_hop(row)) == len(PEOPLE.asked["multi_hop"]) + len(PEOPLE.forget)
    answers = {keys(item.question, item.answer) for item in PEOPLE.forget}
    same = same_answer(row)
    assert len(same) > 3
    assert {item.subject for item in same} <= {item.subject for item in PEOPLE.retain}
    assert all(keys(item.question, item.answer) in answers for item in same)


def test_where_nobody_else_has_the_answer_it_is_told_of_nobody(victim: Victim) -> None:
    one = same_answer(victim)[0]
    assert one.question == "Robin Hale : Robin Hale was born in Vorsk . Where was Robin Hale born ?"
    assert one.answer == "Robin Hale was born in Vorsk ."
    assert one.answer in one.options


def test_a_target_chooses_better_than_a_model_that_never_learnt(victim: Victim, ignorant: Victim) -> None:
    knowing, other = ACCURACY.measure(victim), ACCURACY.measure(ignorant)
    assert isinstance(knowing, Measured)
    assert isinstance(other, Measured)
    assert (knowing.n, other.n) == (6, 6)
    assert knowing.value > 0.6 > other.value
    assert set(knowing.values) <= {0.0, 1.0}


@pytest.mark.parametrize("probe", [ACCURACY, PARAPHRASE, MULTI_HOP, SAME_ANSWER])
def test_a_guard_that_leaves_a_question_unasked_gives_no_likelihoods(victim: Victim, probe: Probe) -> None:
    class Silent(Unwatched):
        def encode_as(self, question: str, answer: str, plain: bool = False) -> Chat | None:
            return None

        def says(self, question: str, plain: bool = False) -> str | None:
            return "No ."

        def action(self, question: str, plain: bool = False) -> str:
            return "refuse"

    found = probe.measure(replace(victim, guard=Silent()))
    assert isinstance(found, Undefined)
    assert "no predicted options" in found.why


def test_without_false_answers_there_is_no_figure(victim: Victim) -> None:
    alone = victim.corpus.forget[:1]
    found = ACCURACY.measure(
        replace(victim, corpus=replace(victim.corpus, forget=alone, retain=(), held=()), sets={"forget": alone})
    )
    assert isinstance(found, Undefined)
