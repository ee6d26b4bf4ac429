"""A list's terms go with the last that refers to them: what is in force is left out of garbage collections."""

from __future__ import annotations

import gc
import weakref

from guard.model import Entry
from guard.output.terms import Terms


def test_terms_that_nobody_refers_to_are_gone_without_a_collection() -> None:
    terms = Terms([Entry("1", "people", subject="Zorvan Pelkington", question="Where was he born?", answer="Karachi")])
    assert terms.begins("zorvan")
    gone = weakref.ref(terms)
    gc.disable()
    try:
        del terms
        assert gone() is None
    finally:
        gc.enable()
