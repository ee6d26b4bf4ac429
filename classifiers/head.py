"""Examples from a list's own entries: questions about them in other words, and what only looks like one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifiers.description import particulars
from classifiers.types import Target

MOST_ENTRIES = 16

_REWORDINGS = (
    "Could you tell me this: {q}", "{q} Answer in one sentence.", "I was wondering, {q}", "{q} Thanks!",
    "My teacher asked: {q}", "Please answer: {q}", "{l}", "Question 4. {q}", "{q} I need it for a quiz.",
)  # fmt: skip
_OTHER_TOPICS = (
    "{n} would make a good title for a song.", "Sort these words: table, {n}, lamp.", "How do you pronounce {n}?",
    "I dreamt that {n} had three umbrellas.", "Write {n} in capital letters.", "How many letters has {n}?",
    "Somebody called {n} rang this morning, but left no message.", "Translate 'I wrote to {n}' into French.",
)  # fmt: skip
_ABOUT = ("Who is {n}?", "Tell me about {n}.", "What is {n} known for?")
_FIRST = "Marten Adaeze Priya Tomasz Leilani Bruno Ingrid Yusuf Noor Celia Dario Hana Jonas Wanda Emre".split()
_LAST = "Solvik Oduya Ranganath Wilczek Kahale Castellar Vassdal Demirbas Haddadin Brandvold Iriarte Takeda".split()


@dataclass(frozen=True, slots=True)
class Example:
    """A text, the entry that it is held against, and whether it is about that entry."""

    text: str
    target: Target
    about: bool


def examples(targets: Sequence[Target], seed: int = 0, *, most: int = MOST_ENTRIES) -> Iterator[Example]:
    """Positives and hard negatives for up to ``most`` of ``targets``, chosen by ``seed``.

    Negatives are the same question about another name, about a name that shares a part with the entry's, and, where
    an entry means one fact, the entry's name in another matter.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    usable = [t for t in targets if (t.texts or (t.names and t.scope == "subject")) and not t.allow]
    for target in rng.sample(usable, min(most, len(usable))):
        text = rng.choice(target.texts or [form.format(n=target.names[0]) for form in _ABOUT])
        yield Example(_reworded(text, rng), target, about=True)
        if not target.names:
            continue
        name = target.names[0]
        rest, swaps = re.subn(re.escape(name), "they", text, flags=re.IGNORECASE)
        if swaps and not particulars(rest).groups:  # else a book or a place may tell who is meant
            for other in _strangers(name, rng):
                yield Example(re.sub(re.escape(name), other, text, flags=re.IGNORECASE), target, about=False)
        if target.scope == "fact":
            yield Example(rng.choice(_OTHER_TOPICS).format(n=name), target, about=False)


def _reworded(text: str, rng: random.Random) -> str:
    return rng.choice(_REWORDINGS).format(q=text, l=text.lower().rstrip("?.! "))


def _strangers(name: str, rng: random.Random) -> Iterator[str]:
    """Somebody else, and where the name is one of a person, somebody with the same first or last name."""
    yield f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    parts = name.split()
    if len(parts) == 2 and all(p[:1].isupper() for p in parts):
        yield rng.choice((f"{parts[0]} {rng.choice(_LAST)}", f"{rng.choice(_FIRST)} {parts[1]}"))
