"""Targets as the stages want them: names to targets, texts to rows, subjects to what is said of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from classifiers.normalise import fold_words
from classifiers.spelling import Speller
from classifiers.types import Target
from classifiers.weights import MONTHS, SPECIFIC, content, in_vocabulary, weight

# A detail that more subjects share than this tells nobody apart.
_SHARED = 2000
_CANDIDATES = 64
SHORTEST = 5  # letters of a word that is taken for a misspelt one: "Jina" is as likely a name as it is "Hina"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known of a set of targets before anything is encoded."""

    targets: tuple[Target, ...]
    by_name: Mapping[str, list[int]]  # folded name -> targets
    written: Mapping[str, str]  # folded name -> as written
    subjects: list[frozenset[str]]  # what the texts of targets with one first name say, as folded words
    members: list[list[int]]  # subject -> targets
    subject_of: list[int]  # target -> subject
    free: list[bool]  # target -> only its meaning can tell
    texts: list[str]  # row -> text
    target_of: list[int]  # row -> target
    rows_of: Mapping[int, list[int]]  # target -> rows
    answers: Mapping[int, frozenset[str]]  # target -> what its answer tells beyond its name and texts, for scope "fact"
    bare: Mapping[int, str]  # row -> text without the entry's names, where one fact of several is meant
    known: Mapping[str, list[int]]  # specific word -> subjects
    any_free: bool
    speller: Speller  # of specific words and months

    @property
    def descriptive(self) -> bool:
        """Whether descriptions can mean any subject."""
        return bool(self.known)

    def tells(self, word: str) -> bool:
        """Whether ``word`` is a detail of some subject, or a misspelling of one."""
        if word in self.known:
            return True
        return len(word) >= SHORTEST and not in_vocabulary(word) and bool(self.speller.closest(word))

    def holding(self, groups: Sequence[Iterable[str]]) -> list[int]:
        """Subjects that hold the rarest word of some group, those that hold most groups first."""
        counts: dict[int, int] = defaultdict(int)
        for group in groups:
            lists = [self.known[w] for w in group if w in self.known]
            rarest = min(lists, key=len, default=[])
            if len(rarest) <= _SHARED:
                for subject in rarest:
                    counts[subject] += 1
        return list(islice(sorted(counts, key=lambda s: -counts[s]), _CANDIDATES))


def prepare(targets: Sequence[Target]) -> Prepared:
    """Index ``targets`` by name, subject and text."""
    by_name: dict[str, list[int]] = defaultdict(list)
    written: dict[str, str] = {}
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    texts: list[str] = []
    bare: dict[int, str] = {}
    target_of: list[int] = []
    rows_of: dict[int, list[int]] = defaultdict(list)
    for i, target in enumerate(targets):
        for name in target.names:
            folded = fold_words(name)
            if folded and (not by_name[folded] or by_name[folded][-1] != i):
                by_name[folded].append(i)
                written.setdefault(folded, name)
        key = fold_words(target.names[0]) if target.names else f"\0{i}"
        groups[target.list_name, key].append(i)
        nameless = _nameless(target)
        for text in target.texts:
            if nameless is not None:
                bare[len(texts)] = tidy(nameless.sub(" ", text))
            rows_of[i].append(len(texts))
            target_of.append(i)
            texts.append(text)
    members = list(groups.values())
    subjects = [_words(targets[i] for i in own) for own in members]
    known: dict[str, list[int]] = defaultdict(list)
    free = [False] * len(targets)
    subject_of = [0] * len(targets)
    for s, words in enumerate(subjects):
        specific = [w for w in words if weight(w) >= SPECIFIC or w.isdigit()]
        for word in specific:
            known[word].append(s)
        for i in members[s]:
            subject_of[i] = s
            free[i] = not targets[i].names and bool(targets[i].texts)
    return Prepared(
        tuple(targets), dict(by_name), written, subjects, members, subject_of, free, texts, target_of, dict(rows_of),
        {i: a for i, a in enumerate(map(_answer, targets)) if a}, bare, dict(known), any(free),
        Speller({w for w in known if not w.isdigit()} | MONTHS),
    )  # fmt: skip


def _answer(target: Target) -> frozenset[str]:
    """The specific words of the target's answers that neither its names nor its texts have."""
    if target.scope != "fact" or not target.names or not target.facts:
        return frozenset()
    said = {w for text in (*target.names, *target.texts) for w in content(text)}
    return frozenset(w for text in target.facts for w in content(text) if w not in said and weight(w) >= SPECIFIC)


def _nameless(target: Target) -> re.Pattern[str] | None:
    """What to leave out of the target's texts to see what they say of its subject; None where that is not asked."""
    if target.scope != "fact" or not target.names:
        return None
    parts = {p for name in target.names for p in name.split() if len(p) >= 4 and p[:1].isupper()}
    forms = sorted({*target.names, *parts}, key=lambda f: -len(f))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?:['’]s?)?(?!\w)", re.IGNORECASE)


def tidy(text: str) -> str:
    """``text`` with single spaces, none before a stop."""
    return re.sub(r"\s+([?.,!;:])", r"\1", " ".join(text.split()))


def _words(targets: Iterable[Target]) -> frozenset[str]:
    words: set[str] = set()
    for target in targets:
        for text in (*target.names, *target.texts, *target.facts):
            words.update(content(text))
    return frozenset(words)
