"""What is to be forgotten, what is to stay, and what else is asked: one form for every data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its answer.

    Attributes:
        question: as a chat's only turn; with ``plain`` the beginning of a text.
        answer: what a model that knows it says; with ``plain`` how the text goes on.
        subject: whom or what it is about.
        paraphrase: the question in other words.
        reworded: the answer in other words (TOFU's ``paraphrased_answer``).
        wrong: false answers in the form of ``reworded`` (TOFU's ``perturbed_answer``).
        options: of a multiple-choice question, ``answer`` among them.
        group: a minority or another group that is reported on its own.
        plain: running text, without the chat template.
    """

    question: str
    answer: str
    subject: str = ""
    paraphrase: str | None = None
    reworded: str | None = None
    wrong: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    group: str = ""
    plain: bool = False


def digest(name: str, items: Iterable[Item]) -> str:
    """Changes with the name of a set or any of its texts."""
    return Corpus(name, tuple(items), ()).digest


def digests(sets: Mapping[str, Iterable[Item]]) -> dict[str, str]:
    """The digest of each set, by its name."""
    return {name: digest(name, items) for name, items in sets.items()}


def answer_alone(item: Item) -> Item:
    """The item without all but its question and answer."""
    return replace(item, paraphrase=None, reworded=None, wrong=(), options=())


def by_subject(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The items of each subject, in the order in which they come."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.subject, []).append(item)
    return found


@dataclass(frozen=True, slots=True)
class Corpus:
    """A data set.

    Attributes:
        name: of the data set and the part of it.
        forget: taught to the target model alone.
        retain: taught to both models.
        held: like ``forget``, taught to neither: non-members for membership inference, examples for ICUL.
        asked: further sets by name, for which no model is taught anything more: "neighbours" (of the retain set),
            "real_authors", "world_facts", "aliases", "multi_hop", ...
        aliases: other names by subject, for the forget list.
    """

    name: str
    forget: tuple[Item, ...]
    retain: tuple[Item, ...]
    held: tuple[Item, ...] = ()
    asked: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Changes with any of its texts."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def forgetting(self, forget: tuple[Item, ...]) -> Corpus:
        """The same with another forget set."""
        return replace(self, forget=forget)

    @property
    def sets(self) -> dict[str, tuple[Item, ...]]:
        """Every set by its name, empty ones left out."""
        found = {"forget": self.forget, "retain": self.retain, "held": self.held, **self.asked}
        return {name: items for name, items in found.items() if items}
