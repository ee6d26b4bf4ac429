"""Letters written twice, and words cut into groups of one size: undone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from classifiers.reading import Reading, replaced

_TWICE = re.compile(r"(?:(.)\1){4,}", re.DOTALL)
_FEWEST_TWICE = 4  # letters


def doubled(reading: Reading) -> Iterator[Reading]:
    """Every character written twice."""
    found = replaced(reading, "doubled", _TWICE, _once)
    if found:
        yield found


def _once(run: re.Match[str]) -> str | None:
    once = run.group()[::2]
    return once if len({c for c in once if c.isalnum()}) >= _FEWEST_TWICE else None


BLANKS = "_|/+*~^#=·•"  # what may stand for a blank
_GROUPS = re.compile(
    "|".join(rf"(?<!\S)(?:\S{{{size}}} ){{5,}}\S{{1,{size}}}(?!\S)" for size in range(2, 7))  # all of one size
)
_AS_BLANKS = re.compile(rf"[{re.escape(BLANKS)}]+")


def grouped(reading: Reading) -> Iterator[Reading]:
    """Groups of as many characters each ("Zor van _Pe lk"), with a mark for every blank."""
    found = replaced(reading, "grouped", _GROUPS, _closed_up, odd=True)
    if found:
        yield found


def _closed_up(run: re.Match[str]) -> str | None:
    text = run.group().replace(" ", "")
    return _AS_BLANKS.sub(" ", text) if _AS_BLANKS.search(text) else None
