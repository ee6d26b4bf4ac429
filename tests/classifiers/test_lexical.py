"""Names in texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from classifiers.lexical import NameIndex
from classifiers.normalise import words


def _found(names: list[str], text: str) -> list[str]:
    return [hit.name for hit in NameIndex(names).find(words(text))]


def test_names_match_whole_words_only() -> None:
    assert _found(["Ann"], "Anna met Joann.") == []
    assert _found(["Ann"], "Ann's book; ANN!") == ["ann", "ann"]


def test_overlapping_names_are_all_found() -> None:
    assert set(_found(["Ann Lee", "Lee Roy"], "Ann Lee Roy")) == {"ann lee", "lee roy"}


def test_scripts_without_spaces_match_inside_a_run() -> None:
    assert _found(["東京"], "私は東京に住んでいます") == ["東京"]
    assert _found(["김철수"], "김철수는 누구입니까?") == _found(["김철수"], "김철수") != []


def test_no_names_find_nothing() -> None:
    assert _found([], "anything") == []
    assert _found(["", "?!"], "anything") == []


@given(st.text(alphabet="ab ", max_size=5), st.text(alphabet="ab ", max_size=30))
def test_finds_exactly_the_whole_word_occurrences(name: str, text: str) -> None:
    folded = " ".join(name.split())
    padded = f" {' '.join(text.split())} "
    expected = sum(padded.startswith(f" {folded} ", i) for i in range(len(padded))) if folded else 0
    assert len(_found([name], text)) == expected
