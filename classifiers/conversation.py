"""Questions spread over turns: a follow-up is judged with the names that it may refer to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.description import particulars

# How many turns back a name can be meant, and how many may be tried for one follow-up.
REACH = 6
_TRIED = 4
_LONGEST = 2000  # characters of a follow-up; whatever is longer speaks for itself

_POINTING = re.compile(
    r"\b(?:(?:this|that|the|these|those|said|same|aforementioned|above)\s+(?:\w+\s+)?(?:person|individual|man|woman|author|"
    r"writer|novelist|poet|artist|figure|subject|topic|place|country|city|company|name|book|work|works|event|product)|"
    r"former|latter|aforementioned)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\b(?:he|she|him|her|hers|his|himself|herself|"
    r"él|ella|ellos|su|sus|il|elle|ils|elles|lui|son|sa|ses|leur|er|sie|ihn|ihr|ihre|sein|seine|lei|loro|suo|sua)\b",
    re.IGNORECASE,
)
_NEUTRAL = re.compile(r"\b(?:it|its|they|them|their|theirs)\b", re.IGNORECASE)
_ELLIPTIC = re.compile(r"^\W*(?:and|also|what about|how about|or|then|but|y|et|und|e)\b", re.IGNORECASE)


@dataclass(slots=True)
class Mentions:
    """What names a conversation has brought up so far, as they are to be written."""

    turn_of: dict[str, int] = field(default_factory=dict)  # name -> last turn
    parts: dict[str, dict[str, int]] = field(default_factory=dict)  # folded name -> part -> last turn

    def note(self, turn: int, names: Mapping[str, str], parts: Mapping[str, set[str]]) -> None:
        """Take in a turn: full names (folded to written), and parts of names."""
        for folded, written in names.items():
            self.turn_of[written] = turn
            self.parts.pop(folded, None)
        for folded, seen in parts.items():
            own = self.parts.setdefault(folded, {})
            own.update(dict.fromkeys(seen, turn))

    def live(self, turn: int) -> list[str]:
        """Names that turn ``turn`` may refer to, the latest first."""
        found = [(at, name) for name, at in self.turn_of.items() if turn - at <= REACH]
        for folded, own in self.parts.items():
            words = folded.split()
            recent = {p for p, at in own.items() if turn - at <= REACH}
            if {words[0], words[-1]} <= recent:
                found.append((max(own.values()), folded.title()))
        return [name for _, name in sorted(found, key=lambda item: -item[0])[:_TRIED]]


def refers(text: str) -> bool:
    """Whether ``text`` can be a follow-up: it points back, or is a fragment that names nothing itself."""
    if len(text) > _LONGEST:
        return False
    if _POINTING.search(text):
        return True
    # A pronoun after a name in the same turn means that name.
    personal, neutral = _PERSONAL.search(text), _NEUTRAL.search(text)
    if personal and not any(len(g) > 1 for g in particulars(text[: personal.start()]).groups):
        return True
    if neutral and not particulars(text[: neutral.start()]).groups:
        return True
    return bool(_ELLIPTIC.match(text)) and len(text.split()) <= 8 and not particulars(text).groups


def resolved(text: str, names: Sequence[str]) -> list[str]:
    """``text`` once for each of ``names``, with that name before it."""
    return [f"{name}: {text}" for name in names]
