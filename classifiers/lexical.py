"""Names of all entries, found in one pass over a text (Aho-Corasick), typos and short forms included."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from classifiers.misspelt import Misspelt
from classifiers.normalise import View, fold_words

Kind = Literal["full", "derived", "mangled", "fuzzy", "apart", "titled", "partial"]
STRENGTH: dict[Kind, float] = {
    "full": 1.0,
    "derived": 0.95,
    "mangled": 0.95,
    "fuzzy": 0.9,
    "apart": 0.9,
    "titled": 0.9,
    "partial": 0.5,
}

SHARED = 50  # names
IN_PIECES = 2  # breaks more than a name has: none that somebody makes by mistake
TELLING = 7  # letters of a name that is found although its words are parted otherwise, or guessed at
_TITLES = frozenset("mr mrs ms dr prof sir dame lady lord saint st the".split())


@dataclass(frozen=True, slots=True)
class NameHit:
    """A name seen in a view at ``[start, end)``, outer spaces left out."""

    name: str  # the entry's name, folded
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Forms:
    """What one pattern stands for: ways to write whole names, and names of which it is a part."""

    sure: tuple[tuple[str, Kind], ...]
    parts: tuple[str, ...]


class NameIndex:
    """Finds names in ``normalise.words`` views, whole words only where the script has words."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take names as written; those without a letter or digit are left out."""
        import ahocorasick

        forms: dict[str, list[tuple[str, Kind]]] = defaultdict(list)
        joined: dict[str, list[tuple[str, Kind]]] = defaultdict(list)
        folded = {fold_words(n): n for n in names}
        folded.pop("", None)
        for name, written in folded.items():
            for form, kind in spellings(name, written):
                forms[_pattern(form)].append((name, kind))
            for form in squeezed(name, written):
                joined[form].append((name, "derived"))
        self._automaton = _automaton(ahocorasick, forms)
        self._squeezed = _automaton(ahocorasick, joined)
        plain = {form: n for n, w in folded.items() for form in (_unhyphenated(w), _latin(w, n))}
        plain.pop("", None)
        self._misspelt = Misspelt(plain | {n: n for n in folded})

    def find(self, view: View, *, joined: bool = False, guessed: bool = False, torn: bool = True) -> list[NameHit]:
        """Every name in the view, overlapping ones too.

        Args:
            view: where to look.
            joined: word breaks are lost: names may begin and end inside words.
            guessed: the view is one of many tries: only names as they are written, of some length.
            torn: words may have been cut in two by somebody; in nonsense they are not.
        """
        found = list(_matches(self._automaton, view.text))
        hits = [NameHit(name, kind, start, end) for start, end, forms in found for name, kind in forms.sure]
        hits.extend(self._find_joined(view, {h.name for h in hits}, anywhere=joined))
        if guessed:
            return [h for h in hits if h.end - h.start >= TELLING]
        inside = bytearray(len(view.text) if hits else 0)
        for hit in hits:
            inside[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
        sure = {h.name for h in hits}
        for start, end, forms in found:
            # A part of a name inside a whole name is no name of its own; one that many share tells nobody apart.
            if len(forms.parts) <= SHARED and not (inside and inside[start] and inside[end - 1]):
                hits.extend(NameHit(name, "partial", start, end) for name in forms.parts)
        for name, mangled, start, end in self._misspelt.find(view.text, inside, torn=torn):
            if name not in sure:
                hits.append(NameHit(name, "mangled" if mangled else "fuzzy", start, end))
        return hits

    def _find_joined(self, view: View, known: set[str], *, anywhere: bool) -> Iterator[NameHit]:
        """Names with their letters parted otherwise; whole words of the text unless ``anywhere``."""
        text = view.text
        found = list(_matches(self._squeezed, text.replace(" ", "")))
        if not found:
            return
        kept = [i for i, c in enumerate(text) if c != " "]
        for first, last, forms in found:
            start, end = kept[first], kept[last - 1] + 1
            if anywhere or (text[start - 1] == " " and text[end : end + 1] == " "):
                for name, kind in forms.sure:
                    if name not in known:
                        pieces = text.count(" ", start, end) - name.count(" ")
                        yield NameHit(name, "mangled" if pieces >= IN_PIECES else kind, start, end)


def _automaton(ahocorasick: Any, forms: Mapping[str, list[tuple[str, Kind]]]) -> Any:
    automaton: Any = ahocorasick.Automaton()
    for pattern, owners in forms.items():
        sure = tuple((name, kind) for name, kind in owners if kind != "partial")
        automaton.add_word(pattern, (len(pattern), _Forms(sure, tuple(n for n, kind in owners if kind == "partial"))))
    if not len(automaton):
        return None
    automaton.make_automaton()
    return automaton


def _matches(automaton: Any, text: str) -> Iterator[tuple[int, int, _Forms]]:
    """Where a pattern stands, outer spaces left out, and whose it is."""
    if automaton is None:
        return
    for last, (length, forms) in automaton.iter(text):
        start, end = last + 1 - length, last + 1
        yield start + (text[start] == " "), end - (text[end - 1] == " "), forms


def spellings(name: str, written: str) -> Iterator[tuple[str, Kind]]:
    """The ways to write a name, folded: ``name``, which is the folded ``written``, others, and parts of it."""
    yield name, "full"
    yield from _derived(name, written)


def squeezed(name: str, written: str) -> set[str]:
    """A name without word breaks, where it is long enough to be told so."""
    forms = {form.replace(" ", "") for form in (name, _latin(written, name), _unhyphenated(written))}
    return {form for form in forms if len(form) >= TELLING}


def _derived(name: str, written: str) -> Iterator[tuple[str, Kind]]:
    """Other ways to write a name: squeezed, turned, with initials, in Latin letters; and its parts."""
    latin = _latin(written, name)
    if latin != name:
        yield latin, "derived"
    unhyphenated = _unhyphenated(written)
    if unhyphenated and unhyphenated != name:
        yield unhyphenated, "derived"
    lost = "" if written.isascii() else fold_words("".join(c for c in written if c.isascii()))
    if len(lost) >= TELLING and len(lost.split()) == len(name.split()) > 1:
        yield lost, "derived"  # a code that has no sign for a letter leaves it out
    for form in {name, unhyphenated}:
        if len(form) >= 6 and form.isascii() and not form.endswith("s"):
            yield f"{form}s", "derived"  # a possessive whose apostrophe is gone
    parts = [p for p in name.split() if p not in _TITLES]
    if " " in name and len(name) >= 8:
        yield name.replace(" ", ""), "derived"
    if not 2 <= len(parts) <= 5 or not _like_a_person(written) or any(c.isdigit() for c in name):
        return
    first, last = parts[0], parts[-1]
    yield f"{last} {first}", "derived"
    if len(last) >= 4:
        yield f"{first[0]} {last}", "derived"
    if len(parts) > 2:
        yield f"{first} {last}", "derived"
        yield " ".join([p[0] for p in parts[:-1]] + [last]), "derived"
        yield f"{first} {' '.join(p[0] for p in parts[1:-1])} {last}", "derived"
        yield " ".join(reversed(parts)), "derived"
    for part in (first, last):
        if len(part) >= 4:
            yield part, "partial"


def _latin(written: str, name: str) -> str:
    """The name in Latin letters."""
    if name.isascii():
        return name
    from anyascii import anyascii

    return fold_words(anyascii(written)) or name


def _unhyphenated(written: str) -> str:
    return fold_words(re.sub(r"[-\u2010\u2011'’.]", "", written))


def _like_a_person(written: str) -> bool:
    words = written.replace("-", " ").split()
    return all(w[:1].isupper() for w in (words[0], words[-1]))


def _pattern(name: str) -> str:
    """``name`` with the spaces that make it match whole words only."""
    before = "" if unspaced(name[0]) else " "
    after = "" if unspaced(name[-1]) else " "
    return f"{before}{name}{after}"


def unspaced(char: str) -> bool:
    """Whether the character's script puts no space between words, or glues endings to names (Hangul)."""
    point = ord(char)
    return (
        0x0E00 <= point <= 0x0EFF  # Thai, Lao
        or 0x1000 <= point <= 0x109F  # Myanmar
        or 0x1100 <= point <= 0x11FF  # Hangul, decomposed
        or 0x1780 <= point <= 0x17FF  # Khmer
        or 0x2E80 <= point <= 0xA4CF  # CJK, kana
        or 0xAC00 <= point <= 0xD7FF  # Hangul
        or 0xF900 <= point <= 0xFAFF
        or 0x20000 <= point <= 0x3FFFF
    )
