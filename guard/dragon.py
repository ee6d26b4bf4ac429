"""DRAGON: a policy and a short chain of thought around the prompt (arXiv 2511.05784).

The paper rewrites a flagged prompt as policy, chain of thought, question. Here a reminder follows the question too, so
that whatever the user writes does not have the last word. For private people the paper guards twice: beside the policy
the model gets the record of a made-up author to answer from; here that is for entries about a whole subject.
"""

from __future__ import annotations

from guard.effects import Ask, Prefix, Tools
from guard.reasoning import DragonUnavailable
from guard.reasoning_check import TEMPLATE_REASONING
from guard.synthetic import Record, record
from guard.templates import Values, render

__all__ = ["TEMPLATE_REASONING", "DragonUnavailable", "guard", "guard_text"]


async def guard(ask: Ask, tools: Tools) -> Prefix:
    """The text around one flagged prompt; with the template's reasoning where there is no guard model.

    Raises:
        DragonUnavailable: the guard model failed, or the list's template cannot be rendered.
    """
    reasoning = TEMPLATE_REASONING if tools.reason is None else await tools.reason(ask)
    return guard_text(ask, reasoning)


def guard_text(ask: Ask, reasoning: str) -> Prefix:
    """The entry's or else the list's template with the list's policy and ``reasoning``; always the same for the same.

    Raises:
        DragonUnavailable: the template cannot be rendered.
    """
    own = ask.forget_list
    values = Values(own.guideline, reasoning, own.name, own.description, _record(ask))
    try:
        return render(ask.entry.template or own.template, values)
    except ValueError as error:
        raise DragonUnavailable(str(error)) from error


def _record(ask: Ask) -> Record | None:
    """A made-up author for an entry about a whole subject, with nothing of the entry in it."""
    entry = ask.entry
    if entry.scope != "subject":
        return None
    told = filter(None, (entry.subject, *entry.aliases, entry.question, entry.answer, entry.text))
    try:
        return record(f"{ask.forget_list.name}\0{ask.prompt}", avoid=list(told))
    except ValueError:  # an entry of so many words that no record is without them: the policy alone is left
        return None
