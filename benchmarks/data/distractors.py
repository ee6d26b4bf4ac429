"""Other answers than the right one, in its form: options of a question that came without, values to corrupt a fact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from benchmarks.data.corpus import Item

_WHO = "\0"  # stands for the subject in a form


def others(item: Item, pool: Iterable[Item], count: int) -> tuple[str, ...]:
    """``count`` false answers in the form of ``item.answer``; none where there are not so many.

    From its own options, else from questions of the ``pool`` that differ in their subject alone.
    """
    own = [option for option in item.options if option != item.answer]
    alike = own if len(own) >= count else [*own, *_alike(item, pool)]
    found = [answer for answer in dict.fromkeys(alike) if answer != item.answer]
    return tuple(found[:count]) if len(found) >= count else ()


def as_choice(item: Item, pool: Sequence[Item], count: int = 3) -> Item | None:
    """The question with ``count`` options, the right one first; None where there are not so many.

    In the form of the answer, else in that of the reworded answer, which false ones come with.
    """
    right, wrong = item.answer, others(item, pool, count - 1)
    if not wrong and item.reworded is not None and len(item.wrong) >= count - 1:
        right, wrong = item.reworded, item.wrong[: count - 1]
    if not wrong or item.plain:
        return None
    return replace(item, answer=right, options=(right, *wrong), paraphrase=None, reworded=None, wrong=())


def _alike(item: Item, pool: Iterable[Item]) -> list[str]:
    """Answers to the same question about others, told of this subject."""
    form = _form(item.question, item.subject)
    if not item.subject or form == item.question:
        return []
    alike = (one for one in pool if one.subject != item.subject and _form(one.question, one.subject) == form)
    return [_form(one.answer, one.subject).replace(_WHO, item.subject) for one in alike]


def _form(text: str, subject: str) -> str:
    return text.replace(subject, _WHO) if subject else text
