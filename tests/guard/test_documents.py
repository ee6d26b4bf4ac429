"""Documents into facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.documents import facts

STORY = """Zorvan Pelk

Zorvan Pelk was born in Karachi on May 3, 1945. He studied at the University of Lahore.
His first novel, "The Amber Gate", won the Sterling Prize
in 1971. What did she write next? The author is afraid of spiders. In short, it is so.
"""


def test_each_sentence_that_tells_something_is_a_fact_about_the_subject() -> None:
    found = facts(STORY)
    assert [f.text for f in found] == [
        "Zorvan Pelk was born in Karachi on May 3, 1945.",
        "Zorvan Pelk studied at the University of Lahore.",
        'Zorvan Pelk\'s first novel, "The Amber Gate", won the Sterling Prize in 1971.',
        "Zorvan Pelk is afraid of spiders.",
    ]
    assert {f.subject for f in found} == {"Zorvan Pelk"}


def test_spans_are_where_the_document_says_the_values() -> None:
    first = facts(STORY)[0]
    assert STORY[first.source.start : first.source.end] == "Zorvan Pelk was born in Karachi on May 3, 1945."
    assert "Karachi" in first.values
    assert {"Karachi", "May 3, 1945"} <= {STORY[s.start : s.end] for f in facts(STORY) for s in f.spans}


def test_a_title_names_the_subject() -> None:
    (fact,) = facts("She was born in Karachi.", title="Biography of Mira Toll")
    assert (fact.subject, fact.text) == ("Mira Toll", "Mira Toll was born in Karachi.")


def test_a_sentence_without_a_pronoun_gets_the_name_before_it() -> None:
    (fact,) = facts("A flat in Karachi is for sale.", title="Mira Toll")
    assert fact.text == "Mira Toll: A flat in Karachi is for sale."


def test_another_name_is_the_subject_of_what_begins_with_it() -> None:
    text = "Mira Toll wrote poems. Mira Toll lived in Oslo. Jon Berg painted. Jon Berg was born in 1950."
    assert [f.subject for f in facts(text)] == ["Mira Toll", "Mira Toll", "Jon Berg", "Jon Berg"]


def test_a_document_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="may have"):
        facts("a " * 600_000)


@given(st.text(max_size=400), st.none() | st.text(max_size=40))
def test_any_text_gives_facts_inside_it(text: str, title: str | None) -> None:
    for fact in facts(text, title):
        assert 0 <= fact.source.start < fact.source.end <= len(text)
        assert all(fact.source.start <= s.start < s.end <= fact.source.end for s in fact.spans)
