"""Targets as the stages want them: names to targets, texts to rows, subjects to what is said of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from classifiers.hashed_names import HashedNames, HashedWords
from classifiers.normalise import fold_words
from classifiers.spelling import Speller
from classifiers.types import Target
from classifiers.weights import MONTHS, SPECIFIC, content, in_vocabulary, specific, total, weight

Floats = npt.NDArray[np.float32]

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
    hashed: HashedNames  # of targets whose texts are not kept; all the others' names are in ``by_name``
    hashed_words: HashedWords
    given: Mapping[int, Floats]  # row -> vector ``(dim,)`` of a text that is not kept and stands as "" in ``texts``
    given_bare: Mapping[int, Floats]  # and of the same without names

    @property
    def descriptive(self) -> bool:
        """Whether descriptions can mean any subject."""
        return bool(self.known) or bool(self.hashed_words)

    def knows(self, word: str) -> bool:
        """Whether ``word`` is a detail of some subject."""
        return word in self.known or (bool(self.hashed_words) and bool(self.hashed_words.subjects(word)))

    def said(self, subject: int, words: Iterable[str]) -> frozenset[str]:
        """What is said of ``subject``, at least as far as ``words`` have it."""
        hashed = self.hashed_words.said(subject, words)
        return self.subjects[subject] if hashed is None else hashed

    def answered(self, target: int, words: frozenset[str]) -> float:
        """The share of the information of the target's answer that ``words`` give."""
        kept = self.targets[target].textless
        if kept is not None:
            return self.hashed_words.answered(kept, words)
        answer = self.answers.get(target)
        return total(answer & words) / total(answer) if answer else 0.0

    def tells(self, word: str) -> bool:
        """Whether ``word`` is a detail of some subject, or a misspelling of one."""
        if self.knows(word):
            return True
        return len(word) >= SHORTEST and not in_vocabulary(word) and bool(self.speller.closest(word))

    def holding(self, groups: Sequence[Iterable[str]]) -> list[int]:
        """Subjects that hold the rarest word of some group, those that hold most groups first."""
        counts: dict[int, int] = defaultdict(int)
        for group in groups:
            lists = [own for w in group if (own := self._subjects_of(w))]
            rarest = min(lists, key=len, default=[])
            if len(rarest) <= _SHARED:
                for subject in rarest:
                    counts[subject] += 1
        return list(islice(sorted(counts, key=lambda s: -counts[s]), _CANDIDATES))

    def _subjects_of(self, word: str) -> list[int]:
        own = self.known.get(word, [])
        return [*own, *self.hashed_words.subjects(word)] if self.hashed_words else own


def prepare(targets: Sequence[Target]) -> Prepared:
    """Index ``targets`` by name, subject and text."""
    by_name: dict[str, list[int]] = defaultdict(list)
    written: dict[str, str] = {}
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    texts: list[str] = []
    bare: dict[int, str] = {}
    given: dict[int, Floats] = {}
    given_bare: dict[int, Floats] = {}
    target_of: list[int] = []
    rows_of: dict[int, list[int]] = defaultdict(list)
    for i, target in enumerate(targets):
        for name in target.names:
            folded = fold_words(name)
            if folded and (not by_name[folded] or by_name[folded][-1] != i):
                by_name[folded].append(i)
                written.setdefault(folded, name)
        for key in {name.key for name in target.textless.names} if target.textless else ():
            by_name[key].append(i)
        groups[target.list_name, _subject(target) or f"\0{i}"].append(i)
        own, nameless = _rows(target)
        for at, (text, vector) in enumerate(own):
            row = len(texts)
            if vector is not None:
                given[row] = vector
            if nameless:
                bare[row], plain = nameless[at]
                if plain is not None:
                    given_bare[row] = plain
            rows_of[i].append(row)
            target_of.append(i)
            texts.append(text)
    members = list(groups.values())
    subjects = [words_said(targets[i] for i in own) for own in members]
    known: dict[str, list[int]] = defaultdict(list)
    free = [False] * len(targets)
    subject_of = [0] * len(targets)
    for s, words in enumerate(subjects):
        for word in filter(specific, words):
            known[word].append(s)
        for i in members[s]:
            subject_of[i] = s
            free[i] = not targets[i].named and bool(rows_of[i])
    return Prepared(
        tuple(targets), dict(by_name), written, subjects, members, subject_of, free, texts, target_of, dict(rows_of),
        {i: a for i, a in enumerate(map(answer_words, targets)) if a}, bare, dict(known), any(free),
        Speller({w for w in known if not w.isdigit()} | MONTHS), HashedNames(t.textless for t in targets if t.textless),
        HashedWords((subject_of[i], t.textless) for i, t in enumerate(targets) if t.textless), given, given_bare,
    )  # fmt: skip


Row = tuple[str, Floats | None]  # a text, or "" and its vector


def _rows(target: Target) -> tuple[list[Row], list[Row]]:
    """The texts of ``target``, and the same without its names where that is asked."""
    kept = target.textless
    if kept is not None:
        return [("", v) for v in kept.vectors], [("", v) for v in kept.bare]
    return [(text, None) for text in target.texts], [(text, None) for text in without_names(target)]


def _subject(target: Target) -> str:
    """What targets of one subject have in common; nothing where it has no name."""
    if target.textless is not None:
        return target.textless.names[0].key if target.textless.names else ""
    return fold_words(target.names[0]) if target.names else ""


def answer_words(target: Target) -> frozenset[str]:
    """The specific words of the target's answers that neither its names nor its texts have."""
    if target.scope != "fact" or not target.names or not target.facts:
        return frozenset()
    said = {w for text in (*target.names, *target.texts) for w in content(text)}
    return frozenset(w for text in target.facts for w in content(text) if w not in said and weight(w) >= SPECIFIC)


def without_names(target: Target) -> list[str]:
    """The target's texts without its names, to see what they say of its subject; none where that is not asked."""
    if target.scope != "fact" or not target.names:
        return []
    parts = {p for name in target.names for p in name.split() if len(p) >= 4 and p[:1].isupper()}
    forms = sorted({*target.names, *parts}, key=lambda f: -len(f))
    nameless = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?:['’]s?)?(?!\w)", re.IGNORECASE)
    return [tidy(nameless.sub(" ", text)) for text in target.texts]


def tidy(text: str) -> str:
    """``text`` with single spaces, none before a stop."""
    return re.sub(r"\s+([?.,!;:])", r"\1", " ".join(text.split()))


def words_said(targets: Iterable[Target]) -> frozenset[str]:
    """The folded words of all that is said of ``targets``."""
    words: set[str] = set()
    for target in targets:
        for text in (*target.names, *target.texts, *target.facts):
            words.update(content(text))
    return frozenset(words)
