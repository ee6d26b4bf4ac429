"""Questions that stand for the forget set's: what they are, which of them is taken, and what they bring."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.attacks.embedding import distances, embedded
from benchmarks.attacks.surrogate import GAP, PSG, candidates, farthest, surrogates
from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Corpus, Item
from benchmarks.metrics.metric import Measured, Undefined

BORN = Item("Where was Ada Quill born?", "In Pelk.", "Ada Quill", "What is Ada Quill's place of birth?")
WROTE = Item("What did Ada Quill write?", "The book Rain.", "Ada Quill")


def test_candidates_ask_for_the_same_answer_in_two_steps_by_other_names_and_in_other_words() -> None:
    made = candidates(BORN, Corpus("two", (BORN, WROTE), (), aliases={"Ada Quill": ("Mora Lin",)}), 4)
    assert [item.question for item in made] == [
        "What did this person write? The book Rain. Where was this person born?",
        "Where was Mora Lin born?",
        "What is Ada Quill's place of birth?",
        "Where was Quill born?",
    ]
    assert {item.answer for item in made} == {"In Pelk."}


def test_the_farthest_is_taken() -> None:
    import torch

    near, far = replace(BORN, question="near"), replace(BORN, question="far")
    rows = {BORN.question: torch.tensor([1.0, 0.0]), "near": torch.tensor([3.0, 4.0]), "far": torch.tensor([0.0, 2.0])}
    found = farthest(BORN, [near, far], rows)
    assert found is not None
    assert (found.made, found.distance) == (far, 1.0)
    nearest = farthest(BORN, [near], rows)
    assert nearest is not None
    assert nearest.distance == pytest.approx(0.4)
    assert farthest(BORN, [], rows) is None


def test_a_text_lies_where_it_lies_whatever_stands_beside_it(victim: Victim) -> None:
    import torch

    texts = ["Where was Ada Quill born ?", "Ada Quill", "The book Rain ."]
    together = embedded(victim.target(), victim.tokenizer, texts, batch=3)
    apart = embedded(victim.target(), victim.tokenizer, texts, batch=1)
    assert torch.allclose(together, apart, atol=1e-5)
    assert together.mean(0).abs().max() < 1e-6
    assert float(distances(together[0], together[:1])) == pytest.approx(0, abs=1e-6)


def test_surrogates_are_answered_by_the_target_and_differ_from_the_questions(victim: Victim) -> None:
    found = surrogates(victim, 8, 6)
    assert len(found) > 2
    assert all(one.made.answer == one.item.answer and one.made.question != one.item.question for one in found)
    assert all(one.distance > 0 for one in found)
    assert surrogates(victim, 8, 6) == found


def test_the_figures_of_a_target_and_of_a_model_that_never_learnt(victim: Victim, ignorant: Victim) -> None:
    knowing, other, gap = PSG.leak(victim), PSG.leak(ignorant), GAP.measure(victim)
    assert isinstance(knowing, Measured)
    assert isinstance(other, Measured)
    assert isinstance(gap, Measured)
    assert knowing.value > 0.8 > other.value
    assert "on the questions themselves" in knowing.note
    assert -1 <= gap.value <= 1
    assert gap.n == knowing.n == other.n


def test_running_text_has_no_surrogate(victim: Victim) -> None:
    text = replace(victim.sets["forget"][0], plain=True)
    found = PSG.leak(replace(victim, sets={"forget": (text,)}))
    assert isinstance(found, Undefined)
