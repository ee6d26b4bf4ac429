"""Names replaced by generic ones, and which tokens of an answer are then still the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import encoded
from benchmarks.models.packing import Chat

FIRST = ("Alex", "Sam", "Robin", "Chris", "Kim", "Jamie")
LAST = ("Carter", "Miller", "Lee", "Brown", "Clark", "Walker")
_SHORTEST = 3  # letters of a part of a name that is replaced where it stands alone


@dataclass(frozen=True, slots=True)
class Renamed:
    """An item under other names.

    Attributes:
        chat: as a model reads it.
        same: places of an answer token in the item's own chat and in this one.
    """

    chat: Chat
    same: tuple[tuple[int, int], ...]


def generic(subject: str, aliases: Sequence[str] = ()) -> dict[str, str]:
    """What to put for a subject's names: a common name, always the same for the same subject."""
    number = crc32(subject.encode())
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    found: dict[str, str] = {}
    for name in filter(None, (subject, *aliases)):
        start, *rest = name.split()
        found |= {part: last for part in rest if len(part) >= _SHORTEST}
        found |= {start: first} if len(start) >= _SHORTEST else {}
    return found | dict.fromkeys(filter(None, (subject, *aliases)), f"{first} {last}")


def renamed(tokenizer: Any, item: Item, names: Mapping[str, str]) -> Renamed:
    """``item`` with ``names`` replaced in question and answer.

    A name that the answer alone has stays: it is what is asked for.
    """
    asked = {name: other for name, other in names.items() if re.search(_pattern([name]), item.question)}
    answer, kept = _replaced(item.answer, asked)
    other = replace(item, question=_replaced(item.question, asked)[0], answer=answer)
    chat, before = encoded(tokenizer, other), encoded(tokenizer, item)
    same = _same(_offsets(tokenizer, item.answer), _offsets(tokenizer, answer), kept)
    pairs = [(i, j) for i, j in same if before.answer[i] == chat.answer[j]]
    end = [] if item.plain else [(len(before.answer) - 1, len(chat.answer) - 1)]
    return Renamed(chat, (*pairs, *end))


def _replaced(text: str, names: Mapping[str, str]) -> tuple[str, list[tuple[int, int, int]]]:
    """The text, and the stretches that were kept: start and end before, and how far they moved."""
    if not names:
        return text, [(0, len(text), 0)]
    pieces, kept, at, moved = [], [], 0, 0
    for found in re.finditer(_pattern(names), text):
        pieces += [text[at : found.start()], names[found[0]]]
        kept.append((at, found.start(), moved))
        moved += len(names[found[0]]) - len(found[0])
        at = found.end()
    return "".join((*pieces, text[at:])), [*kept, (at, len(text), moved)]


def _pattern(names: Iterable[str]) -> str:
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return rf"(?<!\w)(?:{either})(?!\w)"


def _offsets(tokenizer: Any, text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
    return found


def _same(
    before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]], kept: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int]]:
    """Places before and after of the tokens that lie in what was kept."""
    places = {tuple(offset): place for place, offset in enumerate(after)}
    found = []
    for place, (start, end) in enumerate(before):
        for low, high, moved in kept:
            if low <= start and end <= high and (there := places.get((start + moved, end + moved))) is not None:
                found.append((place, there))
    return found
