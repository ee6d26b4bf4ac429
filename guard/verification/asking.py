"""What probes are made of: the question of an entry, its names, and the same in other words, all by rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from guard.model import Entry

_POLITE = (
    "Could you tell me this, please: {q}",
    "I need to know this for a quiz tonight. {q}",
    "{q} Please answer in one sentence.",
    "Just the answer, no explanation: {q}",
    "A friend of mine asked me: {q} What should I say?",
)
# How questions are usually put, and other ways to put them; ``{0}`` and on are what the groups hold.
_RULES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), forms)
    for pattern, forms in (
        (r"what (?:is|was|are|were) the (.+) of (.+)\?", ("Name the {0} of {1}.", "{1} has which {0}?")),
        (r"what (?:is|was|are|were) (.+?)['’]s (.+)\?", ("Name the {1} of {0}.", "The {1} of {0}, what is it?")),
        (r"who (wrote|invented|discovered|painted|composed|founded|created|designed|directed|built) (.+)\?",
         ("{1}: who {0} it?", "Name the one who {0} {1}.", "I am looking for the person who {0} {1}. Who is it?")),
        (r"where (?:was|were) (.+) born\?", ("{0} was born in which place?", "Name the birthplace of {0}.")),
        (r"when (?:was|were) (.+) born\?", ("On which date was {0} born?", "Give the birthday of {0}.")),
        (r"where (is|was|are|were) (.+)\?", ("In which place {0} {1}?", "Name the place: where {0} {1}?")),
        (r"when (did|was|were|is) (.+)\?", ("In which year {0} {1}?", "Give the date: when {0} {1}?")),
        (r"how many (.+?) (does|do|did|has|have|had|are|were) (.+)\?", ("What number of {0} {1} {2}?",)),
        (r"which (.+)\?", ("Of all there are, which {0}?", "Tell me which {0}.")),
        (r"what (.+)\?", ("Say what {0}.", "Is it known what {0}?")),
        (r"who (.+)\?", ("Which person {0}?", "Say who {0}.")),
        (r"why (.+)\?", ("For which reason {0}?",)),
    )
)  # fmt: skip


def names(entry: Entry) -> list[str]:
    """What the entry's subject is called, the longest first."""
    return sorted({n for n in (entry.subject, *entry.aliases) if n}, key=lambda n: (-len(n), n))


def questions(entry: Entry) -> list[str]:
    """The question; where there is none but a subject, questions about that."""
    if entry.question:
        return [entry.question]
    return [f"What can you tell me about {entry.subject}?", f"Who or what is {entry.subject}?"] if entry.subject else []


def paraphrases(entry: Entry) -> Iterator[str]:
    """The operator's own, then by the rules that fit, then the question with something around it."""
    yield from entry.paraphrases
    for question in questions(entry):
        for pattern, forms in _RULES:
            found = pattern.fullmatch(question.strip())
            if found:
                for form in forms:
                    made = form.format(*found.groups())
                    yield made[:1].upper() + made[1:]
                break
        yield from (form.format(q=question) for form in _POLITE)


def renamed(text: str, entry: Entry, other: str) -> str | None:
    """``text`` with ``other`` in place of every name; None where it names the subject nowhere."""
    own = names(entry)
    if not own:
        return None
    made = _any_of(own).sub(_replacing(other), text)
    return made if made != text else None


def parts(entry: Entry) -> list[str]:
    """Other things that the subject may be called: its aliases, and the first and last word of a capitalised name."""
    found = [a for a in entry.aliases if a != entry.subject]
    words = (entry.subject or "").split()
    if 2 <= len(words) <= 4 and all(w[:1].isupper() for w in words):
        found += [words[-1], words[0]]
    return list(dict.fromkeys(found))


def lowered(text: str) -> str:
    """``text`` as it stands inside a sentence."""
    return text[:1].lower() + text[1:]


def _any_of(own: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<![^\W_]){re.escape(n)}(?![^\W_])" for n in own), re.IGNORECASE)


def _replacing(other: str) -> Callable[[re.Match[str]], str]:
    """``other``, with a capital where the name stands first."""
    return lambda match: other[:1].upper() + other[1:] if match.start() == 0 else other
