"""What of an entry is protected word for word: its names, and the values that its answer gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from classifiers.lexical import spellings
from classifiers.names import STARTERS
from classifiers.normalise import fold_words
from classifiers.weights import SPECIFIC, content, total, weight
from guard.model import Entry

_SHORT = 8  # words of an answer that is a value as a whole
_BRIEF = 14  # words of an answer in which one rare word is a value
_RARE = 0.8  # weight of such a word
_MOST = 48  # values of one entry
_QUOTED = re.compile(
    r"[\"“«]([^\"“”«»\n]{2,120})[\"”»]|(?<!\w)['‘]([^'‘’\n]{2,120}(?:['’]\w[^'‘’\n]{0,60})?)['’](?!\w)"
)
_WORD = re.compile(r"[^\W_]+(?:['’.&/-][^\W_]+)*")
_POSSESSIVE = re.compile(r"['’]s$")
_OPENS = re.compile(r"(?:^|[.!?:]\s|\n|[\"“'‘(])\s*$")
_JOINERS = frozenset("of the and de la del della di da von van der den al el du le bin ibn".split())
_TELLS = r"[^\W_a-zß-öø-ÿ][^\W_]*(?:['’.&/-][^\W_]+)*"
_RUN = re.compile(rf"(?<![^\W_]){_TELLS}(?: (?:(?:{'|'.join(_JOINERS)}) ){{0,3}}{_TELLS})*")
_EMPTY = STARTERS | frozenset("yes no true false ok okay none unknown author name writer book books".split())
_SMALL = _EMPTY | _JOINERS
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_MONTH = "|".join(f"{m}|{m[:3]}" for m in _MONTHS)
_DATES = (
    re.compile(r"(?<!\d)(?P<month>\d{1,2})[/.](?P<day>\d{1,2})[/.](?P<year>\d{4})(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)"),
    re.compile(rf"(?<!\w)(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})", re.I),
    re.compile(
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})\.?,?\s+(?P<year>\d{{4}})", re.I
    ),
)


def spelt(name: str) -> Iterator[str]:
    """Ways to write a name; parts of it are none."""
    folded = fold_words(name)
    if folded:
        yield from (form for form, kind in spellings(folded, name) if kind != "partial")


def said_by(entry: Entry) -> str:
    """What the entry tells: its answer, or the statement that it is."""
    return entry.answer or entry.text or ""


def values_of(entry: Entry) -> list[str]:
    """Names, titles, numbers and dates that the entry tells; of a short answer rare words too, or all of it.

    What its names or its question say already is none.
    """
    told = said_by(entry)
    if not told:
        return []
    asked = (entry.subject, *entry.aliases, entry.question)
    known = frozenset(word for text in asked if text for word in fold_words(text).split())
    words = _WORD.findall(told)
    found: dict[str, None] = {}
    if len(words) <= _SHORT and entry.answer:
        found.update(dict.fromkeys(_whole(words, known)))
    if any(map(str.isdigit, told)):
        found.update(dict.fromkeys(_dates(told)))
    quoted = [q for match in _QUOTED.finditer(told) for q in match.groups() if q]
    found.update(dict.fromkeys(q for q in quoted if _telling(q, known)))
    masked = _QUOTED.sub(lambda m: "." * len(m.group()), told) if quoted else told
    found.update(dict.fromkeys(_runs(masked, known, short=len(words) <= _BRIEF)))
    if len(words) <= _BRIEF:
        found.update(dict.fromkeys(w for w in words if w.islower() and _rare(w, known)))
    return list(found)[:_MOST]


def _whole(words: list[str], known: frozenset[str]) -> Iterator[str]:
    """A short answer, with and without what the question says at its ends; nothing where it is made of common words."""
    kept = _trimmed(words, known, _EMPTY)
    if kept and any(weight(w) >= SPECIFIC or w.isdigit() for word in kept for w in fold_words(word).split()):
        yield " ".join(kept)
    elif len(words) == 1 and kept and kept[0][0].isupper():
        yield kept[0]


def _runs(text: str, known: frozenset[str], *, short: bool) -> Iterator[str]:
    """Stretches of capitalised words and of numbers."""
    for match in _RUN.finditer(text):
        run = _WORD.findall(match.group())
        opens = bool(_OPENS.search(text[max(0, match.start() - 4) : match.start()]))
        if not run[0][0].islower():  # a script that the pattern does not know the small letters of
            yield from _run(run, known, opens=opens, short=short)


def _run(run: list[str], known: frozenset[str], *, opens: bool, short: bool) -> Iterator[str]:
    if opens and run and not run[0][0].isdigit() and (len(run) == 1 or weight(run[0].casefold()) < SPECIFIC):
        run = run[1:]  # a capital that only opens the sentence
    kept = _trimmed(run, known, _SMALL)
    if len(kept) > 1 or (kept and _alone(kept[0], short=short)):
        yield " ".join(kept)


def _alone(word: str, *, short: bool) -> bool:
    """Whether one capitalised word or number tells enough."""
    if word[0].isdigit():
        digits = sum(map(str.isdigit, word))
        return digits >= 3 or (short and digits >= 2)
    return len(word) > 2 and weight(fold_words(word)) >= (0.1 if short else SPECIFIC)


def _trimmed(words: list[str], known: frozenset[str], small: frozenset[str]) -> list[str]:
    """``words`` without those at either end that are known or ``small``."""
    start, stop = 0, len(words)
    while start < stop and _is_known(words[start], known, small):
        start += 1
    while stop > start and _is_known(words[stop - 1], known, small):
        stop -= 1
    return [_POSSESSIVE.sub("", w) for w in words[start:stop]]


def _is_known(word: str, known: frozenset[str], small: frozenset[str]) -> bool:
    if word.isascii() and word.isalnum():
        lower = word.lower()
        return lower in known or lower in small
    return all(w in known or w in small for w in fold_words(_POSSESSIVE.sub("", word)).split())


def _telling(quoted: str, known: frozenset[str]) -> bool:
    own = fold_words(quoted).split()
    if not own or known.issuperset(own):
        return False
    return (len(own) > 1 and not _EMPTY.issuperset(own)) or weight(own[0]) >= SPECIFIC


def _rare(word: str, known: frozenset[str]) -> bool:
    own = fold_words(word).split()
    return len(word) > 3 and len(own) == 1 and own[0] not in known and weight(own[0]) >= _RARE and word[-2:] != "ly"


def _dates(text: str) -> Iterator[str]:
    """The dates in ``text``, in the ways that people write dates."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            name = match.group("month").casefold()
            month = int(name) if name.isdigit() else [m[:3] for m in _MONTHS].index(name[:3]) + 1
            day, year = int(match.group("day")), match.group("year")
            if 1 <= month <= 12 and 1 <= day <= 31:
                yield from _written(day, month, year)


def _written(day: int, month: int, year: str) -> Iterator[str]:
    ordinal = f"{day}{'th' if 10 <= day % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"
    for name in {_MONTHS[month - 1], _MONTHS[month - 1][:3]}:
        for number in (str(day), f"{day:02}", ordinal):
            yield f"{name} {number} {year}"
            yield f"{number} {name} {year}"
        yield f"{ordinal} of {name} {year}"
    for left, right in ((f"{month:02}", f"{day:02}"), (str(month), str(day))):
        yield from (f"{left} {right} {year}", f"{right} {left} {year}", f"{year} {left} {right}")


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry tells, as folded words (``weights.content``), and what it asks.

    ``adds``: the words of its answer that neither its question nor its names have. ``valued``: most of what these
    tell is names and numbers.
    """

    names: frozenset[str]
    asks: frozenset[str]
    adds: frozenset[str]
    words: frozenset[str]  # all of the above
    valued: bool

    @classmethod
    def of(cls, entry: Entry) -> Told:
        """Read an entry."""
        names = frozenset(w for n in (entry.subject, *entry.aliases) if n for w in content(n))
        asks = frozenset(w for w in content(entry.question or "") if w not in names and weight(w) > 0)
        adds = frozenset(w for w in content(said_by(entry)) if w not in names and w not in asks and weight(w) > 0)
        values = {w for value in values_of(entry) for w in content(value)}
        return cls(names, asks, adds, names | asks | adds, 2 * total(adds & values) >= total(adds) > 0)
