"""Names of all entries, found in one pass over a text (Aho-Corasick), typos and short forms included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from classifiers.normalise import View, fold_words

Kind = Literal["full", "derived", "fuzzy", "partial"]
STRENGTH: dict[Kind, float] = {"full": 1.0, "derived": 0.95, "fuzzy": 0.9, "partial": 0.5}

# Typos are looked for while the table of one-letter deletions stays small; beyond, only beside a word that is right.
_FUZZY_WORDS = 20_000
_TITLES = frozenset("mr mrs ms dr prof sir dame lady lord saint st the".split())


@dataclass(frozen=True, slots=True)
class NameHit:
    """A name seen in a view at ``[start, end)``, outer spaces left out."""

    name: str  # the entry's name, folded
    kind: Kind
    start: int
    end: int


class NameIndex:
    """Finds names in ``normalise.words`` views, whole words only where the script has words."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take names as written; those without a letter or digit are left out."""
        import ahocorasick

        forms: dict[str, list[tuple[str, Kind]]] = defaultdict(list)
        squeezed: dict[str, list[tuple[str, Kind]]] = defaultdict(list)
        folded = {fold_words(n): n for n in names}
        folded.pop("", None)
        for name, written in folded.items():
            forms[_pattern(name)].append((name, "full"))
            for form, kind in _derived(name, written):
                forms[_pattern(form)].append((name, kind))
            if len(name) >= 8:
                squeezed[name.replace(" ", "")].append((name, "derived"))
        self._automaton = _automaton(ahocorasick, forms)
        self._squeezed = _automaton(ahocorasick, squeezed)
        self._fuzzy = _Fuzzy(folded)

    def find(self, view: View, *, joined: bool = False) -> list[NameHit]:
        """Every name in the view, overlapping ones too. ``joined``: also across lost word breaks."""
        hits = list(_iterate(self._automaton, view.text))
        if joined:
            hits.extend(self._find_joined(view))
        sure = {h.name for h in hits if h.kind != "partial"}
        hits.extend(h for h in self._fuzzy.find(view.text) if h.name not in sure)
        return hits

    def _find_joined(self, view: View) -> Iterator[NameHit]:
        kept = [i for i, c in enumerate(view.text) if c != " "]
        for hit in _iterate(self._squeezed, "".join(view.text[i] for i in kept)):
            yield NameHit(hit.name, hit.kind, kept[hit.start], kept[hit.end - 1] + 1)


def _automaton(ahocorasick: Any, forms: Mapping[str, list[tuple[str, Kind]]]) -> Any:
    automaton: Any = ahocorasick.Automaton()
    for pattern, owners in forms.items():
        automaton.add_word(pattern, (len(pattern), owners))
    if not len(automaton):
        return None
    automaton.make_automaton()
    return automaton


def _iterate(automaton: Any, text: str) -> Iterator[NameHit]:
    if automaton is None:
        return
    for last, (length, owners) in automaton.iter(text):
        start, end = last + 1 - length, last + 1
        start += text[start] == " "
        end -= text[end - 1] == " "
        for name, kind in owners:
            yield NameHit(name, kind, start, end)


def _derived(name: str, written: str) -> Iterator[tuple[str, Kind]]:
    """Other ways to write a name: squeezed, turned, with initials, in Latin letters; and its parts."""
    if not name.isascii():
        from anyascii import anyascii

        latin = fold_words(anyascii(written))
        if latin and latin != name:
            yield latin, "derived"
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
    for part in (first, last):
        if len(part) >= 4:
            yield part, "partial"


def _like_a_person(written: str) -> bool:
    words = written.replace("-", " ").split()
    return all(w[:1].isupper() for w in (words[0], words[-1]))


def _pattern(name: str) -> str:
    """``name`` with the spaces that make it match whole words only."""
    before = "" if _unspaced(name[0]) else " "
    after = "" if _unspaced(name[-1]) else " "
    return f"{before}{name}{after}"


class _Fuzzy:
    """Names with one typo a word, found through one-letter deletions (SymSpell's idea), checked by rapidfuzz."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, list[tuple[str, ...]]] = defaultdict(list)  # by first word
        words: set[str] = set()
        for name in names:
            parts = tuple(name.split())
            if (len(parts) > 1 and len(name) >= 8) or (len(parts) == 1 and len(name) >= 6):
                self._names[parts[0]].append(parts)
                words.update(parts)
        self._words = words
        self._near: dict[str, list[str]] = defaultdict(list)
        if len(words) <= _FUZZY_WORDS:
            for word in words:
                if len(word) >= 4:
                    for variant in _deletions(word):
                        self._near[variant].append(word)

    def find(self, text: str) -> Iterator[NameHit]:
        """Runs of words of which each is a name's word or one edit from it."""
        if not self._names:
            return
        words: list[tuple[str, int]] = []
        at = 1
        for word in text.split():
            words.append((word, at))
            at += len(word) + 1
        close = [self._closest(word) for word, _ in words]
        for i, options in enumerate(close):
            for option in options:
                for parts in self._names.get(option, ()):
                    if _follows(parts, close, i) and any(p != words[i + k][0] for k, p in enumerate(parts)):
                        word, start = words[i + len(parts) - 1]
                        yield NameHit(" ".join(parts), "fuzzy", words[i][1], start + len(word))

    def _closest(self, word: str) -> set[str]:
        from rapidfuzz.distance import OSA

        found = {word} if word in self._words else set()
        if len(word) >= 4 and self._near:
            for variant in _deletions(word):
                for other in self._near.get(variant, ()):
                    if OSA.distance(word, other, score_cutoff=1) <= 1:
                        found.add(other)
        return found


def _follows(parts: tuple[str, ...], close: list[set[str]], at: int) -> bool:
    return at + len(parts) <= len(close) and all(part in close[at + k] for k, part in enumerate(parts))


def _deletions(word: str) -> set[str]:
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


def _unspaced(char: str) -> bool:
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
