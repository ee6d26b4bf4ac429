"""A document as facts: its sentences that tell something, each with whom it is about, and the values that it gives.

By rules alone: sentences, capital letters and pronouns. What a sentence says of "he" or "the author" is said of the
document's subject, so that each fact stands by itself. Headings, questions and sentences of common words that say
nothing of the subject are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.names import candidates, derive_names
from classifiers.normalise import fold_words
from classifiers.types import Span
from classifiers.weights import SPECIFIC, content, weight
from guard.model import Entry
from guard.output.sentences import Sentence, Sentences
from guard.output.values import values_of

LONGEST_DOCUMENT = 1_000_000  # characters
_LONGEST_FACT = 2000
_FEWEST_WORDS = 3
_HEADING = 8  # words, without a full stop
_WRAPPED = re.compile(r"(?<![.!?:;…])\n(?=[^\W\d_A-Z])")  # a line break inside a sentence
_OPENING = re.compile(r"^\W*")
_ENDED = re.compile(r"[.!?…:;][\"'”’)\]]*\s*$")
_HE = re.compile(r"^(?:he|she|they|it|this person|the (?:author|writer|man|woman|person))\b(?!['’])", re.IGNORECASE)
_HIS = re.compile(r"^(?:his|her|their|its|the (?:author|writer|man|woman|person)['’]s)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fact:
    """What a document says in one place.

    ``text`` stands by itself; ``source`` are its characters in the document, and ``spans`` those of its ``values``.
    """

    subject: str | None
    text: str
    values: tuple[str, ...]
    source: Span
    spans: tuple[Span, ...]
    question: str | None = None  # where a model asked one, of which ``text`` is the answer


def facts(text: str, title: str | None = None) -> list[Fact]:
    """The facts of a document in their order. ``title``: whom or what it is about, if that is known.

    Raises:
        ValueError: it is longer than ``LONGEST_DOCUMENT``.
    """
    if len(text) > LONGEST_DOCUMENT:
        raise ValueError(f"a document may have {LONGEST_DOCUMENT} characters, and this one has {len(text)}")
    found = [s for s in sentences(text) if _says_something(s.text)]
    subjects = _subjects([s.text for s in found], title)
    made = [_fact(text, s, subject) for s, subject in zip(found, subjects, strict=True)]
    return [fact for fact in made if fact is not None]


def sentences(text: str) -> list[Sentence]:
    """The sentences of a document, whose lines may be broken inside them."""
    reader = Sentences(_LONGEST_FACT)
    found = reader.feed(_WRAPPED.sub(" ", text.replace("\r", " ")))
    return [*found, *reader.finish()]


def spans_of(values: Sequence[str], text: str, start: int) -> tuple[Span, ...]:
    """Where ``values`` stand in ``text``, which begins at ``start``; one that lies in another is left out."""
    found: list[Span] = []
    for value in sorted(values, key=len, reverse=True):
        words = r"\W{1,3}".join(map(re.escape, value.split()))
        pattern = rf"(?<!\w){words}(?!\w)"
        for match in re.finditer(pattern, text, re.IGNORECASE):
            span = Span(start + match.start(), start + match.end())
            if not any(s.start < span.end and span.start < s.end for s in found):
                found.append(span)
    return tuple(sorted(found, key=lambda s: s.start))


def _fact(document: str, sentence: Sentence, subject: str | None) -> Fact | None:
    bare = sentence.text.strip()
    start = sentence.start + sentence.text.index(bare)
    text = _alone(" ".join(bare.split()), subject)
    values = values_of(Entry("", "", subject=subject, text=text))
    if not values and not _tells(text, subject):
        return None
    source = Span(start, start + len(bare))
    return Fact(subject, text, tuple(values), source, spans_of(values, document[source.start : source.end], start))


def _says_something(text: str) -> bool:
    words = text.split()
    if len(words) < _FEWEST_WORDS or text.rstrip().endswith("?"):
        return False
    return bool(_ENDED.search(text)) or len(words) > _HEADING


def _tells(text: str, subject: str | None) -> bool:
    """Whether a sentence without a value says something of its subject, or more than common words."""
    known = set(content(subject or ""))
    said = content(text.removeprefix(f"{subject}: "))
    return not known.isdisjoint(said) or any(weight(word) >= SPECIFIC for word in said)


def _subjects(texts: Sequence[str], title: str | None) -> list[str | None]:
    """Whom each sentence is about: the name that it has and that recurs, else the document's subject."""
    derived = derive_names([(text, "") for text in texts])
    main = _named(title) if title else _main(texts, derived)
    parts = set(fold_words(main or "").split())
    return [_subject(text, name, main, parts) for text, name in zip(texts, derived, strict=True)]


def _named(title: str) -> str:
    """The name in a title, or all of it."""
    names = candidates(title)
    return max(names, key=len) if len(names) == 1 else title.strip()


def _main(texts: Sequence[str], derived: Sequence[str | None]) -> str | None:
    counts = Counter(filter(None, derived))
    if counts:
        return counts.most_common(1)[0][0]
    for text in texts:
        found = candidates(text)
        if found:
            return min(found, key=lambda name: (text.find(name.split()[0]), -len(name)))
    return None


def _subject(text: str, derived: str | None, main: str | None, parts: set[str]) -> str | None:
    """Another name than ``main`` is the subject of a sentence that begins with it."""
    folded = fold_words(text)
    if derived is None or derived == main or not parts.isdisjoint(folded.split()):
        return main or derived
    return derived if folded.removeprefix("the ").startswith(fold_words(derived)) else main


def _alone(text: str, subject: str | None) -> str:
    """``text`` with its subject's name in it."""
    if subject is None or set(fold_words(subject).split()) & set(fold_words(text).split()):
        return text
    opening = _OPENING.match(text)
    at = opening.end() if opening else 0
    for pattern, name in ((_HE, subject), (_HIS, f"{subject}'s")):
        pronoun = pattern.match(text[at:])
        if pronoun:
            return text[:at] + name + text[at + pronoun.end() :]
    return f"{subject}: {text}"
