"""Questions spread over turns: a follow-up is judged with the names that it may refer to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from classifiers.description import particulars
from classifiers.names import candidates
from classifiers.normalise import fold_words
from classifiers.types import Span
from classifiers.windows import literal

# How many turns back a name can be meant, and how many may be tried for one follow-up.
REACH = 6
_TRIED = 4
_DECAY = 0.95  # what a score keeps for each turn more that has gone by
_ANSWER = 12  # words of a turn that may be the name asked for
_QUESTIONS = 3  # earlier questions that it may belong to
_LONGEST = 2000  # characters of a follow-up; of whatever is longer, sentences that point back
_POINTED = 4  # of them
_PART_OF_NAME = re.compile(r"\b(?:first|last|given|family)[\s_-]?name\b|\bsurname\b", re.IGNORECASE)
_TOGETHER = re.compile(
    r"\b(?:join|concatenate|combine|put|add|glue|merge|append)\b.{0,40}\b(?:and|together|with|them)\b|[A-Z]\s*\+\s*[A-Z]\b",
    re.IGNORECASE,
)

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
_EXPLETIVE = re.compile(
    r"\bit\b(?:['’]s)?\s+(?:mean|take|matter|hurt|rain\w*|snow\w*|true|possible|ok|okay|normal|safe|legal|worth|better|"
    r"best|good|bad|necessary|too|that)\b",
    re.IGNORECASE,
)
_SOMEONE = re.compile(
    r"\b(?:this|that|the|said|same)\s+(?:person|individual|man|woman|author|writer|novelist|poet|artist|figure)\b",
    re.IGNORECASE,
)
_MEANT = re.compile(
    _SOMEONE.pattern + r"|\b(?P<whose>his|their|theirs|her(?=\s+[a-z])|its)\b|\b(?:he|she|they|him|them|her)\b",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"\b(?:try|ask|answer|say|repeat)\s+(?:it\s+|that\s+|me\s+|the\s+question\s+)?again\b|\banswer\s+(?:the|my|that)\s+"
    r"(?:last\s+|first\s+)?question\b|\b(?:go on|continue|carry on|keep going|repeat (?:that|your answer))\b",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(
    r"\b(?:someone|somebody|(?:a|an|some)\s+(?:certain\s+|particular\s+|specific\s+)?(?:person|man|woman|author|writer|"
    r"individual|place|company|thing)|(?:this|that|the)\s+(?:person|man|woman|author|writer|individual)|he|she|they|it)\b",
    re.IGNORECASE,
)
_ELLIPTIC = re.compile(r"^\W*(?:and|also|what about|how about|or|then|but|y|et|und|e)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What names a turn mentions. ``quoted``: some are known only as they are written there."""

    names: Mapping[str, str] = field(default_factory=dict)  # whole ones, folded to written
    parts: Mapping[str, Collection[str]] = field(default_factory=dict)  # of others, by the folded whole
    quoted: bool = False


@dataclass(slots=True)
class Mentions:
    """What names a conversation has brought up so far, as they are to be written."""

    turn_of: dict[str, int] = field(default_factory=dict)  # name -> last turn
    parts: dict[str, dict[str, int]] = field(default_factory=dict)  # folded name -> part -> last turn

    def note(self, turn: int, mentioned: Mentioned) -> None:
        """Take in a turn."""
        for folded, written in mentioned.names.items():
            self.turn_of[written] = turn
            self.parts.pop(folded, None)
        for folded, seen in mentioned.parts.items():
            own = self.parts.setdefault(folded, {})
            own.update(dict.fromkeys(seen, turn))

    def latest(self, turn: int) -> list[int]:
        """The last turn before ``turn`` that named somebody, if it is near enough."""
        before = [at for at in self.turn_of.values() if at < turn and turn - at <= REACH]
        return [max(before)] if before else []

    def said(self, turn: int) -> list[str]:
        """Full names in turn ``turn``."""
        return [name for name, at in self.turn_of.items() if at == turn]

    def parts_said(self, turn: int) -> list[tuple[str, int]]:
        """Names of earlier turns of which turn ``turn`` has a part, and how many turns ago they were named."""
        written = {fold_words(name): (name, turn - at) for name, at in self.turn_of.items() if turn - at <= REACH}
        return [written[f] for f, own in self.parts.items() if f in written and turn in own.values()]

    def live(self, turn: int) -> list[tuple[str, int]]:
        """Names that turn ``turn`` may refer to, the latest first, and how many turns ago they were named."""
        found = [(at, name) for name, at in self.turn_of.items() if turn - at <= REACH]
        for folded, own in self.parts.items():
            words = folded.split()
            recent = {p for p, at in own.items() if turn - at <= REACH}
            if {words[0], words[-1]} <= recent:
                found.append((max(own.values()), folded.title()))
        return [(name, turn - at) for at, name in sorted(found, key=lambda item: -item[0])[:_TRIED]]


def in_context(turns: Sequence[str], at: int, mentions: Mentions) -> list[tuple[str, int]]:
    """Turn ``at`` written out with what it takes from earlier turns, and from how many turns ago it takes it.

    Nothing where it stands for itself.
    """
    text = turns[at] if len(turns[at]) <= _LONGEST else _about_someone(turns[at])
    if not text:
        return []
    if _AGAIN.search(text):
        return [(turns[j], at - j) for j in mentions.latest(at)]
    named = mentions.live(at) if refers(text) else mentions.parts_said(at)
    out = [(f"{name}: {text}", ago) for name, ago in named]
    out += [(spoken, ago) for name, ago in named if (spoken := in_words(text, name)) != text]
    if _TOGETHER.search(text) or _PART_OF_NAME.search(text):  # "Join A and B": what they are was said before
        out.append(("\n".join(turns[max(0, at - REACH) : at + 1])[-_LONGEST:], 1))
    said = mentions.said(at)
    if said and len(text.split()) <= _ANSWER:  # "Zorvan Pelk, I mean.", after a question about somebody
        before = range(at - 1, max(0, at - REACH) - 1, -1)
        asked = [j for j in before if len(turns[j]) <= _LONGEST and _asks(turns[j])]
        out += [(_about(turns[j], name), at - j) for j in asked[:_QUESTIONS] for name in said]
    return out


def in_words(text: str, name: str) -> str:
    """``text`` with ``name`` for whatever points back to somebody."""
    return _MEANT.sub(lambda m: f"{name}'s" if m["whose"] else name, text)


def pointing(text: str) -> list[Span]:
    """Where ``text`` speaks of somebody as of a person named elsewhere, in the first few such places."""
    return [Span(*match.span()) for match in islice(_SOMEONE.finditer(text), _POINTED)]


def _about_someone(text: str) -> str:
    """The sentences of a long text that speak of "this person"; of its pronouns most mean somebody named in it."""
    return "\n".join(dict.fromkeys(text[s.start : s.end] for s in (literal(text, place) for place in pointing(text))))


def weakened(score: float, ago: int) -> float:
    """A score that rests on what was said so many turns ago."""
    return score * _DECAY ** max(0, ago - 1)


def _asks(text: str) -> bool:
    return len(text.split()) > 2 and bool("?" in text or _SOMEBODY.search(text))


def _about(question: str, name: str) -> str:
    """``question`` with ``name`` for whom it is about."""
    others = candidates(question)
    if others:
        return question.replace(max(others, key=len), name)
    swapped, count = _SOMEBODY.subn(lambda _: name, question, count=1)
    return swapped if count else f"{name}: {question}"


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
    if neutral and not _EXPLETIVE.search(text) and not particulars(text[: neutral.start()]).groups:
        return True
    return bool(_ELLIPTIC.match(text)) and len(text.split()) <= 8 and not particulars(text).groups
