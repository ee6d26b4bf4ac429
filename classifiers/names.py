"""Whom or what a batch of questions is about, read off their capital letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

_SHORTEST_PART = 4  # letters
# Words that a sentence may begin with; a capital there says nothing.
STARTERS = frozenset(
    """a an the what which who whom whose when where why how is are was were be been do does did has have had can could
    will would shall should may might must in on at of for from to with by about as if and or but not no yes please tell
    give name list describe explain share provide mention there this that these those it its he she they his her their
    i you we one another other some any all most many both each every also though although while despite during after
    before since through throughout beyond among however yet besides additionally furthermore indeed so then apart aside
    unfortunately currently born being given according due like unlike such based considering""".split()
)
# Lower-case words inside a name: "Ludwig van Beethoven", "Osama bin Laden", "Jaime de la Cruz".
_PARTICLES = frozenset(
    "van von der den de del della di da dos du la le al el ul bin ibn abu ben bint y zu ter ten".split()
)
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*\.?|[\"“”]")
_POSSESSIVE = re.compile(r"(?:'s|’s|'|’)$")
_QUOTED = re.compile(r"[\"“][^\"”]*[\"”]")


def derive_names(pairs: Sequence[tuple[str, str]]) -> list[str | None]:
    """For each (question, answer) the name it is about, or None where none recurs.

    Runs of two or more capitalised words are candidates (titles in quotes are not). Of the candidates in
    a pair the one in most pairs of the batch is taken, if at least two pairs have it; a part of it alone ("Majumdar's")
    counts where no other such name has that part. A pair that names nobody, between two that name the same, is about
    that one too ("Who were the author's parents?").
    """
    found = [(candidates(q), candidates(a)) for q, a in pairs]
    counts = Counter(name for q, a in found for name in q | a)
    parts = _parts(counts)
    names = [
        _best(own[0] | _by_part(q, parts), own[1] | _by_part(a, parts), counts)
        for (q, a), own in zip(pairs, found, strict=True)
    ]
    return _bridge(names)


def _parts(counts: Counter[str]) -> dict[str, str]:
    """Words of names that recur, where they belong to one name alone."""
    owners: dict[str, set[str]] = {}
    for name, count in counts.items():
        for word in name.split() if count >= 2 else ():
            if word[:1].isupper() and len(word) >= _SHORTEST_PART:
                owners.setdefault(word, set()).add(name)
    return {word: next(iter(names)) for word, names in owners.items() if len(names) == 1}


def _by_part(text: str, parts: Mapping[str, str]) -> set[str]:
    words = {_POSSESSIVE.sub("", match.group()) for match in _WORD.finditer(text)}
    return {parts[word] for word in words if word in parts}


def candidates(text: str) -> set[str]:
    """Runs of two to five capitalised words, without possessives and without what opens a sentence."""
    runs: set[str] = set()
    run: list[str] = []
    previous_end = 0
    masked = _QUOTED.sub(lambda m: " " + "." * (len(m.group()) - 2) + " ", text)
    for match in _WORD.finditer(masked):
        gap = masked[previous_end : match.start()]
        previous_end = match.end()
        if gap.strip():
            _close(run, runs)
        word = match.group()
        bare = _POSSESSIVE.sub("", word)
        if bare[:1].isupper() and not (not run and bare.casefold().rstrip(".") in STARTERS):
            run.append(bare)
            if bare != word or (word.endswith(".") and len(word) > 2):
                _close(run, runs)
        elif run and word in _PARTICLES:
            run.append(word)
        else:
            _close(run, runs)
    _close(run, runs)
    return runs


def _close(run: list[str], runs: set[str]) -> None:
    while run and run[-1] in _PARTICLES:
        run.pop()
    if 2 <= len(run) <= 5:
        runs.add(" ".join(run).rstrip("."))
    run.clear()


def _best(question: set[str], answer: set[str], counts: Counter[str]) -> str | None:
    recurring = [n for n in question | answer if counts[n] >= 2]
    return max(recurring, key=lambda n: (counts[n], n in question, len(n), n), default=None)


def _bridge(names: Sequence[str | None]) -> list[str | None]:
    known = [i for i, n in enumerate(names) if n is not None]
    bridged = list(names)
    for before, after in pairwise(known):
        if names[before] == names[after]:
            bridged[before:after] = [names[before]] * (after - before)
    return bridged
