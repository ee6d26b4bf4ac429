"""Options of a method: its defaults, the spec's, and where a sweep is asked for the best of as many for each method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from benchmarks.metrics.metric import Measured
from benchmarks.metrics.reading import Subjects
from benchmarks.metrics.rouge import recall

_FACTORS = (1.0, 1 / 3, 3.0, 0.1, 10.0, 1 / 30, 30.0)  # of the learning rate, the nearest first


def options(kind: type[Any], given: Mapping[str, Any]) -> Any:
    """The method's options with ``given`` over its defaults.

    Raises:
        ValueError: there is no such option, or its value is no number where one is wanted.
    """
    known = {f.name: f for f in fields(kind)}
    for name in given:
        if name not in known:
            raise ValueError(f"there is no option {name!r}: choose from {', '.join(known)}")
    return kind(**given)


def candidates(chosen: Any, count: int) -> Iterator[Any]:
    """``count`` settings to try: the options themselves, then with other learning rates.

    Raises:
        ValueError: so many are not known.
    """
    if count > len(_FACTORS):
        raise ValueError(f"a sweep tries {len(_FACTORS)} settings at most")
    if not hasattr(chosen, "lr"):
        yield chosen
        return
    for factor in _FACTORS[:count]:
        yield replace(chosen, lr=chosen.lr * factor)


def score(subjects: Subjects) -> float:
    """How good a setting is, from 0 to 1: it answers the forget set as the retained model and the rest as the target.

    The harmonic mean of ``1 - |ROUGE-L forget - the retained model's|`` and of the share of the target's ROUGE-L on the
    retain set that is left. Chosen on the sets that are reported, as the papers do; every method gets as many tries.
    """
    forget, theirs = _recall(subjects, "forget"), _recall(Subjects(subjects.retained, {}, {}), "forget")
    kept, before = _recall(subjects, "retain"), _recall(Subjects(subjects.target, {}, {}), "retain")
    near, useful = 1 - abs(forget - theirs), min(1.0, kept / before) if before else 0.0
    return 2 * near * useful / (near + useful) if near + useful else 0.0


def _recall(subjects: Subjects, of: str) -> float:
    found = recall(subjects, of)
    return found.value if isinstance(found, Measured) else 0.0
