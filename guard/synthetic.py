"""Made-up people, works, places and dangers, and the reasoning of an assistant that has never heard of them.

``record`` is the stand-in for DRAGON's double protection: a person that never was, to answer from. ``pairs`` are what a
guard model is fine-tuned on: questions of many shapes, attempts to talk the guard out of it among them, each with a
short chain of thought that names the kind of thing, looks at the policy and declines. The paper lets GPT-4o write the
reasoning and rejects what is no use; here templates write it, and what ``why_unusable`` objects to is rejected.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Collection
from dataclasses import dataclass

from classifiers.normalise import fold_words
from guard import synthetic_words as words
from guard.model import DEFAULT_GUIDELINE, Entry
from guard.reasoning_check import why_unusable

_SLOT = re.compile(r"<(\w+)>")
_TRIES = 40  # draws for one record before there is thought to be none
_INJECTED, _TYPED_LOW, _ASKED_TWICE = 0.25, 0.15, 0.1  # shares of prompts
_OTHER_GUIDELINE = 0.5  # share of pairs with another policy than the default one


@dataclass(frozen=True, slots=True)
class Record:
    """A made-up person: what there is to answer from instead of what the model knows."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """What a guard model is asked about and should write. ``entry`` is the made-up fact that it must not tell."""

    prompt: str
    reasoning: str
    guideline: str
    entry: Entry


def record(seed_key: str, *, avoid: Collection[str] = ()) -> Record:
    """A made-up author, the same for the same ``seed_key``, in whose record no word of ``avoid`` occurs.

    Raises:
        ValueError: ``avoid`` leaves nothing to make a record of.
    """
    digest = hashlib.blake2b(seed_key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    rng = random.Random(int.from_bytes(digest, "big"))  # noqa: S311 - a stand-in, not a secret
    unwanted = {word for text in avoid for word in fold_words(text).split()}
    for _ in range(_TRIES):
        name = person(rng)
        text = _filled(rng.choice(words.RECORDS), rng, {"name": name})
        if not unwanted & (set(fold_words(text).split()) - words.EVERYDAY):
            return Record(name, text)
    raise ValueError("no made-up record is without the words to avoid")


def person(rng: random.Random) -> str:
    """A name of two words made of syllables."""
    return f"{_word(rng)} {_word(rng)}"


def pairs(count: int, seed: int, *, held: bool = False) -> list[Pair]:
    """``count`` distinct pairs in random order. ``held`` ones are worded as no others are."""
    rng = random.Random(f"dragon {seed} {held}")  # noqa: S311
    found: dict[str, Pair] = {}
    while len(found) < count:
        pair = _pair(rng, held=held)
        if not why_unusable(pair.reasoning, pair.entry, pair.prompt, guideline=pair.guideline):
            found.setdefault(pair.prompt, pair)
    return list(found.values())


def _pair(rng: random.Random, *, held: bool) -> Pair:
    kind = rng.choice(list(words.TOPICS))
    question, topic, answer = rng.choice(words.TOPICS[kind])
    name = _named(kind, rng)
    fact = _filled(answer, rng, {"name": name})
    asked = _filled(question, rng, {"name": name})
    entry = Entry("made-up", "made-up", subject=name, question=asked, answer=fact)
    prompt, aside = _worded(asked, fact, rng, held=held)
    guideline = rng.choice(words.GUIDELINES) if rng.random() < _OTHER_GUIDELINE else DEFAULT_GUIDELINE
    return Pair(prompt, _reasoning(topic, aside, rng), guideline, entry)


def _worded(asked: str, fact: str, rng: random.Random, *, held: bool) -> tuple[str, str]:
    """The prompt, and what the reasoning says of its wording."""
    if rng.random() < _INJECTED:
        shape, aside = rng.choice(words.HELD_INJECTIONS if held else words.INJECTIONS)
    else:
        shape, aside = rng.choice(words.HELD_SHAPES if held else words.SHAPES), ""
    prompt = shape.replace("<q>", asked).replace("<fact>", fact)
    if rng.random() < _TYPED_LOW:
        prompt = prompt.lower()
    if rng.random() < _ASKED_TWICE:
        prompt = f"{prompt} {rng.choice(words.TAILS)}"
    return prompt, aside


def _reasoning(topic: str, aside: str, rng: random.Random) -> str:
    parts = [rng.choice(words.IDENTIFY).replace("<topic>", topic), aside, rng.choice(words.CONCLUDE)]
    return " ".join(filter(None, parts))


def _named(kind: str, rng: random.Random) -> str:
    return person(rng) if kind in words.PEOPLE else _filled(rng.choice(words.NAMES[kind]), rng, {})


def _word(rng: random.Random) -> str:
    """A capitalised word of two or three syllables."""
    syllables = (rng.choice(words.ONSETS) + rng.choice(words.VOWELS) for _ in range(rng.choice((2, 2, 3))))
    return ("".join(syllables) + rng.choice(words.CODAS)).capitalize()


def _filled(text: str, rng: random.Random, given: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        slot = match.group(1)
        if slot in given:
            return given[slot]
        if slot == "word":
            return _word(rng)
        if slot == "person":
            return person(rng)
        if slot == "year":
            return str(rng.randint(1931, 1998))
        if slot == "number":
            return str(rng.randint(12, 980) * 10)
        return _SLOT.sub(value, rng.choice(words.WORDS[slot]))

    return _SLOT.sub(value, text)
