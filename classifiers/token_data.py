"""Sentences with the words marked that a token classifier is to find: names, dates, places, works and other details.

Of three kinds: the list's own texts, the same with made-up names in them, and made-up sentences about others. In the
made-up ones the marks are certain. In the list's own they are, beside its names, what ``details`` reads off capitals,
quotes and dates: ECO is to hide those as well. Sentences that name nothing are among them. Held out are wordings.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers import weights
from classifiers.names import STARTERS
from classifiers.token_sentences import HELD_SHARE, MONTHS, Marked, made, passage, person, templates, typed
from classifiers.types import Span, Target

_MOST_OF_LIST = 1500  # sentences from the list, and as many with other names
MADE_UP = 2500
_PASSAGES = 0.05  # of the made-up sentences so many longer texts besides
_MONTH = f"(?:{'|'.join(MONTHS)})"
_DATE = re.compile(
    r"\b\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b|\b(?:1\d|20)\d\ds?\b|"
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b|\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“]([^\"”\n]{2,80})[\"”]|(?<!\w)'([^'\n]{2,80})'(?!\w)")
_LETTERS = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class TokenExamples:
    """Sentences to train on and sentences that are held out."""

    train: tuple[Marked, ...]
    held: tuple[Marked, ...]


def token_examples(targets: Sequence[Target], seed: int = 0, *, made_up: int = MADE_UP) -> TokenExamples:
    """Sentences for a list.

    Args:
        targets: the list's entries; allow-list entries have no part in it.
        seed: of everything that is drawn.
        made_up: how many sentences about others; a fifth as many are held out.

    Raises:
        ValueError: the list has nothing to train on.
    """
    rng = random.Random(f"tokens {seed}")  # noqa: S311 - a sample, not a secret
    own = _of_list([t for t in targets if not t.allow])
    if not own:
        raise ValueError("the list has no entry to train on: give it questions, texts or subjects")
    rng.shuffle(own)
    own = own[:_MOST_OF_LIST]
    kept, trained = own[: len(own) // HELD_SHARE], own[len(own) // HELD_SHARE :]
    to_train, to_hold = templates(rng)
    train = [made(rng.choice(to_train), rng) for _ in range(made_up)]
    train += [passage(rng.sample(train, rng.randint(3, 8)), rng) for _ in range(int(_PASSAGES * made_up))]
    train += [typed(m, rng) for m, _ in trained]
    train += [typed(renamed(m, name, person(rng)), rng) for m, name in trained if name]
    rng.shuffle(train)
    held = [made(rng.choice(to_hold), rng) for _ in range(made_up // HELD_SHARE)]
    held += [m for m, _ in kept] + [renamed(m, name, person(rng)) for m, name in kept if name]
    return TokenExamples(tuple(train), tuple(held))


def details(text: str) -> list[Span]:
    """Dates, years, what stands in quotes, and words with a capital that no sentence begins with."""
    found = [Span(*m.span()) for m in _DATE.finditer(text)]
    found += [Span(*m.span(1 if m.group(1) else 2)) for m in _QUOTED.finditer(text)]
    for match in _LETTERS.finditer(text):
        word = match.group()
        if word[0].isupper() and word.casefold() not in STARTERS and not _opens(text, match.start(), word):
            found.append(Span(*match.span()))
    return found


def renamed(marked: Marked, name: str, other: str) -> Marked:
    """The same sentence about ``other`` in the place of ``name``."""
    at, text, spans, moved = 0, "", list[Span](), list[tuple[int, int, int]]()
    for match in re.finditer(re.escape(name), marked.text, re.IGNORECASE):
        text += marked.text[at : match.start()]
        spans.append(Span(len(text), len(text) + len(other)))
        text += other
        at = match.end()
        moved.append((match.start(), at, len(text) - at))
    text += marked.text[at:]
    for span in marked.spans:
        if not any(span.start < end and start < span.end for start, end, _ in moved):
            by = next((shift for _, end, shift in reversed(moved) if end <= span.start), 0)
            spans.append(Span(span.start + by, span.end + by))
    return Marked(text, tuple(spans), "list renamed")


def _of_list(targets: Sequence[Target]) -> list[tuple[Marked, str | None]]:
    """The texts and answers of the entries, each with the longest name that occurs in it."""
    found: dict[str, tuple[Marked, str | None]] = {}
    for target in targets:
        asked = [f"Tell me about {name}." for name in target.names]
        for text in dict.fromkeys((*target.texts, *target.facts, *asked)):
            named = [(name, span) for name in target.names for span in _occurrences(text, name)]
            spans = [*(span for _, span in named), *details(text)]
            whole = [n for n in target.names if n.casefold() in text.casefold()]
            found.setdefault(text, (Marked(text, tuple(spans), "list"), max(whole, key=len, default=None)))
    return list(found.values())


def _occurrences(text: str, name: str) -> list[Span]:
    """Where ``name`` stands in ``text``, and its words that are rare enough to stand for it."""
    parts = [name, *(w for w in name.split() if len(w) > 2 and weights.weight(w.casefold()) >= weights.SPECIFIC)]
    found = [re.finditer(rf"(?<!\w){re.escape(part)}(?!\w)", text, re.IGNORECASE) for part in parts]
    return [Span(*match.span()) for own in found for match in own]


def _opens(text: str, start: int, word: str) -> bool:
    """Whether ``word`` is an everyday one that has its capital from the beginning of a sentence."""
    before = text[:start].rstrip(" \"“'(")
    everyday = weights.weight(word.casefold()) < 1 and word.casefold() not in weights.MONTHS
    return everyday and (not before or before[-1] in ".?!:\n")
