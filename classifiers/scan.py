"""What a text says before anything is encoded: its readings, the names in them, whom they describe."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from classifiers.description import Particulars, described, is_cased, particulars
from classifiers.lexical import STRENGTH, NameHit, NameIndex
from classifiers.normalise import View, words
from classifiers.score import SURE_NAME
from classifiers.targets import Prepared, tidy
from classifiers.types import Span
from classifiers.views import Reading, readings
from classifiers.weights import content, in_vocabulary, weight
from classifiers.windows import around, windows

MAX_WINDOWS = 256
_MAX_PLACES = 1024

_WORD_BEFORE = re.compile(r"([^\W\d_][\w'’-]*)\s+$")
_WORD_AFTER = re.compile(r"^\s+([^\W\d_][\w'’-]*)")
_POSSESSIVE = re.compile(r"(?<=\s)['’]s?(?=\s|$)")
_LETTERS = re.compile(r"[^\W\d_]+")
_RARE = 0.6  # weight of a word that may be a name where capitals say nothing
_OPENERS = frozenset(
    "who what when where which why how is was are were did does do has have had can could would will should tell about "
    "the a an and or of for by if mr mrs ms dr prof author writer".split()
)


@dataclass(frozen=True, eq=False)
class Window:
    """A piece of one reading, of about the length of a question."""

    text: str
    raw: Span
    view: str
    own: Span  # in the reading's text

    @cached_property
    def words(self) -> frozenset[str]:
        """Its folded words."""
        return frozenset(content(self.text))

    @cached_property
    def particulars(self) -> Particulars:
        """The details that it gives."""
        return particulars(self.text)


class Read:
    """One reading of a text with what every segment wants of it, worked out once."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    @cached_property
    def view(self) -> View:
        """The reading for name matching."""
        return words(self.reading.text)

    @cached_property
    def cased(self) -> bool:
        """Whether capital letters mean anything."""
        return is_cased(self.reading.text)

    @cached_property
    def windows(self) -> list[Window]:
        """The reading in pieces."""
        return [self.window(span) for span in windows(self.reading.text)]

    def window(self, span: Span) -> Window:
        """The piece at ``span`` of the reading."""
        own = self.reading
        return Window(own.text[span.start : span.end], own.raw(span.start, span.end), own.name, span)


def read(text: str) -> list[Read]:
    """Every reading of ``text``."""
    return [Read(reading) for reading in readings(text)]


@dataclass(slots=True)
class Sighting:
    """The name of a target in a text: how surely, where, and in which reading."""

    strength: float = 0.0
    kind: str = ""
    view: str = ""
    broken: bool = False
    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Look:
    """A window that is worth encoding, and for which targets; ``search``: for any target that only meaning can tell."""

    window: Window
    named: frozenset[int]
    described: dict[int, float]  # subject -> points
    search: bool
    bare: str | None = None  # the window's text without the names in it, where some entry means one fact of several

    @property
    def pieces(self) -> tuple[str, ...]:
        """What is to be encoded."""
        return (self.window.text,) if self.bare is None else (self.window.text, self.bare)


@dataclass(slots=True)
class Scan:
    """What one text says to one segment."""

    named: dict[int, Sighting] = field(default_factory=dict)  # target -> sighting
    looks: list[Look] = field(default_factory=list)
    overflow: bool = False  # there was more to encode than is allowed


def scan(reads: Sequence[Read], prepared: Prepared, names: NameIndex) -> Scan:
    """Find names and descriptions in a text, and choose what to encode."""
    result = Scan()
    for item in reads:
        hits = names.find(item.view, joined=item.reading.joined)
        places = _sight(result, item, hits, prepared) if hits else []
        if item.reading.semantic and (places or prepared.descriptive or prepared.any_free):
            _choose(result, item, places, prepared)
            if result.overflow:
                break
    return result


def _sight(result: Scan, item: Read, hits: Sequence[NameHit], prepared: Prepared) -> list[tuple[Span, str]]:
    """Note the names of ``hits``; returns where in the reading those stand that are not decisive alone."""
    places: list[tuple[Span, str]] = []
    by_name: dict[tuple[str, str], list[Span]] = defaultdict(list)
    reading, view = item.reading, item.view
    for hit in hits:
        place = view.raw(hit.start, hit.end)
        if hit.kind == "partial" and _of_another(item, place, hit):
            continue
        by_name[hit.name, hit.kind].append(place)
    for (name, kind), own in by_name.items():
        strength = STRENGTH[kind]  # type: ignore[index]
        raws = [reading.raw(p.start, p.end) for p in own]
        undecided = False
        for target in prepared.by_name[name]:
            sighting = result.named.setdefault(target, Sighting())
            sighting.spans.extend(raws)
            if strength > sighting.strength:
                sighting.strength, sighting.kind, sighting.view = strength, kind, reading.name
                sighting.broken = reading.joined
            undecided = undecided or strength < SURE_NAME or prepared.targets[target].scope == "fact"
        if undecided:
            places.extend((p, name) for p in own)
    return places


def _of_another(item: Read, place: Span, hit: NameHit) -> bool:
    """Whether a part of a name is a common word, or stands beside a part of somebody else's name."""
    text = item.reading.text
    own = set(hit.name.split())
    written = text[place.start : place.end]
    if written.isascii() and not (written[:1].isupper() if item.cased else weight(written.casefold()) >= _RARE):
        return True  # "park", "rose": a word, not a name
    before = _WORD_BEFORE.search(text[max(0, place.start - 40) : place.start])
    after = _WORD_AFTER.match(text[place.end : place.end + 40])
    for match in (before, after):
        word = match.group(1).casefold().removesuffix("'s").removesuffix("’s") if match else ""
        if not word or word in _OPENERS or own & set(re.split(r"\W+", word)):
            continue
        if match and match.group(1)[0].isupper() if item.cased else weight(word) >= _RARE:
            return True
    return False


def _choose(result: Scan, item: Read, places: Sequence[tuple[Span, str]], prepared: Prepared) -> None:
    if len(places) > _MAX_PLACES:
        result.overflow = True
    places = sorted(places, key=lambda p: p[0].start)[:_MAX_PLACES]
    starts = [p.start for p, _ in places]
    longest = max((p.end - p.start for p, _ in places), default=0)

    def names_in(start: int, end: int) -> list[tuple[Span, str]]:
        nearby = places[bisect_left(starts, start - longest) : bisect_left(starts, end)]
        return [(place, name) for place, name in nearby if place.end > start]

    def look(window: Window, described: dict[int, float], *, search: bool) -> Look:
        inside = names_in(window.own.start, window.own.end)
        named = _targets([name for _, name in inside], prepared)
        asks = any(prepared.targets[t].scope == "fact" for t in named)
        return Look(window, named, described, search, _bare(window, [p for p, _ in inside]) if asks else None)

    own: set[Span] = set()
    for window in item.windows:
        if result.overflow:
            return
        respelt = _respelt(window, prepared)
        found = _described(respelt, prepared)
        if found or prepared.any_free or names_in(window.own.start, window.own.end):
            own.add(window.own)
            _add(result, look(respelt, found, search=prepared.any_free))
    for place in dict.fromkeys(p for p, _ in places):
        near = around(item.reading.text, place)
        if near not in own and not result.overflow:
            own.add(near)
            _add(result, look(item.window(near), {}, search=False))


def _bare(window: Window, places: Sequence[Span]) -> str:
    """The window's text without ``places`` of its reading; one that was respelt has other places, and is left whole."""
    kept = list(window.text)
    if len(kept) == window.own.end - window.own.start:
        for place in places:
            for i in range(max(place.start, window.own.start), min(place.end, window.own.end)):
                kept[i - window.own.start] = " "
    return tidy(_POSSESSIVE.sub(" ", "".join(kept)))


def _add(result: Scan, look: Look) -> None:
    if len(result.looks) >= MAX_WINDOWS:
        result.overflow = True
    else:
        result.looks.append(look)


def _targets(names: Sequence[str], prepared: Prepared) -> frozenset[int]:
    return frozenset(t for name in set(names) for t in prepared.by_name[name])


def _respelt(window: Window, prepared: Prepared) -> Window:
    """The window with words that are none corrected to specific words that they are one edit from."""

    def correct(match: re.Match[str]) -> str:
        word = match.group().casefold()
        if len(word) < 4 or word in prepared.known or in_vocabulary(word):
            return match.group()
        meant = prepared.speller.closest(word)
        return match.group() if word in meant or not meant else _like(min(meant), match.group())

    text = _LETTERS.sub(correct, window.text)
    return window if text == window.text else replace(window, text=text)


def _like(word: str, written: str) -> str:
    return word.capitalize() if written[:1].isupper() else word


def _described(window: Window, prepared: Prepared) -> dict[int, float]:
    """Subjects of which all that the window tells is true, with their points."""
    if sum(w in prepared.known for w in window.words) < 2:
        return {}
    found = window.particulars
    subjects = prepared.holding(found.groups)
    points = {s: described(found, prepared.subjects[s]) for s in subjects}
    return {s: p for s, p in points.items() if p > 0}
