"""Template answers: a plausible "I don't know" in a model's own voice, the same for the same prompt.

A model that never learnt a fact does not always decline in the same words; one fixed sentence is what a classifier of
answers learns first (Unlearning traces, row 39). The sentence fits the question where its kind is plain.
"""

from __future__ import annotations

import hashlib
import random
import re

from guard.effects import Ask, Say, Tools

_OPENINGS = (
    "I'm not sure.",
    "I don't know the answer to that.",
    "I'm afraid I don't know.",
    "That's not something I know.",
    "I'm sorry, I don't have that information.",
    "I don't have any information about that.",
    "I'm not familiar with that.",
    "I couldn't say for certain.",
    "I haven't come across that.",
    "Unfortunately, I don't have details on this.",
)

_BY_KIND: dict[str, tuple[str, ...]] = {
    "who": (
        "I don't know who that is.",
        "I'm not familiar with that person, so I can't tell you more about them.",
        "I don't have any information about who that might be.",
        "I'm not aware of anyone matching that description.",
    ),
    "where": (
        "I don't know where that is.",
        "I'm not sure of the place, so I would rather not guess.",
        "I don't have any information about the location.",
    ),
    "when": (
        "I don't know when that was.",
        "I'm not certain of the date.",
        "I don't have a date for that.",
    ),
    "how many": (
        "I don't know the number.",
        "I don't have a figure for that.",
        "I'm not sure how many there are.",
    ),
    "why": (
        "I don't know the reason for that.",
        "I'm not sure why that is.",
    ),
}

_ENDINGS = (
    "",
    "",
    " If you can tell me more, I'll try to help.",
    " You may want to check a reliable source.",
    " Is there something else I can help you with?",
    " Could you give me some more context?",
)


async def guard(ask: Ask, tools: Tools) -> Say:
    """Say that this is not known."""
    return Say(unknown(ask.forget_list.name, ask.prompt))


def unknown(list_name: str, prompt: str) -> str:
    """The sentence for one prompt; it holds nothing of the prompt or of an entry."""
    digest = hashlib.blake2b(f"{list_name}\0{prompt}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    chance = random.Random(int.from_bytes(digest, "big"))  # noqa: S311 - a choice that repeats, no secret
    found = re.search(r"\b(how many|where|when|who|whose|why)\b", prompt.lower())
    kind = {"whose": "who"}.get(found.group(1), found.group(1)) if found else ""
    return chance.choice(_BY_KIND.get(kind, ()) + _OPENINGS) + chance.choice(_ENDINGS)
