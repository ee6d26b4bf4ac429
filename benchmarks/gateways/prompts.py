"""The prompts: a fixed mix of realistic lengths, about nothing on a list, and about somebody on it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import orjson

from benchmarks.data.traffic import available, unrelated
from benchmarks.gateways.upstream import MODEL

KINDS = ("short", "1k", "8k")
_WORDS = {"1k": 750, "8k": 6000}  # a word of English is about 4/3 tokens
_MIX = ("short",) * 7 + ("1k",) * 2 + ("8k",)


def unflagged(kind: str, count: int, seed: int) -> list[str]:
    """``count`` prompts of one length; "mix" has of every length."""
    if kind == "mix":
        own = {k: iter(unflagged(k, count, seed)) for k in KINDS}
        return [next(own[_MIX[i % len(_MIX)]]) for i in range(count)]
    short = unrelated(min(count, available()), seed)
    if kind == "short":
        return [short[i % len(short)] for i in range(count)]
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    everything = unrelated(available(), seed)
    return [_long(everything, _WORDS[kind], rng) for _ in range(count)]


def _long(sentences: Sequence[str], words: int, rng: random.Random) -> str:
    """Notes of so many words, as somebody pastes them before a question."""
    found: list[str] = []
    length = 0
    while length < words:
        found.append(rng.choice(sentences))
        length += found[-1].count(" ") + 1
    return "\n".join(found)


def body(prompt: str, *, stream: bool = False) -> bytes:
    """The request for a chat completion, in one line."""
    asked = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "max_tokens": 64}
    return orjson.dumps(asked | ({"stream": True} if stream else {}))
