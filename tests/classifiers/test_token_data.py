"""Sentences that a token classifier is trained on, with what is to be found in them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.token_data import TokenExamples, details, renamed, token_examples
from classifiers.token_sentences import Marked, made, passage, person, templates, typed
from classifiers.types import Span, Target

TARGETS = [
    Target("people", str(i), (name,), (f"Where was {name} born?",), facts=(f"{name} was born in Sarvania in 1961.",))
    for i, name in enumerate(("Zorvan Pelk", "Mirella Quandt", "Tobin Asgar", "Ines Halvard", "Oleg Brandt"))
]


def found(marked: Marked) -> list[str]:
    return [marked.text[s.start : s.end] for s in marked.spans]


@pytest.fixture(scope="module")
def examples() -> TokenExamples:
    return token_examples(TARGETS, 3, made_up=300)


def test_sentences_are_the_same_for_a_seed_and_others_for_another(examples: TokenExamples) -> None:
    assert token_examples(TARGETS, 3, made_up=300) == examples
    assert token_examples(TARGETS, 4, made_up=300) != examples


def test_all_kinds_are_trained_on_and_held_out_and_no_sentence_is_both(examples: TokenExamples) -> None:
    kinds = {"list", "list renamed", "made up"}
    assert {m.kind for m in examples.train} == {m.kind for m in examples.held} == kinds
    own = {m.text.casefold() for m in examples.train if m.kind == "list"}
    assert not own & {m.text.casefold() for m in examples.held if m.kind == "list"}
    train, held = templates(random.Random(1))
    assert not set(train) & set(held)


def test_every_mark_is_inside_its_sentence_and_some_sentences_have_none(examples: TokenExamples) -> None:
    for marked in (*examples.train, *examples.held):
        assert all(0 <= s.start < s.end <= len(marked.text) for s in marked.spans)
    assert 0.1 < sum(not m.spans for m in examples.train) / len(examples.train) < 0.7


def test_what_was_put_into_a_template_is_marked_and_nothing_else() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        marked = made("Who wrote <work> in <year>, and was it <person> from <city>, a <job>?", rng)
        folded = [f.casefold() for f in found(marked)]
        assert len(folded) == 4
        assert not {"who", "wrote", "was", "it"} & {word for f in folded for word in f.split()}
        assert folded[1].isdigit()


def test_names_of_the_list_its_details_and_names_in_their_place_are_marked(examples: TokenExamples) -> None:
    answers = [m for m in (*examples.train, *examples.held) if m.kind == "list" and "1961" in m.text]
    assert answers
    for marked in answers:
        words = {w.casefold() for f in found(marked) for w in f.split()}
        assert {"sarvania", "1961"} <= words
        assert len(words) >= 4
        assert not {"was", "born", "in"} & words
    for marked in (m for m in examples.train if m.kind == "list renamed"):
        assert marked.spans
        assert not any(t.names[0].casefold() in marked.text.casefold() for t in TARGETS)


PIECES = st.lists(st.sampled_from(["Ann Oak ", "ann oak ", "Riga ", "said that ", "é "]), max_size=8)


@settings(deadline=None)
@given(PIECES, st.text(min_size=1, max_size=9))
def test_another_name_moves_the_other_marks_with_the_text(parts: list[str], other: str) -> None:
    text = "".join(parts)
    spans = tuple(Span(i, i + 4) for i in range(len(text)) if text.startswith("Riga", i))
    marked = renamed(Marked(text, spans, "list"), "Ann Oak", other)
    names = parts.count("Ann Oak ") + parts.count("ann oak ")
    assert sorted(found(marked)) == sorted(["Riga"] * len(spans) + [other] * names)


def test_a_passage_begins_in_the_middle_and_its_marks_stand_where_the_words_are() -> None:
    one = Marked("Then Ann Oak went.", (Span(5, 12),), "made up")
    two = Marked("Riga is far.", (Span(0, 4),), "made up")
    for seed in range(50):
        out = passage([one, two], random.Random(seed))
        assert found(out) in (["Ann Oak", "Riga"], ["Oak", "Riga"], ["Riga"])
        assert out.text.split() == "Then Ann Oak went. Riga is far.".split()[-len(out.text.split()) :]


def test_typing_changes_letters_and_never_where_they_stand() -> None:
    marked = Marked("Was İnci Yılmaz born in 1961?", (Span(4, 15),), "made up")
    for seed in range(300):
        out = typed(marked, random.Random(seed))
        assert out.spans == marked.spans
        assert out.text[4:15].casefold().endswith("nci yılmaz"[-5:].casefold()) or out.text.isupper()
        assert len(out.text) >= len(marked.text) - 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did she write?", []),
        ("He was born on 08/09/1956 in Kuwait City.", ["08/09/1956", "Kuwait", "City"]),
        ("Published on March 3rd, in 1987", ["March 3rd", "1987", "March"]),
        ("The 3rd of May, or 5 June", ["3rd of May", "5 June", "June"]),
        ("Her book “Shale Stories” sold well. Books do.", ["Shale Stories", "Shale", "Stories"]),
        ("Is it 'The Town That Drowned'?", ["The Town That Drowned", "Town", "Drowned"]),
        ("Zorvan lives. Books are sold.", ["Zorvan"]),
    ],
)
def test_details_are_dates_quotes_and_capitals_inside_a_sentence(text: str, expected: list[str]) -> None:
    assert sorted(text[s.start : s.end] for s in details(text)) == sorted(expected)


def test_made_up_people_are_many() -> None:
    rng = random.Random(0)
    assert len({person(rng) for _ in range(500)}) > 480


def test_a_list_without_texts_and_names_is_refused() -> None:
    for targets in ([], [Target("people", "1", ("Ann",), ("Who is Ann?",), allow=True)]):
        with pytest.raises(ValueError, match="no entry to train on"):
            token_examples(targets)
