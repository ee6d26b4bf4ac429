"""Fictional people, places, companies and products with facts, in any number; nothing of it is true of anybody.

Names are of many makes: invented, with diacritics, hyphens or apostrophes, with initials, very short, made of common
words, in other scripts. Every fact comes with a question, paraphrases of varied syntax and an answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.data.people_tables import ALIKE, FIRST, LAST, PERSON, SPECIAL, THING, THINGS, Form, Named

_SPECIAL_EVERY = 3  # of so many people one has a name of a special make


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of one subject, and the ways to ask for it.

    Attributes:
        key: which fact; the same for every subject that has it.
        question: as it is put on a list.
        paraphrases: the same asked otherwise, the name in each.
        answer: a sentence.
        follow: the question with a pronoun for the name.
        ellipsis: the question as a fragment.
        reverse: a question whose answer is the subject, who is not named.
        confirm: a yes-no question with name and value.
        begun: a sentence to be continued.
        value: what the answer says.
    """

    key: str
    question: str
    paraphrases: tuple[str, ...]
    answer: str
    follow: str
    ellipsis: str
    reverse: str
    confirm: str
    begun: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody or something made up."""

    name: str
    kind: str  # "person", "place", "company", "product"
    make: str  # how the name is made
    first: str
    last: str
    aliases: tuple[str, ...]
    facts: tuple[Fact, ...]

    def fact(self, key: str) -> Fact:
        """The fact called ``key``."""
        return next(f for f in self.facts if f.key == key)


def people(count: int, seed: int = 0, *, plain: bool = False) -> list[Subject]:
    """``count`` people with different names.

    Args:
        count: how many.
        seed: the same for the same people.
        plain: only names of the usual make, two words of Latin letters.
    """
    rng = random.Random(seed)  # noqa: S311 - test data
    found: dict[str, Subject] = {}
    special = _special(rng)
    while len(found) < count:
        make, named = "plain", _invented(rng, usual=len(found) < 1000)
        if not plain and len(found) % _SPECIAL_EVERY == 0:
            make, named = next(special, (make, named))
        if named[0] not in found:
            found[named[0]] = _subject(named, "person", make, PERSON, rng)
    return list(found.values())


def person(
    name: str, first: str, last: str, *, aliases: tuple[str, ...] = (), make: str = "plain",
    forms: tuple[Form, ...] = PERSON, given: Mapping[str, str] | None = None, seed: int | str = 0,
) -> Subject:  # fmt: skip
    """One person. ``given``: values of facts that are not left to chance."""
    rng = random.Random(seed)  # noqa: S311 - test data
    return _subject((name, aliases, first, last), "person", make, forms, rng, given)


def things(seed: int = 0) -> list[Subject]:
    """Places, companies and products."""
    rng = random.Random(seed)  # noqa: S311 - test data
    return [_subject((name, (), name, name), kind, "thing", THING, rng) for kind, name in THINGS]


def neighbours(subject: Subject, seed: int = 0) -> list[Subject]:
    """Other people whose names have a part in common with ``subject``'s, or are a letter away from one."""
    rng = random.Random(seed)  # noqa: S311 - test data
    others = [
        f"{rng.choice([f for f in FIRST if f != subject.first])} {subject.last}",
        f"{subject.first} {rng.choice([n for n in LAST if n != subject.last])}",
    ]
    return [_subject((name, (), *_halves(name)), "person", "neighbour", PERSON, rng) for name in others]


def lookalikes(seed: int = 0) -> list[tuple[Subject, Subject]]:
    """Pairs of different people whose first names are real ones a letter apart."""
    rng = random.Random(seed)  # noqa: S311 - test data
    pairs: list[tuple[Subject, Subject]] = []
    for both in ALIKE:
        last = rng.choice(LAST)
        one, other = (_subject((f"{f} {last}", (), f, last), "person", "alike", PERSON, rng) for f in both)
        pairs.append((one, other))
    return pairs


def nicknames(subject: Subject) -> dict[str, str]:
    """Ways to call a person whose entry gives the full name alone: title, initial, turned round."""
    first, last = subject.first, subject.last
    return {
        "title": f"Dr. {subject.name}",
        "title and surname": f"Professor {last}",
        "turned": f"{last}, {first}",
        "initial": f"{first[0]}. {last}",
        "upper case": subject.name.upper(),
        "lower case": subject.name.lower(),
        "possessive without mark": f"{subject.name}s",
        "middle initial": f"{first} K. {last}",
        "surname in capitals": f"{first} {last.upper()}",
    }


def _special(rng: random.Random) -> Iterator[tuple[str, Named]]:
    everything = [(make, named) for make, own in SPECIAL.items() for named in own]
    yield from rng.sample(everything, len(everything))


def _invented(rng: random.Random, *, usual: bool) -> Named:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    if not usual:  # more people than names: longer ones
        last = f"{last}{rng.choice(('son', 'ova', 'ini', 'berg', 'well', 'stad'))}"
        first = f"{first[:4]}{rng.choice(('ina', 'ander', 'iel', 'ora', 'us'))}"
    return f"{first} {last}", (), first, last


def _halves(name: str) -> tuple[str, str]:
    first, _, last = name.partition(" ")
    return first, last or first


def _subject(
    named: Named, kind: str, make: str, forms: tuple[Form, ...], rng: random.Random,
    given: Mapping[str, str] | None = None,
) -> Subject:  # fmt: skip
    name, aliases, first, last = named
    person, whose = rng.choice((("he", "his"), ("she", "her"))) if kind == "person" else ("it", "its")
    values = {form.key: rng.choice(form.values) for form in forms} | dict(given or {})

    def told(text: str, value: str) -> str:
        return text.removeprefix("zz ").format(n=name, v=value, p=person, s=whose, **values)

    facts = tuple(
        Fact(
            f.key,
            told(f.question, v),
            tuple(_query(told(p, v)) if p.startswith("zz ") else told(p, v) for p in f.paraphrases),
            told(f.answer, v), told(f.follow, v), told(f.ellipsis, v), told(f.reverse, v), told(f.confirm, v),
            told(f.begun, v), v,
        )
        for f in forms for v in [values[f.key]]
    )  # fmt: skip
    return Subject(name, kind, make, first, last, aliases, facts)


def _query(text: str) -> str:
    """As typed into a search box."""
    return text.lower()
