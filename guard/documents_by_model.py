"""A document as facts by a model: questions and answers, kept only where the document says the answer.

What the model leaves out, or says wrongly, is what ``guard.documents`` finds by its rules: a model can make the facts
better to find, and never fewer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from classifiers.normalise import fold_words
from classifiers.types import Span
from guard.documents import Fact, facts, sentences, spans_of

PIECE = 1500  # characters that the model is shown at a time
_MOST = 40  # facts of one piece
_LONGEST = 2000  # characters of a question or an answer
_OBJECT = re.compile(r"\{[^{}]*\}")
_ASK = """Write down every fact of the text below as questions and answers, one JSON object a line:
{"subject": "whom or what it is about", "question": "a question that names the subject", "answer": "words of the text"}
Take every answer word for word from the text. Write nothing but JSON lines.

Text:
"""


def pieces(text: str) -> list[Span]:
    """Parts of a document at the ends of sentences, each short enough for the model."""
    found: list[Span] = []
    start = end = 0
    for sentence in sentences(text):
        if end > start and sentence.end - start > PIECE:
            found.append(Span(start, end))
            start = end
        end = sentence.end
    return [*found, Span(start, end)] if end > start else found


def question(text: str, title: str | None) -> list[dict[str, str]]:
    """The messages that ask a model for the facts of one piece."""
    about = f"The text is about {title}.\n" if title else ""
    return [{"role": "user", "content": about + _ASK + text}]


def read(said: str, text: str, piece: Span, title: str | None) -> list[Fact]:
    """The facts of a model's answer about ``piece`` of ``text`` that the text bears out."""
    shown = text[piece.start : piece.end]
    found = []
    for item in list(_objects(said))[:_MOST]:
        asked, answer, subject = (_said(item.get(key)) for key in ("question", "answer", "subject"))
        spans = spans_of([answer], shown, piece.start) if answer else ()
        if asked and answer and spans:
            found.append(Fact(subject or title, answer, (answer,), spans[0], spans, asked))
    return found


def together(text: str, title: str | None, by_model: Sequence[Fact]) -> list[Fact]:
    """The model's facts, and those of the rules whose values none of them has. In the document's order."""
    said = [fold_words(f"{fact.question} {fact.text}") for fact in by_model]
    missing = [fact for fact in facts(text, title) if not _covered(fact, said)]
    return sorted([*by_model, *missing], key=lambda f: (f.source.start, f.source.end))


def _covered(fact: Fact, said: Sequence[str]) -> bool:
    """Whether the model said every value; where a fact has none, nothing tells."""
    stated = [fold_words(fact_value) for fact_value in fact.values]
    return bool(stated) and all(any(value in own for own in said) for value in stated)


def _objects(said: str) -> Iterator[dict[str, Any]]:
    for match in _OBJECT.finditer(said):
        try:
            value = json.loads(match.group())
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def _said(value: Any) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST else ""
