"""Which action a request gets."""

from __future__ import annotations

from classifiers.types import Span, Verdict
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
