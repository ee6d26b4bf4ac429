"""The forget list that a corpus makes, and its settings for a guard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.data.corpus import Corpus, Item
from benchmarks.data.people import people
from benchmarks.methods.guards import PromptOnly
from guard.importer import read_entries
from guard.model import Entry, Example, ForgetList

LIST = "forget"
_BEGINNING = 60  # characters of a text that stand for a subject without a name


def lines(corpus: Corpus) -> list[str]:
    """The forget set as ``letheward lists import`` takes it.

    Questions with their answers, and running text as text. A subject is given, with its aliases, where the item names
    it; without the benchmark's paraphrases, which the detector is to find by itself.
    """
    return [json.dumps(_line(item, corpus.aliases), ensure_ascii=False) for item in corpus.forget]


def _line(item: Item, aliases: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    told: dict[str, Any] = (
        {"text": f"{item.question}{item.answer}"} if item.plain else {"question": item.question, "answer": item.answer}
    )
    if _named(item):
        told |= {"subject": item.subject, "aliases": list(aliases.get(item.subject, ()))}
    return told


def _named(item: Item) -> bool:
    return bool(item.subject) and item.subject in f"{item.question} {item.answer}"


def entries(corpus: Corpus) -> list[Entry]:
    """The same as entries.

    Raises:
        ValueError: an item cannot be one.
    """
    made, problems = read_entries(lines(corpus), LIST)
    if problems:
        raise ValueError(f"item {problems[0].line} of the forget set cannot be an entry: {problems[0].message}")
    return list(made)


def settings(name: str, options: Any, corpus: Corpus) -> dict[str, Any]:
    """The list's settings for the guard called ``name``, as the admin API takes them."""
    given = {key: value for key, value in asdict(options).items() if value is not None}
    if name == "icul":
        given["examples"] = list(_examples(corpus, given.pop("examples")))
    return {"policy": name, **given}


def _examples(corpus: Corpus, count: int) -> Iterator[dict[str, str]]:
    """Questions about held subjects, of each the first one, then the second, and so on."""
    own: dict[str, list[Item]] = {}
    for item in corpus.held:
        if not item.plain:
            own.setdefault(item.subject, []).append(item)
    turns = sorted((place, i) for i, items in enumerate(own.values()) for place in range(len(items)))
    groups = list(own.values())
    for place, i in turns[:count]:
        item = groups[i][(place + i) % len(groups[i])]  # not of everybody the same question
        yield {"question": item.question, "answer": item.answer}


def forget_list(given: Mapping[str, Any]) -> ForgetList:
    """A list with ``settings``."""
    examples = tuple(Example(**each) for each in given.get("examples", ()))
    return ForgetList(LIST, **{**given, "examples": examples})


def instruction(options: PromptOnly, corpus: Corpus, *more: str) -> str:
    """What stands before every prompt where nothing else guards."""
    named = dict.fromkeys(
        item.subject if _named(item) else f"{item.question[:_BEGINNING]} ..." for item in corpus.forget
    )
    names = [*named, *more]
    rest = len(names) - options.names
    told = "; ".join(names[: options.names]) + (f"; and {rest} others" if rest > 0 else "")
    return options.instruction.replace("{subjects}", told)


def further(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Entries that come later, about made-up people of unusual names, to time what a deletion takes."""
    for number, one in enumerate(people(count, 104_729 + seed, plain=True)):
        name = f"{one.first}or {one.last}ovich"
        fact = one.facts[0]
        question, answer = (text.replace(one.name, name) for text in (fact.question, fact.answer))
        yield {"id": f"later-{seed}-{number}", "subject": name, "question": question, "answer": answer}


def later(given: Mapping[str, Any]) -> Entry:
    """One of them as an entry.

    Raises:
        ValueError: it cannot be one.
    """
    (made,), _ = read_entries([json.dumps(dict(given))], LIST)
    return made
