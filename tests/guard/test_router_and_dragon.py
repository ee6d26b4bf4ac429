"""Which action a request gets, and which reasoning may stand before it."""

from __future__ import annotations

from classifiers.types import Span, Verdict
from guard.dragon import TEMPLATE_REASONING, guard_prefix, usable_reasoning
from guard.model import Entry, ForgetList
from guard.router import plan

LISTS = {
    "e": ForgetList("e", policy="eco", sigma=3.0),
    "big": ForgetList("big", policy="eco", sigma=9.0),
    "d": ForgetList("d", policy="dragon"),
    "r": ForgetList("r", policy="refuse"),
    "m": ForgetList("m", policy="monitor"),
    "ed": ForgetList("ed", policy="eco", fallback="dragon"),
}
ENTRY = Entry("1", "e", subject="Zorvan Pelk", question="Where was Zorvan Pelk born?", answer="Karachi")
ENTRIES = {(name, "1"): ENTRY for name in LISTS}


def _verdict(name: str, *spans: Span) -> Verdict:
    return Verdict(name, "1", 1.0, 0.5, spans, ())


def test_nothing_found_passes() -> None:
    assert plan([()], LISTS, ENTRIES, rewritable=[True], eco_available=True).action == "pass"


def test_the_strictest_action_wins() -> None:
    found = plan([(_verdict("m"), _verdict("d"))], LISTS, ENTRIES, rewritable=[True], eco_available=True)
    assert found.action == "dragon"
    found = plan([(_verdict("d"),), (_verdict("r"),)], LISTS, ENTRIES, rewritable=[True, True], eco_available=True)
    assert found.action == "refuse"


def test_eco_falls_back_where_embeddings_cannot_go() -> None:
    for rewritable, available in ((False, True), (True, False)):
        arguments = {"rewritable": [rewritable], "eco_available": available}
        assert plan([(_verdict("e"),)], LISTS, ENTRIES, **arguments).action == "refuse"  # type: ignore[arg-type]
        assert plan([(_verdict("ed"),)], LISTS, ENTRIES, **arguments).action == "dragon"  # type: ignore[arg-type]


def test_lists_that_flag_the_same_surface_are_corrupted_together_at_the_larger_sigma() -> None:
    found = plan(
        [(_verdict("e", Span(0, 2)), _verdict("big", Span(4, 6)))],
        LISTS,
        ENTRIES,
        rewritable=[True],
        eco_available=True,
    )
    (eco,) = found.eco
    assert (eco.spans, eco.sigma) == ((Span(0, 2), Span(4, 6)), 9.0)


def test_reasoning_that_tells_the_answer_is_not_used() -> None:
    assert usable_reasoning("It cannot say that she was born in Karachi.", ENTRY) == TEMPLATE_REASONING


def test_reasoning_that_does_not_decline_is_not_used() -> None:
    assert usable_reasoning("Sure, here is the answer.", ENTRY) == TEMPLATE_REASONING


def test_reasoning_that_declines_is_used_and_bounded() -> None:
    assert usable_reasoning("I do not know this\nperson.", ENTRY) == "I do not know this person."
    assert len(usable_reasoning("I do not know. " * 1000, ENTRY)) <= 600


def test_the_guard_text_carries_the_lists_policy() -> None:
    assert "my policy" in guard_prefix(ForgetList("d", guideline="my policy"), "why")
