"""What a text says before anything is encoded: its readings, the names in them, whom they describe."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate

from classifiers.conversation import in_words, pointing
from classifiers.description import Particulars, described, is_cased, particulars
from classifiers.hashed_names import HashedNames, is_hashed
from classifiers.language import foreign
from classifiers.lexical import STRENGTH, Kind, NameIndex
from classifiers.normalise import View, words
from classifiers.reading import Reading
from classifiers.score import SURE_NAME
from classifiers.sightings import Place, places
from classifiers.targets import SHORTEST, Prepared, tidy
from classifiers.types import Span
from classifiers.views import readings
from classifiers.weights import content, in_vocabulary, normal
from classifiers.windows import around, literal, windows

MAX_WINDOWS = 256
_MAX_PLACES = 1024
_FEWEST = 2  # details that make a description
_SHORT = 70  # characters of a text that is one question
_CLOSELY = 48  # windows of a text up to which smaller ones are looked at too
_SPOKEN_OF = 4  # names that "the person" may mean
_GIVEN = 0.7  # share of an answer's information that a question which gives it has

_POSSESSIVE = re.compile(r"(?<=\s)['’]s?(?=\s|$)")
_LETTERS = re.compile(r"[^\W\d_]+")


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
        self._named: dict[int, list[Place]] = {}  # by index

    @cached_property
    def view(self) -> View:
        """The reading for name matching."""
        return words(self.reading.text)

    def telling(self, prepared: Prepared) -> list[int]:
        """Where in the reading a word stands that is, or may have been meant to be, a detail of some subject."""
        if not prepared.descriptive:
            return []
        telling = {word for word, form in self._forms.items() if prepared.tells(form)}
        if not telling:
            return []
        places = accumulate((len(word) + 1 for word in self._words), initial=1)
        return [self.view.starts[at] for word, at in zip(self._words, places, strict=False) if word in telling]

    @cached_property
    def _words(self) -> list[str]:
        """The words of the view."""
        return self.view.text.split()

    @cached_property
    def _forms(self) -> dict[str, str]:
        """Each of the words as ``weights.content`` has it."""
        return {word: normal(word) for word in set(self._words)}

    @cached_property
    def cased(self) -> bool:
        """Whether capital letters mean anything."""
        return is_cased(self.reading.text)

    @cached_property
    def windows(self) -> list[Window]:
        """The reading in pieces."""
        return [self.window(span) for span in windows(self.reading.text)]

    def names(self, index: NameIndex, hashed: HashedNames) -> list[Place]:
        """The names that it mentions; ``hashed`` are those of the same segment as ``index``."""
        known = self._named.get(id(index))
        if known is None:
            known = self._named[id(index)] = list(self._find(index, hashed))
        return known

    def _find(self, index: NameIndex, hashed: HashedNames) -> Iterator[Place]:
        reading = self.reading
        nonsense = not reading.semantic and not reading.legible
        hits = index.find(self.view, joined=reading.joined, guessed=reading.guessed, torn=not nonsense)
        if nonsense:  # most such texts are nonsense, and hold many short words
            hits = [h for h in hits if h.kind != "partial"]
        if hits:
            spans = [self.view.raw(h.start, h.end) for h in hits]
            yield from places(reading.text, hits, spans, cased=self.cased)
        if hashed:
            yield from hashed.places(
                reading.text, self.view, cased=self.cased, joined=reading.joined, guessed=reading.guessed,
                parts=reading.semantic or reading.legible,
            )  # fmt: skip

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
    broken: bool = False  # what is said of it cannot be told
    foreign: bool = False  # it is said in another language than English
    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Look:
    """A window that is worth encoding, and for which targets; ``search``: for any target that only meaning can tell."""

    window: Window
    named: frozenset[int]
    described: dict[int, float]  # subject -> points
    search: bool
    bare: str | None = None  # the window's text without the names in it, where some entry means one fact of several
    answered: frozenset[int] = frozenset()  # of the named, those whose answer the window gives

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
        undecided = _sight(result, item, names, prepared)
        wanted = item.reading.semantic and (prepared.descriptive or prepared.any_free)
        if wanted or (undecided and (item.reading.semantic or item.reading.legible)):
            _choose(result, item, undecided, prepared)
            if result.overflow:
                break
    return result


def _sight(result: Scan, item: Read, names: NameIndex, prepared: Prepared) -> list[tuple[Span, str]]:
    """Note the names in a reading; returns where those stand that are not decisive alone."""
    undecided: list[tuple[Span, str]] = []
    by_name: dict[tuple[str, Kind], list[Span]] = defaultdict(list)
    reading = item.reading
    for name, kind, place in item.names(names, prepared.hashed):
        by_name[name, kind].append(place)
    for (name, kind), own in by_name.items():
        strength = STRENGTH[kind]
        raws = [reading.raw(p.start, p.end) for p in own]
        decided = strength >= SURE_NAME
        for target in prepared.by_name[name]:
            sighting = result.named.setdefault(target, Sighting())
            sighting.spans.extend(raws)
            if strength > sighting.strength:
                sighting.strength, sighting.view = strength, reading.name
                sighting.kind = "hashed" if is_hashed(name) else kind
                sighting.broken = not reading.legible or kind == "mangled"
                sighting.foreign = any(foreign(_beside(reading.text, p)) for p in own[:8])
            decided = decided and prepared.targets[target].scope == "subject"
        if not decided:
            undecided.extend((p, name) for p in own)
    return undecided


def _beside(text: str, place: Span) -> str:
    """The line around ``place`` without what stands there."""
    before = text[max(0, place.start - 120) : place.start].rpartition("\n")[2]
    after = text[place.end : place.end + 120].partition("\n")[0]
    return f"{before} {after}"


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
        bare = _bare(window, [p for p, _ in inside]) if asks else None
        return Look(window, named, described, search, bare, _answered(window, named, prepared) if asks else frozenset())

    own: set[Span] = set()
    telling = item.telling(prepared)
    needed = bool(places) or prepared.any_free or len(telling) >= _FEWEST
    for window in item.windows if needed else ():
        if result.overflow:
            return
        few = bisect_left(telling, window.own.end) - bisect_left(telling, window.own.start) < _FEWEST
        respelt = window if few else _respelt(window, prepared)
        found = {} if few else _described(respelt, prepared)
        if found or prepared.any_free or names_in(window.own.start, window.own.end):
            own.add(window.own)
            _add(result, look(respelt, found, search=prepared.any_free))
    long = len(item.reading.text) > _SHORT
    for look_back in _spoken_of(result, item, places, prepared) if places else ():
        _add(result, look_back)
    for place, name in dict(places).items():
        closely = long and len(own) < _CLOSELY and _asks(name, prepared)
        for near in _around(item.reading.text, place, closely=closely):
            if near not in own and not result.overflow:
                own.add(near)
                _add(result, look(item.window(near), {}, search=False))


def _spoken_of(result: Scan, item: Read, places: Sequence[tuple[Span, str]], prepared: Prepared) -> Iterator[Look]:
    """What a text asks of "the person" whose name it gives elsewhere, in a field of a record perhaps."""
    text = item.reading.text
    names = [name for name in dict.fromkeys(name for _, name in places) if _asks(name, prepared) and _sure(
        result, name, prepared)][:_SPOKEN_OF]  # fmt: skip
    for place in pointing(text) if names else ():
        near = literal(text, place)
        said = text[near.start : near.end]
        for name in names:
            window = Window(in_words(said, prepared.written.get(name, "")), item.reading.raw(near.start, near.end),
                            item.reading.name, near)  # fmt: skip
            bare = tidy(_POSSESSIVE.sub(" ", in_words(said, " ")))
            yield Look(window, _targets([name], prepared), {}, False, bare)


def _sure(result: Scan, name: str, prepared: Prepared) -> bool:
    return any(result.named[t].strength >= SURE_NAME for t in prepared.by_name[name])


def _asks(name: str, prepared: Prepared) -> bool:
    return any(prepared.targets[t].scope == "fact" for t in prepared.by_name[name])


def _around(text: str, place: Span, *, closely: bool) -> list[Span]:
    """Pieces of ``text`` about a name; ``closely``: small ones too, as what is asked about it may stand in a record."""
    near = around(text, place)
    return [near, literal(text, place), around(text, place, words=4)] if closely else [near]


def _answered(window: Window, targets: Iterable[int], prepared: Prepared) -> frozenset[int]:
    """Of ``targets`` those whose answer the window gives: "Is A a beekeeper?"."""
    return frozenset(t for t in targets if prepared.answered(t, window.words) >= _GIVEN)


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
        if len(word) < SHORTEST or prepared.knows(word) or in_vocabulary(word):
            return match.group()
        meant = prepared.speller.closest(word)
        return match.group() if word in meant or not meant else _like(min(meant), match.group())

    text = _LETTERS.sub(correct, window.text)
    return window if text == window.text else replace(window, text=text)


def _like(word: str, written: str) -> str:
    return word.capitalize() if written[:1].isupper() else word


def _described(window: Window, prepared: Prepared) -> dict[int, float]:
    """Subjects of which all that the window tells is true, with their points."""
    if sum(map(prepared.knows, window.words)) < _FEWEST:
        return {}
    found = window.particulars
    subjects = prepared.holding(found.groups)
    points = {s: described(found, prepared.said(s, window.words)) for s in subjects}
    return {s: p for s, p in points.items() if p > 0}
