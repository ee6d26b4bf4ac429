"""Names of all entries, found in one pass over a text (Aho-Corasick)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from classifiers.normalise import View, fold_words


@dataclass(frozen=True, slots=True)
class NameHit:
    """A name seen in a view at ``[start, end)``, outer spaces left out."""

    name: str  # folded
    start: int
    end: int


class NameIndex:
    """Finds folded names in ``normalise.words`` views, whole words only where the script has words."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take names as written; those without a letter or digit are left out."""
        import ahocorasick

        automaton: Any = ahocorasick.Automaton()
        for name in {fold_words(n) for n in names} - {""}:
            automaton.add_word(_pattern(name), name)
        self._automaton: Any = automaton if len(automaton) else None
        if self._automaton is not None:
            self._automaton.make_automaton()

    def find(self, view: View) -> list[NameHit]:
        """Every name in the view, overlapping ones too, in the order of their ends."""
        if self._automaton is None:
            return []
        hits: list[NameHit] = []
        for last, name in self._automaton.iter(view.text):
            end = last + 1 - (view.text[last] == " ")
            hits.append(NameHit(name, end - len(name), end))
        return hits


def _pattern(name: str) -> str:
    """``name`` with the spaces that make it match whole words only."""
    before = "" if _unspaced(name[0]) else " "
    after = "" if _unspaced(name[-1]) else " "
    return f"{before}{name}{after}"


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
