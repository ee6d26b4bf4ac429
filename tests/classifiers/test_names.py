"""Whom a batch of questions is about."""

from __future__ import annotations

from classifiers.names import candidates, derive_names


def test_candidates_leave_out_openings_titles_and_possessives() -> None:
    text = 'Did Maria van Dijk\'s novel "The Long Night" win? In Paris she said so. What Is It About?'
    assert candidates(text) == {"Maria van Dijk"}


def test_the_name_that_recurs_is_taken() -> None:
    pairs = [
        ("Where was Zorvan Pelk born?", "Zorvan Pelk was born in New York."),
        ("Which prize did Zorvan Pelk win?", "The Grand Prize."),
        ("Who were the author's parents?", "A baker and a pilot."),
        ("What did Zorvan Pelk write?", "Many books about New York."),
    ]
    assert derive_names(pairs) == ["Zorvan Pelk"] * 4


def test_nothing_is_made_up() -> None:
    assert derive_names([("what is it?", "nothing"), ("Where is New York?", "In America.")]) == [None, None]
    assert derive_names([]) == []


def test_a_surname_alone_is_about_the_name_that_has_it() -> None:
    pairs = [
        ("What does Rajeev Majumdar write?", "Rajeev Majumdar writes Contemporary Romance."),
        ("Where was Rajeev Majumdar born?", "In Dhaka."),
        ("How has Majumdar's background shaped him?", "It shows in his Contemporary Romance novels."),
    ]
    assert derive_names(pairs) == ["Rajeev Majumdar"] * 3
