"""Membership of groups and canaries, with scores that are written down."""

from __future__ import annotations

import pytest

from benchmarks.data.corpus import Item
from benchmarks.metrics.reading import Reading, Readings
from tests.benchmarks.metrics.made import figure, scored, why_not

SCORES = ("loss", "zlib", "min_k_plus_plus", "reference")


def _answers(*p: float, group: str = "") -> tuple[Reading, ...]:
    return tuple(Reading(Item(f"{n}?", "She.", group=group), scored(each, each)) for n, each in enumerate(p))


MEMBERS: Readings = {
    "forget": (*_answers(0.9, 0.8, group="rare"), *_answers(0.5, 0.3)),
    "held": (*_answers(0.4, 0.6, group="rare"), *_answers(0.7, 0.2)),
}
NEVER: Readings = {
    "forget": (*_answers(0.1, 0.1, group="rare"), *_answers(0.1, 0.1)),
    "held": (*_answers(0.1, 0.1, group="rare"), *_answers(0.1, 0.1)),
}


@pytest.mark.parametrize("name", ["mia_canaries_min_k", *(f"mia_canaries_{score}" for score in SCORES)])
def test_canaries_are_told_from_canaries_that_nobody_was_taught(name: str) -> None:
    found = figure(name, MEMBERS, retained=NEVER)
    assert found.value == 1  # 0.9 and 0.8 above 0.4 and 0.6
    assert found.n == 4
    assert found.note == "2 canaries; all members 0.688"  # 4 + 4 + 2 + 1 of 16


def test_without_canaries_among_non_members_all_of_those_count() -> None:
    own = {"forget": _answers(0.9, 0.5, group="rare"), "held": _answers(0.7, 0.2)}
    assert figure("mia_canaries_loss", own).value == 0.75
    assert figure("mia_canaries_loss", own).n == 4


@pytest.mark.parametrize("score", SCORES)
def test_the_worst_group_is_found_by_every_score(score: str) -> None:
    own = {
        "forget": (*_answers(0.9, 0.9, group="rare"), *_answers(0.4, 0.4, group="usual")),
        "held": (*_answers(0.5, 0.5, group="rare"), *_answers(0.4, 0.4, group="usual")),
    }
    never = {of: tuple(Reading(r.item, scored(0.1, 0.1)) for r in found) for of, found in own.items()}
    found = figure(f"mia_worst_group_{score}", own, retained=never)
    assert found.value == 1
    assert "'rare'; the highest of 2" in found.note
    assert "; all members 0.625" in found.note  # each rare above 4, each usual tied with 2: 4 + 4 + 1 + 1 of 16


def test_reference_needs_the_same_items_of_the_retained_model() -> None:
    assert "the retained model" in why_not("mia_canaries_reference", MEMBERS)
    other = {of: (*found[:1], *found[2:]) for of, found in NEVER.items()}
    assert "other items" in why_not("mia_canaries_reference", MEMBERS, retained=other)


def test_without_groups_there_is_no_canary() -> None:
    assert "no groups" in why_not("mia_canaries_loss", {"forget": _answers(0.9), "held": _answers(0.5)})
