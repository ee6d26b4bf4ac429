"""Whose membership is told best: the worst group, and canaries with what nobody else has.

Minority-aware evaluation (Wei et al., 2024, arXiv 2412.08559): an average over the forget set hides that answers which
are unlike all others are memorised more and forgotten less. Two figures for each score of
``benchmarks.metrics.membership``, both the AUC of members against non-members, beside which its note puts the average:

- worst group: of the groups (``Item.group``) with two members at least, the one told best, against the non-members of
  that group, or all where it has none. The highest of several, so biased upwards;
- canaries: all members of any group, against non-members of any group, or all where none of those is of one. One
  choice, made before anything is measured.

A canary here is a fact with a value that nobody else in the corpus has (an invented birthplace, a prize of one's own),
where the authors write personal data of a minority into the records of a data set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from benchmarks.data.corpus import Item
from benchmarks.metrics.membership import (
    Score,
    auc,
    by_loss,
    by_min_k,
    by_min_k_plus_plus,
    by_zlib,
    measured,
    scores,
)
from benchmarks.metrics.metric import Measured, Metric, Undefined
from benchmarks.metrics.reading import Subjects
from benchmarks.metrics.whole import any_item

Counts = Callable[[Item], bool]
Values = Callable[[Subjects, str, Counts], tuple[float, ...] | Undefined]
"""Subjects, a set and which of its items count -> their scores."""


def own(subjects: Subjects, of: str, counts: Counts, score: Score) -> tuple[float, ...] | Undefined:
    """The subject's own scores."""
    return scores(subjects.own, of, score, counts)


def against_reference(subjects: Subjects, of: str, counts: Counts) -> tuple[float, ...] | Undefined:
    """Mean log-probabilities less the retained model's."""
    mine, theirs = (scores(readings, of, by_loss, counts) for readings in (subjects.own, subjects.retained))
    if isinstance(mine, Undefined):
        return mine
    if isinstance(theirs, Undefined):
        return Undefined(f"the retained model: {theirs.why}")
    if len(mine) != len(theirs):
        return Undefined("the retained model was asked other items")
    return tuple(a - b for a, b in zip(mine, theirs, strict=True))


def worst_group(subjects: Subjects, values: Values) -> Measured | Undefined:
    """The AUC of the group that is told best."""
    groups = sorted({r.item.group for r in subjects.own.get("forget", ()) if r.item.group})
    sides: dict[str, tuple[Sequence[float], Sequence[float]]] = {}
    for group in groups:
        found = _sides(subjects, values, _is(group))
        if isinstance(found, Undefined):
            return Undefined(f"answers of the group {group!r} or of non-members are not predicted")
        if len(found[0]) > 1:
            sides[group] = found
    if not sides:
        return Undefined("the forget set has no groups")
    worst = max(sides, key=lambda name: auc(*sides[name]))
    told = f"the group {worst!r}; the highest of {len(sides)}, so it is biased upwards"
    return measured(*sides[worst], note=told + _average(subjects, values))


def canaries(subjects: Subjects, values: Values) -> Measured | Undefined:
    """The AUC of all members of groups together."""
    if not any(reading.item.group for reading in subjects.own.get("forget", ())):
        return Undefined("the forget set has no groups")
    found = _sides(subjects, values, _any_group)
    if isinstance(found, Undefined):
        return found
    return measured(*found, note=f"{len(found[0])} canaries" + _average(subjects, values))


def _sides(
    subjects: Subjects, values: Values, counts: Counts
) -> tuple[tuple[float, ...], tuple[float, ...]] | Undefined:
    """Members that count, and the non-members that do or else all."""
    members = values(subjects, "forget", counts)
    alike = any(counts(reading.item) for reading in subjects.own.get("held", ()))
    others = values(subjects, "held", counts if alike else any_item)
    if isinstance(members, Undefined):
        return members
    return others if isinstance(others, Undefined) else (members, others)


def _average(subjects: Subjects, values: Values) -> str:
    """What all members together give."""
    found = _sides(subjects, values, any_item)
    return "" if isinstance(found, Undefined) else f"; all members {auc(*found):.3f}"


def _is(group: str) -> Counts:
    return lambda item: item.group == group


def _any_group(item: Item) -> bool:
    return bool(item.group)


_PAPER = "Wei et al., 2024, arXiv 2412.08559"


def _worst(by: str, values: Values) -> Metric:
    return Metric(f"membership in the worst group by {by} (AUC)", _PAPER, "retained", "privacy",
                  partial(worst_group, values=values))  # fmt: skip


def _canaries(by: str, values: Values) -> Metric:
    return Metric(f"membership of canaries by {by} (AUC)", _PAPER, "retained", "privacy",
                  partial(canaries, values=values))  # fmt: skip


_LOSS, _ZLIB = partial(own, score=by_loss), partial(own, score=by_zlib)
_MIN_K, _PLUS = partial(own, score=by_min_k), partial(own, score=by_min_k_plus_plus)
WORST_LOSS, CANARIES_LOSS = _worst("loss", _LOSS), _canaries("loss", _LOSS)
WORST_ZLIB, CANARIES_ZLIB = _worst("zlib", _ZLIB), _canaries("zlib", _ZLIB)
WORST_MIN_K, CANARIES_MIN_K = _worst("min-k %", _MIN_K), _canaries("min-k %", _MIN_K)
WORST_MIN_K_PLUS_PLUS, CANARIES_MIN_K_PLUS_PLUS = _worst("min-k %++", _PLUS), _canaries("min-k %++", _PLUS)
WORST_REFERENCE = _worst("reference", against_reference)
CANARIES_REFERENCE = _canaries("reference", against_reference)
