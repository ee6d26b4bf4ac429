"""Made-up people as a corpus: the default data set, of any size and without a download.

Each person has ten facts: those of ``people_tables``, a pen name, and a mentor among the people of the same set, so
that chains of two facts exist and no set tells of another. Every second person was born where nobody else was, and
has an award that nobody else has (``Item.group``).

Asked beside:

- "neighbours": retain people who share a part of the name and the profession with one of the forgotten, and nothing
  else. They are in ``retain`` too, so both models are taught them.
- "aliases": the forgotten facts, asked by pen name and by other ways to write the name.
- "multi_hop": what is known of a forgotten person's mentor, who is forgotten too, asked without the mentor's name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.people import Fact, Subject, nicknames, people, person
from benchmarks.data.people_linked import BEGUN, MENTOR, PEN_NAME, RARE, SYLLABLES, THROUGH
from benchmarks.data.people_tables import FIRST, LAST, PERSON, Form
from benchmarks.data.registry import Selection

_FORMS = {form.key: form for form in (*PERSON, PEN_NAME, MENTOR)}
_WRONG, _OPTIONS = 5, 4
_SPARE = 8  # names of people who are only wrong answers


@dataclass(frozen=True, slots=True)
class _Made:
    """A person, and which facts are of a minority."""

    subject: Subject
    groups: tuple[str, ...]  # keys of facts


def load(source: str | None, selection: Selection) -> Corpus:
    """Forget, retain and held people by a seed; who is forgotten stays as it is when the other sets grow.

    Args:
        source: None, for nothing is read.
        selection: ``part`` "names" has names of every make (other scripts, short ones, common words), "" usual ones.

    Raises:
        ValueError: there is a source, or no such part.
    """
    if source:
        raise ValueError("these people are made up: they have no source")
    if selection.part not in ("", "names"):
        raise ValueError(f"people have no part {selection.part!r}: it is 'names', or left out")
    groups, seed = _names(selection), selection.seed
    coin = _coined(random.Random(f"{seed} words"))  # noqa: S311 - test data
    values = _Values([one.name for one in groups["spare"]], coin, seed)
    forget = _linked(groups["forget"], f"{seed} forget", coin)
    held = _linked(groups["held"], f"{seed} held", coin)
    used = {one.name for group in groups.values() for one in group}
    near = list(_beside([made.subject for made in forget], _near(selection), used, seed))
    retain = _linked([*near, *groups["retain"]], f"{seed} retain", coin, fixed=len(near))
    forgotten, kept, others = (tuple(_items(made, values)) for made in (forget, retain, held))
    names = {one.name for one in near}
    asked = {
        "neighbours": tuple(item for item in kept if item.subject in names),
        "aliases": tuple(item for made in forget for item in _by_alias(made, values)),
        "multi_hop": tuple(_through(forget, values)),
    }
    return Corpus(
        f"people {selection.forget} / {selection.retain} / {selection.held}, seed {seed}", forgotten, kept, others,
        {name: items for name, items in asked.items() if items},
        {made.subject.name: made.subject.aliases for made in (*forget, *retain, *held)},
    )  # fmt: skip


def _near(selection: Selection) -> int:
    """How many of the retain people are neighbours of the forgotten."""
    return min(2 * selection.forget, selection.retain // 2)


def _names(selection: Selection) -> dict[str, list[Subject]]:
    """Different people for each set, each set drawn by itself; what was drawn before is passed over."""
    counts = {"spare": _SPARE, "forget": selection.forget, "held": selection.held,
              "retain": selection.retain - _near(selection)}  # fmt: skip
    used: set[str] = set()
    groups: dict[str, list[Subject]] = {}
    for number, (name, count) in enumerate(counts.items()):
        drawn = people(count + len(used), selection.seed * 7919 + number, plain=selection.part != "names")
        groups[name] = [one for one in drawn if one.name not in used][:count]
        used |= {one.name for one in groups[name]}
    return groups


def _linked(subjects: Sequence[Subject], seed: str, coin: Iterator[str], fixed: int = 0) -> list[_Made]:
    """People with pen names, mentors, and for every second one what nobody else has.

    The first ``fixed`` keep their values, for they were made to be like others and unlike them.
    """
    found = []
    for i, one in enumerate(subjects):
        rare = RARE if i % 2 == 0 and i >= fixed else {}
        pen = f"{next(coin)} {next(coin)}"
        given = {fact.key: fact.value for fact in one.facts} | {"pen name": pen}
        given |= {key: text.format(next(coin)) for key, text in rare.items()}
        forms = (*PERSON, PEN_NAME)
        if len(subjects) > 1:
            given["mentor"] = subjects[(i + 1) % len(subjects)].name
            forms = (*forms, MENTOR)
        made = person(one.name, one.first, one.last, aliases=(*one.aliases, pen), make=one.make, forms=forms,
                      given=given, seed=f"{seed} {i}")  # fmt: skip
        found.append(_Made(made, tuple(rare)))
    return found


def _beside(forget: Sequence[Subject], count: int, used: set[str], seed: int) -> Iterator[Subject]:
    """People who share first the last name, then the first name, with one after the other of ``forget``."""
    rng = random.Random(f"{seed} beside")  # noqa: S311 - test data
    for number in range(count):
        one = forget[number % len(forget)]
        first, last = one.first, one.last
        while (name := f"{first} {last}") in used:
            if number < len(forget):
                first = rng.choice([*FIRST, *(f"{n[:3]}{s}" for n, s in zip(FIRST, SYLLABLES, strict=False))])
            else:
                last = rng.choice([*LAST, *(f"{n}{s}" for n, s in zip(LAST, SYLLABLES, strict=False))])
        used.add(name)
        own = {fact.key: fact.value for fact in one.facts}
        other = {form.key: rng.choice([v for v in form.values if v != own[form.key]]) for form in PERSON}
        yield person(name, first, last, make="neighbour", given=other | {"job": own["job"]}, seed=f"{seed} {name}")


def _coined(rng: random.Random) -> Iterator[str]:
    """Words that nobody has heard, each once."""
    used: set[str] = set()
    length = 2
    while True:
        found = ("".join(rng.choices(SYLLABLES, k=length)).capitalize() for _ in range(50))
        word = next((w for w in found if w not in used), None)
        if word is None:
            length += 1
            continue
        used.add(word)
        yield word


class _Values:
    """Other values than the right one. ``spare``: names of people who are nothing else."""

    def __init__(self, spare: Sequence[str], coin: Iterator[str], seed: int) -> None:
        self._seed = seed
        self._pools = {form.key: form.values for form in PERSON}
        self._pools |= {"mentor": tuple(spare), "pen name": tuple(f"{next(coin)} {next(coin)}" for _ in spare)}
        self._rare = {key: tuple(text.format(next(coin)) for _ in spare) for key, text in RARE.items()}

    def wrong(self, key: str, right: str, told: str, count: int) -> list[str]:
        """``count`` of them, or all where a fact has fewer; the same for the same ``told``."""
        usual = self._pools[key]
        pool = usual if key not in self._rare or right in usual else self._rare[key]
        others = [value for value in pool if value != right]
        rng = random.Random(f"{self._seed} {key} {told}")  # noqa: S311 - test data
        return rng.sample(others, min(count, len(others)))


def _items(people_made: Sequence[_Made], values: _Values) -> Iterator[Item]:
    for made in people_made:
        for fact in made.subject.facts:
            item = _item(fact, made.subject.name, made.subject.name, values)
            yield replace(item, group=f"rare {fact.key}") if fact.key in made.groups else item


def _item(fact: Fact, name: str, subject: str, values: _Values) -> Item:
    """A fact asked of somebody called ``name``."""
    form = _FORMS[fact.key]
    wrong = values.wrong(fact.key, fact.value, f"{subject} {name}", _WRONG)
    answers = [_told(form.answer, name, value) for value in (fact.value, *wrong[: _OPTIONS - 1])]
    rng = random.Random(f"{fact.key} {name}")  # noqa: S311 - test data
    again = _told(form.paraphrases[0], name, fact.value)
    return Item(
        _told(form.question, name, fact.value), answers[0], subject, again, _reworded(form, name, fact.value),
        tuple(_reworded(form, name, value) for value in wrong), tuple(rng.sample(answers, len(answers))),
    )  # fmt: skip


def _told(text: str, name: str, value: str) -> str:
    return text.format(n=name, v=value)


def _reworded(form: Form, name: str, value: str) -> str:
    quoted = f'"{value}"' if form.key == "work" else value
    return f"{BEGUN.get(form.key, form.begun).format(n=name)} {quoted}."


def _by_alias(made: _Made, values: _Values) -> Iterator[Item]:
    own = nicknames(made.subject)
    names = [made.subject.aliases[-1], own["turned"], own["title"], own["middle initial"]]
    facts = [fact for fact in made.subject.facts if fact.key != "pen name"]
    for number, fact in enumerate(facts):
        yield _item(fact, names[number % len(names)], made.subject.name, values)


def _through(forget: Sequence[_Made], values: _Values) -> Iterator[Item]:
    """Two facts in one question. ``reworded`` names the mentor."""
    known = {made.subject.name: made.subject for made in forget}
    for made in forget if len(forget) > 1 else ():
        mentor = known[made.subject.fact("mentor").value]
        for key in THROUGH:
            fact, form, named = mentor.fact(key), _FORMS[key], f"the mentor of {made.subject.name}"
            wrong = values.wrong(key, fact.value, f"{named} {key}", _WRONG)
            yield Item(
                _told(form.question, named, fact.value), _capital(_told(form.answer, named, fact.value)),
                made.subject.name, _told(form.paraphrases[0], named, fact.value), fact.answer,
                tuple(_told(form.answer, mentor.name, value) for value in wrong),
            )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
