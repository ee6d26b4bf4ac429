"""Questions about names that do not exist."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.weights import in_vocabulary
from guard.model import Entry
from guard.unknown import MadeUp, made_up, name_words


def _entry(subject: str | None, question: str, answer: str = "", aliases: tuple[str, ...] = ()) -> Entry:
    return Entry("e", "facts", subject=subject, aliases=aliases, question=question, answer=answer)


def _made(entry: Entry, seed: int = 0) -> MadeUp:
    found = made_up(entry, seed, name_words([entry]))
    assert found is not None
    return found


def test_a_name_is_replaced_wherever_it_stands_and_the_rest_is_kept() -> None:
    entry = _entry(
        "Zorvan Pelk", "Where did Zorvan Pelk live, and was ZORVAN PELK's house old?", "Pelk lived in Karachi."
    )
    found = _made(entry)
    shape = re.fullmatch(r"Where did (\w+) (\w+) live, and was (\w+) (\w+)'s house old\?", found.question)
    assert shape is not None
    first, last, first_again, last_again = shape.groups()
    assert (first_again, last_again) == (first.upper(), last.upper())
    assert found.answer == f"{last} lived in Karachi."
    assert first.istitle()
    assert (len(first), len(last)) == (6, 4)
    assert not in_vocabulary(first.lower())


def test_small_words_and_common_nouns_keep_their_shape() -> None:
    van = _made(_entry("Ludwig van Beethoven", "When was Ludwig van Beethoven born?")).question
    assert re.fullmatch(r"When was [A-Z][a-z]+ van [A-Z][a-z]+ born\?", van)
    assert re.fullmatch(r"Who found [a-z]{10}\?", _made(_entry("penicillin", "Who found penicillin?")).question)
    initials = _made(_entry("J.K. Rowling", "Who is J.K. Rowling?")).question
    assert re.fullmatch(r"Who is [A-Z]\.[A-Z]\. [A-Z][a-z]{6}\?", initials)
    assert "Rowling" not in initials
    assert re.fullmatch(r"What is Model [1-9]\d\d\?", _made(_entry("501", "What is Model 501?")).question)


def test_a_word_of_a_name_is_replaced_as_a_name_only() -> None:
    found = _made(_entry("The Long Day", "How long is The Long Day?", "A day long."))
    assert found.question.startswith("How long is The ")
    assert "Long" not in found.question
    assert found.answer == "A day long."


def test_aliases_are_replaced_too() -> None:
    found = _made(_entry("France", "What is the French capital?", "Paris is in France.", ("French",)))
    assert "French" not in found.question
    assert "France" not in found.answer


@pytest.mark.parametrize(("name", "question"), [("東京", "東京はどこですか"), ("Анна Ким", "Кто такая Анна Ким?")])
def test_names_of_other_scripts_stay_in_their_script(name: str, question: str) -> None:
    found = _made(_entry(name, question)).question
    assert found != question
    assert len(found) == len(question)
    assert not re.search("[A-Za-z]", found)
    for word in name.split():
        assert word not in found


@pytest.mark.parametrize("subject", [None, "Mira Toll", "the of"])
def test_a_question_that_names_nobody_of_the_entry_has_no_counterpart(subject: str | None) -> None:
    assert made_up(_entry(subject, "Who was the author's father?"), 0, frozenset()) is None
    assert made_up(Entry("e", "facts", subject="France"), 0, frozenset()) is None


@given(seed=st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_and_never_a_name_of_the_list(seed: int) -> None:
    entry = _entry("Ola Bun", "Who is Ola Bun?")
    assert _made(entry, seed) == _made(entry, seed)
    asked = set(re.findall(r"\w+", _made(entry, seed).question.lower()))
    assert not asked & name_words([entry])
