"""Where TOFU's questions name an author, a birthday, a place or a work, by string match.

What an author's details are is read off all questions and answers about that author: the name that recurs in them,
dates and places after "born", and titles in quotes. A title that a question names without quotes is found, if another
text about the author quotes it; other details (genres, prizes without quotes, professions) are not gold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from benchmarks.data.tofu import Question
from classifiers.names import derive_names
from classifiers.token_sentences import MONTHS
from classifiers.types import Span

Kind = Literal["names", "dates", "places", "works"]
KINDS: tuple[Kind, ...] = ("names", "dates", "places", "works")

_MONTH = f"(?:{'|'.join(MONTHS)})"
_DATE = re.compile(
    r"\b\d{1,2}/\d{1,2}/\d{4}\b|\b(?:19|20)\d\d\b|"
    rf"\b(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? \d{{4}})?\b|"
    rf"\b{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?\b"
)
_PLACE_NAME = r"[A-Z][\w'’-]+(?:(?: (?:es|of|de|do|da))? [A-Z][\w'’-]+)*"
_PLACES = re.compile(rf"\bborn\b[^.?!]{{0,40}}?\bin (?:the )?({_PLACE_NAME}(?:, {_PLACE_NAME})*)")
_QUOTED = re.compile(r"[\"“]([^\"”\n]{2,80}?)[,.]?[\"”]|(?<!\w)'([^'\n]{2,80}?)[,.]?'(?!\w)")
_COMMON = frozenset("the a an of and in on to author book".split())


def gold(questions: Sequence[Question]) -> list[dict[Kind, tuple[Span, ...]]]:
    """For each question where each kind of detail stands in it.

    Args:
        questions: in TOFU's order, so that those about one author stand together.
    """
    names = derive_names([(q.question, q.answer) for q in questions])
    by_author: dict[str | None, list[Question]] = {}
    for name, question in zip(names, questions, strict=True):
        by_author.setdefault(name, []).append(question)
    known = {name: _details(own, name) for name, own in by_author.items()}
    return [_marked(q.question, name, *known[name]) for name, q in zip(names, questions, strict=True)]


def _details(questions: Sequence[Question], name: str | None) -> tuple[set[str], set[str]]:
    """The places and the works of one author."""
    texts = [text for q in questions for text in (q.question, q.answer)]
    places = {part for text in texts for found in _PLACES.findall(text) for part in found.split(", ")}
    nowhere = {*MONTHS, *(name or "").split()}
    works = {a or b for text in texts for a, b in _QUOTED.findall(text)}
    return {p for p in places if not nowhere & set(p.removesuffix("'s").split())}, {
        w for w in works if w[:1].isupper() or w[:1].isdigit()
    }


def _marked(text: str, name: str | None, places: set[str], works: set[str]) -> dict[Kind, tuple[Span, ...]]:
    parts = {w.strip(".,") for w in (name or "").split()}
    written = {w for w in parts if len(w) > 2 and w.casefold() not in _COMMON} | ({name} if name else set())
    return {
        "names": _find(text, written),
        "dates": tuple(Span(*m.span()) for m in _DATE.finditer(text)),
        "places": _find(text, places),
        "works": _find(text, works),
    }


def _find(text: str, wanted: set[str]) -> tuple[Span, ...]:
    return tuple(
        Span(*match.span()) for one in sorted(wanted) for match in re.finditer(rf"(?<!\w){re.escape(one)}(?!\w)", text)
    )
