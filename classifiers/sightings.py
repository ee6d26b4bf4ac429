"""Which of the names that an index finds in a text are meant: no parts of other people's, no initials by chance."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from classifiers.lexical import Kind, NameHit
from classifiers.names import STARTERS
from classifiers.normalise import fold_words
from classifiers.types import Span
from classifiers.weights import in_vocabulary, weight

Place = tuple[str, Kind, Span]  # folded name, how it is written, where in the reading's text

_WORD_BEFORE = re.compile(r"([^\W\d_][\w'’-]*)\s+$")
_WORD_AFTER = re.compile(r"^\s+([^\W\d_][\w'’-]*)")
_JOINED_BEFORE = re.compile(r"(?:[^\W_]+[-\u2010\u2011])+$")
_JOINED_AFTER = re.compile(r"(?:[-\u2010\u2011][^\W_]+)+")
_TITLE_BEFORE = re.compile(
    r"\b(?:mr|mrs|ms|miss|mister|dr|doctor|prof|professor|sir|dame|lady|lord|captain|colonel|judge|señora?|herr|frau|"
    r"monsieur|madame)\.?\s+$",
    re.IGNORECASE,
)
_INITIAL_GAP = re.compile(r"[.\s'’-]*")
_BEGINS = re.compile(r"(?:^|[.?!:\n])[\s\"'(“‘]*$")
_RARE = 0.6  # weight of a word that may be a name where capitals say nothing
_OPENERS = frozenset(
    "who what when where which why how is was are were did does do has have had can could would will should tell about "
    "the a an and or of for by if mr mrs ms dr prof author writer".split()
)
_APART = 60  # characters between first and last name
_WORDS_APART = 4
_TWO_PEOPLE = re.compile(r"\b(?:and|or|with|vs|versus|to|from|by|und|et|y|met|of)\b|[.!?;]\s|&", re.IGNORECASE)
_MIDDLE = re.compile(r"(?:\s[A-Z]\.?){1,3}\s|\s[A-Z]\.[A-Z]\.\s|['’]s\s")
_FIELDS = re.compile(r"[\"'=:<>|,_]")


def places(text: str, hits: Sequence[NameHit], spans: Sequence[Span], *, cased: bool) -> Iterator[Place]:
    """The names of ``hits``, which stand at ``spans`` of ``text``, as far as they are meant.

    Args:
        text: the reading's.
        hits: what the index found in it.
        spans: where, for each of ``hits``.
        cased: capital letters of ``text`` tell names from other words.
    """
    parts: dict[str, list[Span]] = defaultdict(list)
    for hit, span in zip(hits, spans, strict=True):
        if hit.kind == "partial":
            if not _of_another(text, span, hit, cased=cased):
                parts[hit.name].append(span)
        elif not _by_chance(text, span, hit, cased=cased) and not _plain_word(text, span, hit):
            yield hit.name, hit.kind, span
    for name, own in parts.items():
        whole = _whole(text, name, own, cased=cased)
        for span in own:
            yield name, "titled" if _titled(text, name, span) else "partial", span
        if whole:
            yield name, "apart", whole


def _by_chance(text: str, span: Span, hit: NameHit, *, cased: bool) -> bool:
    """Whether a first word of one letter is no initial: the article in "a Tolland", the variable in 'b = "Tolland"'."""
    written = text[span.start : span.end]
    if hit.kind != "derived" or len(written) < 3 or written[1].isalnum():
        return False
    gap = _INITIAL_GAP.match(written, 1)
    return (cased and written[0].islower()) or not gap or not written[gap.end() : gap.end() + 1].isalnum()


def _plain_word(text: str, span: Span, hit: NameHit) -> bool:
    """Whether a name that is a word sentences are made of is just that word here: "Will it rain?"."""
    if hit.name not in STARTERS:
        return False
    return not text[span.start].isupper() or bool(_BEGINS.search(text[max(0, span.start - 8) : span.start]))


def _of_another(text: str, place: Span, hit: NameHit, *, cased: bool) -> bool:
    """Whether a part of a name is a common word, or stands in or beside a part of somebody else's name."""
    own = set(hit.name.split())
    place = _hyphenated(text, place)
    written = text[place.start : place.end]
    if not set(fold_words(written).split()) <= own:
        return True  # "David-Smith" is not David
    if written.isascii() and not (written[:1].isupper() if cased else weight(written.casefold()) >= _RARE):
        return True  # "park", "rose": a word, not a name
    before = _WORD_BEFORE.search(text[max(0, place.start - 40) : place.start])
    after = _WORD_AFTER.match(text[place.end : place.end + 40])
    for match in (before, after):
        word = match.group(1).casefold().removesuffix("'s").removesuffix("’s") if match else ""
        if not word or word in _OPENERS or own & set(re.split(r"\W+", word)):
            continue
        if match and _TITLE_BEFORE.search(f"{match.group(1)} "):
            continue
        if len(word) == 1 and match is after:
            continue  # an initial between the names
        if match and match.group(1)[0].isupper() if cased else weight(word) >= _RARE:
            return True
    return False


def _hyphenated(text: str, place: Span) -> Span:
    """``place`` with what hyphens join to it: "David" in "Ben-David"."""
    start, end = place.start, place.end
    before = _JOINED_BEFORE.search(text[max(0, start - 40) : start])
    after = _JOINED_AFTER.match(text[end : end + 40])
    return Span(start - len(before.group()) if before else start, end + len(after.group()) if after else end)


def _titled(text: str, name: str, span: Span) -> bool:
    """Whether a surname that is no word stands after a title."""
    surname = fold_words(text[span.start : span.end])
    return (
        name.endswith(f" {surname}")
        and not in_vocabulary(surname)
        and bool(_TITLE_BEFORE.search(text[max(0, span.start - 16) : span.start]))
    )


def _whole(text: str, name: str, spans: Sequence[Span], *, cased: bool) -> Span | None:
    """Where first and last name stand near each other: with words between them, or in two fields of a record."""
    ordered = sorted(spans, key=lambda s: s.start)
    for one, other in pairwise(ordered):
        gap = text[one.end : other.start]
        both = {fold_words(text[s.start : s.end]) for s in (one, other)}
        if len(both) < 2 or len(gap) > _APART:
            continue
        if _MIDDLE.fullmatch(gap):
            return Span(one.start, other.end)
        if _TWO_PEOPLE.search(gap):
            continue
        if not any(not in_vocabulary(p) for p in both) and len(gap.split()) > 1:
            continue
        if _FIELDS.search(gap) or len(gap.split()) <= _WORDS_APART:
            return Span(one.start, other.end)
    return None
