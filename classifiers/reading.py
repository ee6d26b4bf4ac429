"""A way to read a raw text, with a map to the characters that it comes from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from classifiers.plain import Stretch, odd_stretches
from classifiers.types import Span


@dataclass(frozen=True)
class Reading:
    """One way to read a raw text. Character ``i`` of ``text`` stands for raw ``[starts[i], ends[i])``.

    Attributes:
        name: which view made it; "raw" for the plain reading.
        text: what it reads.
        starts: for each character where its raw characters begin.
        ends: and where they end.
        semantic: the text is worth an encoder's time.
        joined: word breaks are lost, so names are looked for without them.
        guessed: it is one of many tries, so that only whole names, unabridged and spelt right, are looked for.
        garbled: it was undone by rules that lose something, so that its words are not all as they were meant.
    """

    name: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    semantic: bool = True
    joined: bool = False
    guessed: bool = False
    garbled: bool = False

    @property
    def legible(self) -> bool:
        """Whether its sentences mean what they say, so that an encoder can tell what is asked about a name in it."""
        return not self.joined and not self.garbled and (self.semantic or self.name == "unmarked")

    @cached_property
    def odd(self) -> tuple[Stretch, ...]:
        """The stretches in which most disguises would stand: see ``plain.odd_stretches``."""
        return odd_stretches(self.text)

    def matches(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Where ``pattern`` matches in the odd stretches, for what no ordinary words can be."""
        for start, end in self.odd:
            yield from pattern.finditer(self.text, start, end)

    def part(self, stretches: Sequence[Stretch]) -> Reading:
        """These stretches of it alone, apart from each other."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for start, end in stretches:
            if text:
                text.append(_APART)
                starts.extend([self.starts[start]] * len(_APART))
                ends.extend([self.ends[start]] * len(_APART))
            text.append(self.text[start:end])
            starts.extend(self.starts[start:end])
            ends.extend(self.ends[start:end])
        return replace(self, text="".join(text), starts=starts, ends=ends)

    def raw(self, start: int, end: int) -> Span:
        """The raw characters behind ``text[start:end]``, a range that is not empty."""
        return Span(min(self.starts[start:end]), max(self.ends[start:end]))


_APART = "\n\n"  # between stretches that something was left out of: nothing goes on from one to the next
_LONG = 1200  # characters up to which a text is read again whole
_CONTEXT = 320  # characters: a window of some forty words, and what may be said of a name beside it

Edit = tuple[int, int, str]  # what stands in the new text for characters [start, end) of the old


def edited(
    parent: Reading,
    name: str,
    edits: Iterable[Edit],
    *,
    semantic: bool = True,
    joined: bool = False,
    guessed: bool = False,
    whole: bool = False,
) -> Reading | None:
    """``parent`` with ``edits``, which are in order and do not overlap; None where there are none.

    Of a long text only what stands near an edit: the rest says in this reading what it says in its parent, and to
    judge it again for every reading would take as many times as long. ``whole``: all of it, where the parent is
    itself no reading that is judged.
    """
    chosen = list(edits)
    if not chosen:
        return None
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def take(text: str, begins: Sequence[int], finishes: Sequence[int]) -> None:
        out.append(text)
        starts.extend(begins)
        ends.extend(finishes)

    upcoming = iter([*chosen, None])
    edit = next(upcoming)
    for first, last in [(0, len(parent.text))] if whole else _near(parent.text, chosen):
        if out:
            take(_APART, [parent.starts[first]] * len(_APART), [parent.ends[first]] * len(_APART))
        at = first
        while edit is not None and edit[1] <= last:
            start, end, text = edit
            take(parent.text[at:start], parent.starts[at:start], parent.ends[at:start])
            span = parent.raw(start, end) if end > start else parent.raw(max(0, start - 1), max(1, start))
            take(text, [span.start] * len(text), [span.end] * len(text))
            at = end
            edit = next(upcoming)
        take(parent.text[at:last], parent.starts[at:last], parent.ends[at:last])
    return Reading(name, "".join(out), starts, ends, semantic, joined, guessed)


def _near(text: str, edits: Sequence[Edit]) -> list[tuple[int, int]]:
    """The stretches of ``text`` within ``_CONTEXT`` of an edit, up to where a line or a word ends."""
    if len(text) <= _LONG:
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    for start, end, _ in edits:
        if found and start - _CONTEXT <= found[-1][1] and end <= found[-1][1] - _CONTEXT:
            continue
        first = max(0, start - _CONTEXT)
        if first:
            cut = max(text.rfind("\n", first - _CONTEXT // 2, first), text.rfind(" ", first - _CONTEXT // 2, first))
            first = cut + 1 if cut >= 0 else first
        last = min(len(text), end + _CONTEXT)
        if last < len(text):
            cut = min(c for c in (text.find("\n", last), text.find(" ", last), last + _CONTEXT // 2) if c >= 0)
            last = min(cut, len(text))
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def replaced(
    parent: Reading,
    name: str,
    pattern: re.Pattern[str],
    meant: Callable[[re.Match[str]], str | None],
    *,
    whole: bool = False,
    odd: bool = False,
) -> Reading | None:
    """``edited`` with what ``meant`` makes of each match of ``pattern``; a match that it gives None for stays.

    ``odd``: matches are looked for in the odd stretches only.
    """
    matches = parent.matches(pattern) if odd else pattern.finditer(parent.text)
    found = ((m.start(), m.end(), meant(m)) for m in matches)
    return edited(parent, name, ((s, e, text) for s, e, text in found if text is not None), whole=whole)


NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def clean(text: str) -> Reading:
    """NFKC character by character, without format characters and stacked marks."""
    raw = Reading("raw", text, range(len(text)), range(1, len(text) + 1))
    if text.isascii():
        return raw
    # Of equal stretches one piece: most of a text is as it should be.
    cleaned = ((m.start(), m.end(), cleaned_char(m.group())) for m in NOT_ASCII.finditer(text))
    return edited(raw, "raw", ((s, e, c) for s, e, c in cleaned if c != text[s]), whole=True) or raw


@lru_cache(maxsize=65536)
def cleaned_char(char: str) -> str:
    """What a character is when it is written plainly; nothing for those that only change how others look."""
    if unicodedata.category(char) in ("Cf", "Cs", "Cn", "Mn", "Me"):
        return ""
    return unicodedata.normalize("NFKC", char)


def cleaned(text: str) -> str:
    """``text`` with every character cleaned."""
    return text if text.isascii() else "".join(map(cleaned_char, text))
