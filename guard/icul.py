"""ICUL: the forget instance with a wrong answer, then right retain instances, before the prompt (arXiv 2310.07579).

The paper flips the label of the forgotten example and puts it first, then s correct examples (its contexts hold 2, 4
or 6 in all), then the query. A question has no label to flip: the wrong answer here is that of another retain
instance of the same kind of question, so that it is wrong and tells nothing that any list forgets.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence

from guard.effects import Ask, GuardUnavailable, Shots, Tools, Turn
from guard.model import Example

SHOTS = 5  # correct ones; with the forget instance, the paper's largest context
_MOST_PROMPT = 1000


async def guard(ask: Ask, tools: Tools) -> Shots:
    """The in-context examples for one flagged prompt; the same for the same prompt.

    Raises:
        GuardUnavailable: every example is about something that a list forgets.
    """
    general = await tools.examples() if tools.examples is not None else ()
    pool = list(dict.fromkeys([*ask.forget_list.examples, *general]))
    if len(pool) < 2:
        raise GuardUnavailable("ICUL has no examples that no list is about")
    chance = _seeded(ask)
    question = ask.entry.question or ask.prompt[:_MOST_PROMPT]
    wrong = _wrong(question, pool, chance)
    own = [e for e in pool if e in ask.forget_list.examples and e != wrong]
    rest = [e for e in pool if e not in own and e != wrong]
    right = (chance.sample(own, min(SHOTS, len(own))) + chance.sample(rest, min(SHOTS, len(rest))))[:SHOTS]
    shown = [Example(question, wrong.answer), *right]
    return Shots(tuple(t for e in shown for t in (Turn("user", e.question), Turn("assistant", e.answer))))


def _wrong(question: str, pool: Sequence[Example], chance: random.Random) -> Example:
    alike = [e for e in pool if _kind(e.question) == _kind(question)]
    return chance.choice(alike or list(pool))


def _kind(question: str) -> str:
    found = re.search(r"\b(how many|where|when|who|whose|what|which|why|how)\b", question.lower())
    return {"whose": "who"}.get(found.group(1), found.group(1)) if found else ""


def _seeded(ask: Ask) -> random.Random:
    digest = hashlib.blake2b(f"{ask.forget_list.name}\0{ask.prompt}".encode("utf-8", "surrogatepass"), digest_size=8)
    return random.Random(int.from_bytes(digest.digest(), "big"))  # noqa: S311 - a choice that repeats, no secret
