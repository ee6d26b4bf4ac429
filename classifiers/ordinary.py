"""Ordinary prompts, to calibrate on and to train against: many tasks, tongues and lengths, people named in some.

Made from templates by a seed, so that nothing has to be downloaded. The words have nothing in common with the traffic
that the benchmarks measure on. A forget list may hold a person who is named here: give its names as ``avoid``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Mapping

from classifiers.ordinary_words import LONG, PROSE, TEMPLATES, WORDS

_SLOT = re.compile(r"<(\w+)>")
_WORD = re.compile(r"[a-z0-9]+")  # a name in Latin letters stands without spaces in a Chinese sentence
_TRIES = 60  # for one prompt; a template whose prompts are used up is passed over
# Questions about one person that ask for one thing; what asks for a whole life asks for any fact of it.
_ABOUT_ONE = tuple(t for kind in ("writers", "people") for t in TEMPLATES[kind]
                   if t.count("<person>") == 1 and "biography" not in t and "life" not in t)  # fmt: skip
_LOWER_CASE, _NO_MARKS, _POLITE = 0.12, 0.06, 0.06  # shares of prompts that people type so


def prompts(count: int, seed: int, *, avoid: Collection[str] = ()) -> list[str]:
    """``count`` distinct prompts in random order, the kinds in equal shares.

    Two calls with different seeds share some prompts: to train on some and measure on others, split one call's.

    Args:
        count: how many; some ten thousand can be had.
        seed: the same seed gives the same prompts.
        avoid: names that may not occur as words, in any case.

    Raises:
        ValueError: there are not so many.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    unwanted = _Unwanted(avoid)
    kinds = {name: _maker(templates) for name, templates in TEMPLATES.items()} | {"long": _long}
    found: dict[str, None] = {}
    while len(found) < count and kinds:
        for kind in list(kinds):
            made = _new(kinds[kind], rng, found, unwanted)
            if made is None:
                del kinds[kind]
            elif len(found) < count:
                found[made] = None
    if len(found) < count:
        raise ValueError(f"there are only {len(found)} ordinary prompts that avoid the given names, not {count}")
    mixed = list(found)
    rng.shuffle(mixed)
    return mixed


def person(rng: random.Random) -> str:
    """A made-up name of two words."""
    return _filled("<person>", rng)


def about(name: str, rng: random.Random) -> str:
    """A question about ``name``, as one might ask of anybody, for one thing."""
    return _filled(rng.choice(_ABOUT_ONE).replace("<person>", "<0>"), rng).replace("<0>", name)


def prose(words: int, rng: random.Random) -> str:
    """Sentences of ``words`` words and the rest of the last one."""
    return " ".join(_sentences(words, rng))


def _new(
    make: Callable[[random.Random], str], rng: random.Random, found: Mapping[str, None], unwanted: _Unwanted
) -> str | None:
    for _ in range(_TRIES):
        text = _typed(make(rng), rng)
        if text not in found and text not in unwanted:
            return text
    return None


class _Unwanted:
    """Names, many perhaps: those of spaced words are looked up word for word, others are searched for."""

    def __init__(self, names: Collection[str]) -> None:
        folded = {name.casefold() for name in names if name.strip()}
        self._spaced = {tuple(_WORD.findall(name)) for name in folded if name.isascii()} - {()}
        self._lengths = {len(words) for words in self._spaced}
        self._others = [name for name in folded if not name.isascii()]

    def __contains__(self, text: str) -> bool:
        folded = text.casefold()
        words = _WORD.findall(folded)
        runs = (tuple(words[i : i + n]) for n in self._lengths for i in range(len(words) - n + 1))
        return any(run in self._spaced for run in runs) or any(name in folded for name in self._others)


def _maker(templates: tuple[str, ...]) -> Callable[[random.Random], str]:
    return lambda rng: _filled(rng.choice(templates), rng)


def _filled(template: str, rng: random.Random) -> str:
    """Every ``<slot>`` replaced by one of its words, which may hold slots again; no word twice in a prompt."""
    used: set[str] = set()

    def word(match: re.Match[str]) -> str:
        pool = WORDS.get(match.group(1))
        if pool is None:  # a slot that the caller fills
            return match.group()
        chosen = rng.choice(pool)
        while chosen in used and len(used) < len(pool):
            chosen = rng.choice(pool)
        used.add(chosen)
        return _SLOT.sub(word, chosen)

    text = _SLOT.sub(word, template)
    return text[:1].upper() + text[1:]


def _long(rng: random.Random) -> str:
    """A task with a text of 100 to about 260 words."""
    sentences = _sentences(rng.randint(100, 230), rng)
    task = _filled(rng.choice(LONG), rng)
    body = "\n\n".join(" ".join(sentences[i : i + 4]) for i in range(0, len(sentences), 4))
    return f"{task}\n\n{body}" if rng.random() < 0.7 else f"{body}\n\n{task}"


def _sentences(words: int, rng: random.Random) -> list[str]:
    found: list[str] = []
    while sum(len(s.split()) for s in found) < words:
        found.append(_filled(rng.choice(PROSE), rng))
    return found


def _typed(text: str, rng: random.Random) -> str:
    """As people type: some write no capitals, some no marks, some are polite."""
    how = rng.random()
    if how < _LOWER_CASE:
        return text.lower()
    if how < _LOWER_CASE + _NO_MARKS:
        return text.rstrip(".?!").replace(",", "")
    if how < _LOWER_CASE + _NO_MARKS + _POLITE and "\n" not in text and text.isascii():
        return rng.choice(("Hi, quick one: ", "Thanks in advance! ", "Sorry to bother you again. ")) + text
    return text
