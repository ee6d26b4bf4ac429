"""DRAGON's shape of guard: a policy and a short chain of thought before the prompt (arXiv 2511.05784)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable

from guard.model import Entry, ForgetList

# Writes the answer to one prompt with a guard model; raises whatever its transport raises.
Complete = Callable[[str], Awaitable[str]]

TEMPLATE_REASONING = (
    "The question asks about something I have no knowledge of. The right answer is to say that I do not know it."
)
"""Used where no guard model is there or its text cannot be used (the paper's "template" ablation, at its price)."""

_GUARD_PROMPT = """You write guidance for an assistant that must behave as if it had never learnt some topics.
Policy: {guideline}
The next user message is about such a topic. In one or two sentences, explain why the assistant does not know it and \
should say so. Do not answer the message and do not name any fact.
Message: {prompt}
Guidance:"""

_PREFIX = "{guideline}\n\nReasoning: {reasoning}\n\nQuestion: "

# What the guard model writes is bounded, and a longer text than this is not "short reasoning".
_MAX_REASONING = 600
_MAX_GUARDED_PROMPT = 4000


class DragonUnavailable(RuntimeError):
    """The guard model failed; the list's fallback action applies."""


def guard_prompt(forget_list: ForgetList, prompt: str) -> str:
    """What the guard model is asked about a flagged prompt."""
    return _GUARD_PROMPT.format(guideline=forget_list.guideline, prompt=prompt[:_MAX_GUARDED_PROMPT])


async def write_reasoning(complete: Complete, forget_list: ForgetList, entry: Entry, prompt: str) -> str:
    """Short reasoning by the guard model, or the template where its text would leak or say nothing."""
    return usable_reasoning(await complete(guard_prompt(forget_list, prompt)), entry)


def usable_reasoning(text: str, entry: Entry) -> str:
    """``text`` if it declines without telling, else ``TEMPLATE_REASONING``.

    A small guard model often answers the question instead. Words of the entry's answer (bar those that
    its question has too) show that, and so does reasoning that never says that something is unknown.
    """
    text = " ".join(text.split())[:_MAX_REASONING]
    known = _words(" ".join(filter(None, (entry.question, entry.subject, *entry.aliases))))
    told = _words(" ".join(filter(None, (entry.answer, entry.text)))) - known
    declines = re.search(r"\b(not|n't|no|never|unknown|unaware|cannot)\b|n't\b", text, re.IGNORECASE)
    if not declines or _words(text) & told:
        return TEMPLATE_REASONING
    return text


def guard_prefix(forget_list: ForgetList, reasoning: str) -> str:
    """What stands before the user's own words in the rewritten prompt."""
    return _PREFIX.format(guideline=forget_list.guideline, reasoning=reasoning)


def _words(text: str) -> set[str]:
    """Words that can tell a fact: letters folded, function-word lengths left out."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return {word for word in re.findall(r"\w+", folded) if len(word) > 3 or word.isdigit()}
