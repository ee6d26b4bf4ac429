"""What the scripted model server tells, and how: a question says it, so that whoever asks knows the right answer.

"Tell story 17 of 40 words" is answered with the same 40 words every time; "with aside 2" has a protected fact in the
middle, which nobody asked for. A question about a protected subject is answered with the fact.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Literal, cast

from benchmarks.leaks.canaries import CANARIES

Pace = Literal["", "slowly", "at once", "after a while"]

SLOWLY = 3  # times the usual pace
AFTER = 10  # paces before the first word
PADDING = 4096  # bytes that each event of a story told at once has beside its word
_WORDS = (
    "the weather is mild in spring and many people walk along the river with their friends at the weekend while "
    "others stay at home and read a good book or cook something warm for the evening"
).split()
_STORY = re.compile(r"[Tt]ell story (\d+) of (\d+) words(?:, (slowly|at once|after a while))?(?:, with aside (\d))?")


@dataclass(frozen=True, slots=True)
class Story:
    """One text to be told."""

    number: int
    words: int
    pace: Pace = ""
    aside: int | None = None  # of the canaries

    @property
    def asked(self) -> str:
        """The question for it."""
        pace = f", {self.pace}" if self.pace else ""
        aside = "" if self.aside is None else f", with aside {self.aside}"
        return f"Please tell story {self.number} of {self.words} words{pace}{aside}."

    @property
    def pieces(self) -> tuple[str, ...]:
        """The answer, word by word."""
        chance = random.Random(self.number)  # noqa: S311 - a test's choices
        told = [f"{chance.choice(_WORDS)} " for _ in range(self.words)]
        if self.aside is not None:
            told[self.words // 2 : self.words // 2] = [f"{word} " for word in CANARIES[self.aside].answer.split()]
        return tuple(told)


def told(asked: str) -> Story | tuple[str, ...]:
    """What a request with the text ``asked`` in it is answered with."""
    if found := _STORY.search(asked):
        number, words, pace, aside = found.groups()
        return Story(int(number), int(words), cast(Pace, pace or ""), None if aside is None else int(aside))
    for canary in CANARIES:
        if canary.subject in asked:
            return tuple(f"{word} " for word in canary.answer.split())
    return ("It ", "is ", "not ", "known.")
