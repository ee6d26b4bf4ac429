"""Whether answers are language at all. What is read off a subject has no second model's perplexity, so by their form.

Repetition (seq-rep-4, Welleck et al., 2020, arXiv 1908.04319): the share of runs of four words that came before in the
same answer. Word-likeness: the share of an answer's words whose every pair of neighbouring letters, edges counted, is
in a word of the data set or of the target's and the retained model's answers; numbers are words, signs that
stand alone are none.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from benchmarks.metrics.metric import Measured, Metric, Undefined, mean
from benchmarks.metrics.reading import Readings, Subjects
from benchmarks.metrics.whole import whole
from guard.text_metrics import words

_RUN = 4


def repeated(text: str) -> float:
    """The share of runs of four words that are not new; 0 where there is none."""
    said = words(text)
    runs = [tuple(said[at : at + _RUN]) for at in range(len(said) - _RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def like(text: str, known: frozenset[tuple[str, str]]) -> float:
    """The share of words made of ``known`` pairs of letters; 0 where nothing is said."""
    pieces = words(text) + [piece for piece in text.split() if not words(piece)]
    return sum(_pairs(piece) <= known for piece in pieces) / len(pieces) if pieces else 0.0


def repetition(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean share of repeated runs over the set ``of``."""
    found = whole(subjects.own, of, lambda reading: reading.text, "answer in words")
    return found if isinstance(found, Undefined) else mean(list(map(repeated, found)))


def word_likeness(subjects: Subjects, of: str) -> Measured | Undefined:
    """The mean share of word-like words over the set ``of``."""
    found = whole(subjects.own, of, lambda reading: reading.text, "answer in words")
    if isinstance(found, Undefined):
        return found
    known = pairs_of(subjects)
    return mean([like(text, known) for text in found])


def pairs_of(subjects: Subjects, more: Iterable[str] = ()) -> frozenset[tuple[str, str]]:
    """Pairs of letters in the data set, in the target's and the retained model's answers, and in ``more`` texts."""
    texts = [*_texts(subjects.own, said=False), *_texts(subjects.target), *_texts(subjects.retained), *more]
    return frozenset().union(*(_pairs(word) for word in {word for text in texts for word in words(text)}))


def _texts(readings: Readings, *, said: bool = True) -> Iterable[str]:
    for reading in (reading for found in readings.values() for reading in found):
        yield reading.item.question
        yield reading.item.answer
        if said and reading.text is not None:
            yield reading.text


def _pairs(word: str) -> frozenset[tuple[str, str]]:
    letters = "".join(sign for sign in word if not sign.isdigit())
    return frozenset(pairwise(f" {letters} ")) if letters else frozenset()


REPETITION = Metric("repetition forget", "Welleck et al., 2020, arXiv 1908.04319", "low", "fluency",
                    partial(repetition, of="forget"))  # fmt: skip
REPETITION_RETAIN = Metric("repetition retain", "Welleck et al., 2020, arXiv 1908.04319", "low", "fluency",
                           partial(repetition, of="retain"))  # fmt: skip
WORD_LIKENESS = Metric("word-likeness forget", "this project", "high", "fluency",
                       partial(word_likeness, of="forget"))  # fmt: skip
