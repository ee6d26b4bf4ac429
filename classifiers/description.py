"""Whom a text describes without a name: "the geology author born in Karachi in 1975".

A particular is a detail that few people share: a capitalised name of a place, prize or book, a year, a
date. A description means a subject where all its particulars are true of the subject and there are
enough of them; a topic word ("geology") counts half, words that anybody's life is told in count nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from classifiers.weights import SPECIFIC, content, weight

ENOUGH = 1.5
_TOPIC, _STRONG_TOPIC = 0.65, 0.85  # weights from which a lower-case word is a topic
_TRUE = 0.74  # share of a particular's information that has to be true of the subject
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_CASED_WORD = re.compile(r"[^\W\d_]{2,}")
_JOINERS = frozenset("of the and de la del von van al el in".split())
_OPENERS = frozenset(
    """who whom whose what which when where why how is was are were am be been did do does has have had can could would
    will shall should may might must tell give name list describe explain say write answer consider identify please the
    a an and or of for by if in on at to from with about as also not no yes i you he she it they we his her their its my
    your our this that these those there here mr mrs ms dr prof author writer novelist poet another one some any all
    english""".split()
)
_MONTHS = frozenset(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec".split()
)


@dataclass(frozen=True)
class Particulars:
    """The details of a text, each as its folded words, and its topic words."""

    groups: tuple[frozenset[str], ...]
    titles: tuple[frozenset[str], ...]  # of the groups, the runs of words without a comma
    topics: frozenset[str]

    @cached_property
    def weighed(self) -> list[tuple[dict[str, float], float, float]]:
        """For each group its words with their weights, their sum, and the points that it is worth."""
        found = []
        for group in self.groups:
            heavy = {w: max(weight(w), 0.1) for w in group}
            telling = any(v >= SPECIFIC for v in heavy.values()) or any(w.isdigit() for w in group)
            found.append((heavy, sum(heavy.values()), 1.0 if telling else 0.5))
        return found

    @cached_property
    def long_titles(self) -> list[frozenset[str]]:
        """Titles of three words or more that tell something."""
        return [t for t in self.titles if sum(weight(w) >= SPECIFIC for w in t) >= 3]


def particulars(text: str) -> Particulars:
    """The particulars of ``text``; where capital letters say nothing, rare words take their place."""
    words = list(_WORD.finditer(text))
    groups: list[set[str]] = []
    titles: list[set[str]] = []
    date: set[str] = set()
    run: set[str] | None = None
    end = 0
    topics: set[str] = set()
    cased = is_cased(text)
    for i, match in enumerate(words):
        word = match.group()
        norm = frozenset(content(word))
        lower = word.casefold()
        gap = text[end : match.start()]
        if lower in _MONTHS and (lower not in ("may", "march") or _beside_number(words, i)):
            date |= norm
            run = None
        elif any(w.isdigit() for w in norm):
            for number in norm:
                if number.isdigit() and len(number) < 3:
                    date.add(number)
                else:
                    groups.append({number})
            run = None
        elif _is_particular(word, norm, lower, cased=cased):
            if run is not None and cased and not gap.strip(" ,'\"’\t"):
                run |= norm
                if "," in gap:
                    titles.append(set())
                titles[-1] |= norm
            else:
                run = set(norm)
                groups.append(run)
                titles.append(set(norm))
        elif not (run is not None and lower in _JOINERS):
            run = None
            topics |= {w for w in norm if weight(w) >= _TOPIC}
        end = match.end()
    if date:
        groups.append(date)
    return Particulars(tuple(frozenset(g) for g in groups if g), tuple(map(frozenset, titles)), frozenset(topics))


def is_cased(text: str) -> bool:
    """Whether capital letters in ``text`` tell names from other words: some begin with one, and few hold one inside."""
    words = [m.group() for m in _CASED_WORD.finditer(text[:20_000])]
    capital = sum(w[0].isupper() for w in words)
    odd = sum(any(c.isupper() for c in w[1:]) and not w.isupper() for w in words)
    whole = sum(w.isupper() for w in words)
    return capital > 0 and odd <= 0.2 * len(words) and whole <= 0.6 * len(words)


def _beside_number(words: list[re.Match[str]], i: int) -> bool:
    return any(0 <= j < len(words) and words[j].group()[:1].isdigit() for j in (i - 1, i + 1))


def _is_particular(word: str, norm: frozenset[str], lower: str, *, cased: bool) -> bool:
    if lower.removesuffix("'s").removesuffix("’s") in _OPENERS:
        return False
    if cased:
        return word[0].isupper()
    return any(weight(w) >= 0.85 for w in norm)


def described(found: Particulars, words: frozenset[str]) -> float:
    """How many particulars of the text are true of a subject of which ``words`` are said; 0 where one is not."""
    return compared(found, words)[0]


def compared(found: Particulars, words: frozenset[str]) -> tuple[float, bool]:
    """``described``, and whether more than one particular in four is not true of the subject.

    Details that are all true but too common to count give 0 points, and contradict nothing.
    """
    points = 0.0
    wrong = 0
    for heavy, whole, worth in found.weighed:
        if sum(v for w, v in heavy.items() if w in words) < _TRUE * whole:
            wrong += 1
            if wrong > len(found.groups) // 4:
                return 0.0, True
        else:
            points += worth
    if any(t <= words for t in found.long_titles):
        points += 0.5
    if points < 1:
        return 0.0, False
    topics = sum(0.5 if weight(w) >= _STRONG_TOPIC else 0.25 for w in found.topics & words)
    return points + min(1.0, topics), False
