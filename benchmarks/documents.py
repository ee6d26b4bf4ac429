"""How much of TOFU's answers is left when each author's are one document that is split into facts by rules.

Usage: python -m benchmarks.documents --tofu FOLDER [--split forget05]

The answers of an author's twenty questions are put together to one text. A value that an answer gives (a name, a title,
a number, a date: what ``guard.output.values`` protects of an entry made of the question and the answer) is kept where
an entry made of one of the facts says it too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from benchmarks.data.tofu import Question, load
from classifiers.names import derive_names
from classifiers.normalise import fold_words
from guard.documents import facts
from guard.model import Entry
from guard.output.values import values_of

_OF_AUTHOR = 20  # questions


@dataclass(frozen=True, slots=True)
class Kept:
    """``whole``: answers all of whose values are kept; ``right``: facts that are said of the author."""

    answers: int
    whole: int
    values: int
    kept: int
    facts: int
    right: int

    def __add__(self, other: Kept) -> Kept:
        return Kept(*(getattr(self, name) + getattr(other, name) for name in Kept.__slots__))


def kept(author: str, asked: Sequence[Question]) -> Kept:
    """What one author's document keeps."""
    found = facts(" ".join(q.answer for q in asked))
    said = "\n".join(fold_words(" ".join((fact.text, *fact.values))) for fact in found)
    values = [values_of(Entry("", "", subject=author, question=q.question, answer=q.answer)) for q in asked]
    there = [[fold_words(value) in said for value in own] for own in values if own]
    right = sum(fact.subject == author for fact in found)
    return Kept(len(there), sum(map(all, there)), sum(map(len, there)), sum(map(sum, there)), len(found), right)


def main(
    tofu: Annotated[str, typer.Option(help="Folder with TOFU's files.")],
    split: Annotated[str, typer.Option(help="forget01, forget05 or forget10.")] = "forget05",
) -> None:
    """Print what is kept."""
    asked = load(tofu, split)
    names = derive_names([(q.question, q.answer) for q in asked])
    total = Kept(0, 0, 0, 0, 0, 0)
    for at in range(0, len(asked), _OF_AUTHOR):
        author = Counter(filter(None, names[at : at + _OF_AUTHOR])).most_common(1)[0][0]
        total += kept(author, asked[at : at + _OF_AUTHOR])
    typer.echo(
        f"{split}: {total.facts} facts, {total.right} of them said of the author; {total.kept} of {total.values} values"
        f" kept, all values of {total.whole} of {total.answers} answers that have any"
    )


if __name__ == "__main__":
    typer.run(main)
