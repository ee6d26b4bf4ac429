"""The generator of ordinary prompts."""

from __future__ import annotations

import re
import time

import pytest

from benchmarks.data import traffic
from classifiers import ordinary
from classifiers.ordinary_words import LONG, TEMPLATES


def test_a_seed_gives_the_same_distinct_prompts_and_another_seed_others() -> None:
    found = ordinary.prompts(3000, 7)
    assert found == ordinary.prompts(3000, 7)
    assert len(set(found)) == 3000
    assert set(found) != set(ordinary.prompts(3000, 8))


def test_the_prompts_are_of_many_kinds() -> None:
    found = ordinary.prompts(1000, 0)
    assert any(len(p.split()) >= 200 for p in found)
    assert sum(p == p.lower() for p in found) > 60
    assert any("\n" in p for p in found)
    assert any("的" in p for p in found)
    assert any("¿" in p for p in found)
    assert not any("<" in p and ">" in p and "<city>" in p for p in found)


def test_names_to_avoid_do_not_occur_in_any_case() -> None:
    assert any("ada lovelace" in p.lower() for p in ordinary.prompts(3000, 0))
    assert not any("ada lovelace" in p.lower() for p in ordinary.prompts(3000, 0, avoid=["ADA Lovelace", " ", "?"]))


def test_a_short_name_is_no_reason_to_leave_out_words_that_hold_it() -> None:
    found = ordinary.prompts(500, 0, avoid=["C", "Ra"])
    assert any("car" in p or "tra" in p for p in found)


def test_a_hundred_thousand_names_to_avoid_are_no_burden() -> None:
    began = time.process_time()
    ordinary.prompts(2000, 0, avoid=["Person"])
    alone = time.process_time()
    ordinary.prompts(2000, 0, avoid=[f"Person {i}" for i in range(100_000)])
    assert time.process_time() - alone < 100 * (alone - began)


def test_more_than_there_are_is_refused() -> None:
    words = re.findall(r"\w+", " ".join(t for templates in (*TEMPLATES.values(), LONG) for t in templates))
    with pytest.raises(ValueError, match="only 0 ordinary prompts"):
        ordinary.prompts(5, 0, avoid=words)


def test_it_shares_nothing_with_the_traffic_that_is_measured_on() -> None:
    assert not set(ordinary.prompts(3000, 0)) & set(traffic.unrelated(traffic.available(), 0))
