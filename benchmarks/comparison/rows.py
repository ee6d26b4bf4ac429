"""From readings to a row of the comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.comparison.outcome import Said
from benchmarks.data.corpus import Corpus, Item, answer_alone, by_subject
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.reading import Readings, Subjects
from benchmarks.metrics.registry import METRICS, metric

ATTACKED = "attack: "
_ANSWERS_ALONE = ("held", "neighbours", "aliases", "multi_hop")
_SHOWN = {"forget": 4, "retain": 2, "neighbours": 2}  # answers of a set


def figures(subjects: Subjects, names: Sequence[str]) -> dict[str, Measured | Undefined]:
    """The metrics called ``names`` (all, where there are none), and the leak under each attack."""
    found = {name: metric(name).measure(subjects) for name in names or METRICS}
    leak = metric("forget_rouge").measure
    for name in spoken(subjects.own):
        found[name] = leak(Subjects({"forget": subjects.own[name]}, subjects.target, subjects.retained))
    return found


def spoken(sets: Iterable[str]) -> tuple[str, ...]:
    """The sets of which only what is said counts: to predict under every attack would take as long as all else."""
    return tuple(name for name in sets if name.startswith(ATTACKED))


def said(readings: Readings) -> tuple[Said, ...]:
    """Answers to show beside other subjects': the same questions for each."""
    return tuple(
        Said(name, r.item.question, r.item.answer, r.text, r.action)
        for name, count in _SHOWN.items()
        for r in readings.get(name, ())[:count]
        if r.text is not None
    )


def limited(sets: Mapping[str, Sequence[Item]], most: int | None) -> dict[str, tuple[Item, ...]]:
    """The first items of each set, subject after subject in turn, so that few items are not all of one.

    Of sets whose every metric looks at the answer alone, only that is read: the rest would take most of the time.
    """
    found = {name: tuple(_spread(items))[:most] for name, items in sets.items()}
    return {name: tuple(map(answer_alone, items)) if name in _ANSWERS_ALONE else items for name, items in found.items()}


def parts(corpus: Corpus, count: int) -> list[Corpus]:
    """The corpus as ``count`` requests: each has subjects of the forget set that those before have not.

    Raises:
        ValueError: there are fewer subjects than requests.
    """
    subjects = list(dict.fromkeys(item.subject for item in corpus.forget))
    if count > len(subjects):
        raise ValueError(f"{len(subjects)} subjects cannot come in {count} requests")
    groups = [set(subjects[number::count]) for number in range(count)]
    return [corpus.forgetting(tuple(i for i in corpus.forget if i.subject in group)) for group in groups]


def _spread(items: Sequence[Item]) -> Iterable[Item]:
    own = by_subject(items)
    longest = max(map(len, own.values()), default=0)
    return [group[place] for place in range(longest) for group in own.values() if place < len(group)]
