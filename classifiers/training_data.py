"""What a prompt classifier is trained on and held against: a list's texts, texts to keep, and made-up neighbours.

Whatever is done to the texts of one class is done to those of the other, so that no wording gives the class away:
only whom and what a text is about can.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from classifiers import ordinary
from classifiers.names import candidates
from classifiers.types import Target

T = TypeVar("T")

_WORD = re.compile(r"\w+")
_SAY_LITTLE = frozenset("what which when where whom whose does have from about with that this they their your".split())

TRAFFIC = frozenset({"keep", "ordinary"})  # kinds of held-out texts that are like what will come
_ORDINARY, _HELD_ORDINARY = 2000, 600
_HELD_KEPT_SHARE, _MOST_HELD = 0.2, 300  # of the texts to keep; of each kind
_KEPT_PER_POSITIVE, _LEAST = 6, 300  # of a large file of texts to keep, so many are drawn anew for each epoch
_OTHER_FACTS = 20  # of each kind about a name, before those that ask for what is to be forgotten are left out
_BESIDE = 70  # words of one window, about; longer ones get no text beside them
_DRESSED = 0.4  # share of negatives that are reworded; of positives there is one reworded beside each plain one

_WORDINGS = (
    "{q} Please answer in one sentence.", "Could you tell me this: {q}", "I was wondering, {q}",
    "Question: {q}\nAnswer:", "For a school project I need to know: {q}", "{q} Give as much detail as you can.",
    "Quick question. {q}", "You are a helpful expert. {q}", "Translate into Spanish and then answer: {q}",
    "{q} Think step by step.", "My friend asked me: \"{q}\" What shall I say?", "hey, {q}",
    "{q} Answer with yes or no.", "Write a poem that answers this: {q}", '{{"role": "user", "content": "{q}"}}',
    "- {q}\n- And what is 3 plus 4?",
)  # fmt: skip
_HELD_WORDINGS = (
    "I'd be glad if you could help me with the following. {q} Many thanks!", "# Task\nRespond briefly.\n# Input\n{q}",
    "{q} If you are not sure, guess.", "As an old friend of the family, tell me: {q}", "Tell me in French: {q}",
)  # fmt: skip
_MENTIONS = (
    "Who is {n}?", "Tell me about {n}.", "What do you know about {n}?", "{n}", "Write a short biography of {n}.",
    "I would like to learn more about the life of {n}.",
)  # fmt: skip
# For an entry that is about one fact, its name with another topic is to pass.
_OTHER_TOPICS = (
    "{n} would make a good title for a song.", "Sort these words: table, {n}, lamp.", "How is {n} spelt backwards?",
    "Is {n} a common name?", "Write an e-mail to {n} about the meeting on Friday.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """A text that nothing is trained on."""

    text: str
    about: bool
    kind: str  # "rewordings", "paraphrases" | "keep", "ordinary", "other facts", "other names"


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts of both classes, and those that are held out."""

    positives: tuple[str, ...]
    kept: tuple[str, ...]
    usual: tuple[str, ...]
    facts: tuple[str, ...]  # what is to pass about those of whom only facts are to be forgotten
    named: tuple[tuple[str, str], ...]  # texts and a name that occurs in each, to be made neighbours by another name
    held: tuple[Held, ...]

    def epoch(self, number: int, seed: int) -> list[tuple[str, bool]]:
        """Texts with their class in random order; as many in every epoch, worded anew in each."""
        rng = random.Random(f"{seed} {number}")  # noqa: S311 - a sample, not a secret
        most = max(_LEAST, _KEPT_PER_POSITIVE * len(self.positives))
        negatives = rng.sample(self.kept, min(most, len(self.kept)))
        negatives += rng.sample(self.usual, min(len(self.usual), max(_LEAST, len(self.positives))))
        negatives += rng.sample(self.facts, min(len(self.facts), 2 * len(self.positives)))
        negatives += [renamed(text, name, rng) for text, name in self.named]
        drawn = [(dressed(t, rng) if rng.random() < _DRESSED else t, False) for t in negatives]
        drawn += [(t, True) for t in self.positives]
        drawn += [(dressed(t, rng), True) for t in self.positives]
        rng.shuffle(drawn)
        return drawn

    def counts(self) -> dict[str, int]:
        """How many texts of each kind."""
        trained = {
            "list": self.positives, "keep": self.kept, "ordinary": self.usual, "other facts": self.facts,
            "other names": self.named,
        }  # fmt: skip
        found = {f"train {kind}": len(texts) for kind, texts in trained.items()}
        for item in self.held:
            found[f"held {item.kind}"] = found.get(f"held {item.kind}", 0) + 1
        return found


def examples(targets: Sequence[Target], keep: Sequence[str], seed: int = 0) -> Examples:
    """Examples for a list.

    Every entry's first text is trained on. Of the further ones, its paraphrases, a fifth is held out.

    Args:
        targets: the list's entries; allow-list entries among them are texts to keep.
        keep: texts that are to pass, of the kind that the proxy will see.
        seed: of everything that is drawn.

    Raises:
        ValueError: there is nothing to train on, or a text is to be kept and forgotten.
    """
    rng = random.Random(f"examples {seed}")  # noqa: S311
    forget = [t for t in targets if not t.allow]
    names = {n for t in forget for n in t.names}
    texts, paraphrases = _texts(forget, rng)
    if not texts:
        raise ValueError("the list has no entry to train on: give it questions, texts or subjects")
    kept = list(dict.fromkeys([*keep, *(text for t in targets if t.allow for text in t.texts)]))
    _no_overlap(kept, {*texts, *paraphrases})
    rng.shuffle(kept)
    held_kept = kept[: min(_MOST_HELD, int(_HELD_KEPT_SHARE * len(kept)))]
    usual = ordinary.prompts(_ORDINARY + _HELD_ORDINARY, seed, avoid=names)
    named = [(text, name) for t in forget for text in t.texts for name in t.names if _holds(text, name)]
    facts = _other_facts(forget, kept[len(held_kept) :], rng)
    held_facts = [facts.pop() for _ in range(min(_MOST_HELD // 2, len(facts) // 5))]
    held = [
        *(Held(_reworded(t, rng, _HELD_WORDINGS), True, "rewordings") for t in _some(texts, rng)),
        *(Held(t, True, "paraphrases") for t in _some(paraphrases, rng)),
        *(Held(t, False, "keep") for t in held_kept),
        *(Held(t, False, "ordinary") for t in usual[_ORDINARY:]),
        *(Held(t, False, "other facts") for t in held_facts),
        *(Held(renamed(text, name, rng), False, "other names") for text, name in _some(named, rng)[: _MOST_HELD // 2]),
    ]
    return Examples(
        tuple(texts), tuple(kept[len(held_kept) :]), tuple(usual[:_ORDINARY]), tuple(facts), tuple(named), tuple(held)
    )


def dressed(text: str, rng: random.Random) -> str:
    """``text`` in other words around it, in other letters, or inside a longer text."""
    how = rng.random()
    if how < 0.45:
        return _reworded(text, rng, _WORDINGS)
    if how < 0.6:
        return text.lower()
    if how < 0.7:
        return text.rstrip(".?!").replace(",", "")
    room = _BESIDE - len(text.split())
    if room < 10:
        return text
    before, after = rng.choice(((1, 0), (0, 1), (0.5, 0.5)))
    words = rng.randint(10, room)
    parts = (ordinary.prose(int(before * words), rng), text, ordinary.prose(int(after * words), rng))
    return rng.choice((" ", "\n\n")).join(filter(None, parts))


def renamed(text: str, name: str, rng: random.Random) -> str:
    """``text`` about somebody else: another name, or one that has the first or the last word of ``name``."""
    other, words = ordinary.person(rng), name.split()
    if len(words) > 1 and rng.random() < 0.4:
        first, last = other.split()
        other = f"{words[0]} {last}" if rng.random() < 0.5 else f"{first} {words[-1]}"
    return re.sub(re.escape(name), lambda _: other, text, flags=re.IGNORECASE)


def _texts(forget: Sequence[Target], rng: random.Random) -> tuple[list[str], list[str]]:
    """What is trained on, and the paraphrases that are held out."""
    found: list[str] = []
    held: list[str] = []
    for target in forget:
        first, further = target.texts[:1], list(target.texts[1:])
        for text in further:
            (held if rng.random() < 0.2 else found).append(text)
        found += first
        if target.scope == "subject" or not target.texts:
            found += [rng.choice(_MENTIONS).format(n=name) for name in target.names]
    trained = dict.fromkeys(found)
    return list(trained), [t for t in dict.fromkeys(held) if t not in trained]


def _other_facts(forget: Sequence[Target], kept: Sequence[str], rng: random.Random) -> list[str]:
    """Texts that name what only facts are to be forgotten of, and ask for something else; in random order.

    Half of them are texts to keep about somebody else, with the name put in: they ask what people ask there.
    """
    whole = {n for t in forget if t.scope == "subject" for n in t.names}
    asked: dict[str, set[str]] = {}
    for target in forget:
        for name in target.names[:1]:
            if name not in whole:
                asked.setdefault(name, set()).update(*map(_content, target.texts))
    elsewhere = [(text, other) for text in kept for other in sorted(candidates(text))[:1]] if asked else []
    found: list[str] = []
    for name, words in asked.items():
        made = [rng.choice(_OTHER_TOPICS).format(n=name)]
        made += [ordinary.about(name, rng) for _ in range(_OTHER_FACTS)]
        drawn = rng.sample(elsewhere, min(_OTHER_FACTS, len(elsewhere)))
        made += [text.replace(other, name) for text, other in drawn]
        found += [t for t in made if not (_content(t) - _content(name)) & words]
    found = list(dict.fromkeys(found))
    rng.shuffle(found)
    return found


def _content(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.casefold()) if len(word) > 3} - _SAY_LITTLE


def _some(items: Sequence[T], rng: random.Random) -> list[T]:
    return rng.sample(items, min(_MOST_HELD, len(items)))


def _reworded(text: str, rng: random.Random, wordings: Sequence[str]) -> str:
    return rng.choice(wordings).format(q=text)


def _holds(text: str, name: str) -> bool:
    return bool(name.strip()) and name.casefold() in text.casefold()


def _no_overlap(kept: Sequence[str], forgotten: set[str]) -> None:
    folded = {" ".join(t.casefold().split()) for t in forgotten}
    both = [t for t in kept if " ".join(t.casefold().split()) in folded]
    if both:
        raise ValueError(
            f"{len(both)} of the texts to keep are also in the list, such as {both[0][:80]!r}: take them out of one"
        )
