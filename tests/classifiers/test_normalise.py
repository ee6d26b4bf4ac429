"""What a matcher reads of a text, and where that stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.normalise import fold_words, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zoë O'Brien", "zoe o brien"),
        ("ＺＯＥ", "zoe"),
        ("Z\u200bo\u200de", "zoe"),
        ("zo\u0308e\u0301", "zoe"),
        ("  Jean-Pierre\n\n Petit!", "jean pierre petit"),
        ("Straße", "strasse"),
        ("東京タワー", "東京タワー"),
        ("\u202eabc\u202c", "abc"),
        ("…?!", ""),
    ],
)
def test_spellings_of_the_same_name_fold_alike(text: str, folded: str) -> None:
    assert fold_words(text) == folded


@given(st.text())
def test_every_character_of_a_view_points_into_the_raw_text(text: str) -> None:
    view = words(text)
    assert len(view.text) == len(view.starts) == len(view.ends)
    for i in range(len(view.text)):
        assert 0 <= view.starts[i] <= view.ends[i] <= len(text)
    assert list(view.starts) == sorted(view.starts)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold_words(text)
    assert fold_words(once) == once


@given(st.text(), st.text())
def test_a_name_in_a_text_is_found_at_its_place(before: str, after: str) -> None:
    raw = f"{before} Zorvan Pelk {after}"
    view = words(raw)
    at = view.text.rfind(" zorvan pelk ", 0, len(fold_words(before)) + 16) + 1
    span = view.raw(at, at + len("zorvan pelk"))
    assert raw[span.start : span.end].startswith("Zorvan Pelk")
