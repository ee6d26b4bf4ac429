"""FaithUn: whether forgetting is more than of the words that were unlearnt (Yang et al., 2025, arXiv 2502.19207).

Questions with three options, of which the likeliest counts (chance is 1/3):

- accuracy (UA): the forget questions themselves; it is to fall;
- paraphrase: the same in other words; what stays was forgotten for one wording alone;
- multi-hop: chains that need a forgotten fact; they are to go too;
- same answer: other knowledge whose answer is a forgotten one's (another person's same profession); it must stay, or
  the method unlearnt to say the words.

The options are the right answer and two false ones of its form (``benchmarks.data.distractors``); the likeliest is by
the mean log-probability of a token, as the options differ in length (ours; the authors have the model choose). The
sets are the data set's, else made by rules: chains of a subject's own facts; same answers from the retain set where it
has any of the same keys, else from a note about nobody, read before the question, since a model that has merely
unlearnt to say a word will not repeat it (ours). At most 24 questions of a kind (``limit``) are ours too.

A guard that leaves a question unasked gives no likelihoods, and so the figure is undefined for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from benchmarks.attacks.mirage import asked, spread
from benchmarks.attacks.rewording import chained, rewordings
from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.data.distractors import as_choice
from benchmarks.metrics.choice import accuracy
from benchmarks.metrics.coverage import keys
from benchmarks.metrics.metric import Measured, Undefined
from benchmarks.metrics.probability import per_token
from benchmarks.metrics.reading import Subjects
from benchmarks.probes.probe import Probe

Kind = Callable[[Victim], Sequence[Item]]
_NOBODY = "Robin Hale"


def plain(victim: Victim) -> list[Item]:
    """The forget questions with options."""
    return [choice for _, choice in _choices(victim, asked(victim))]


def paraphrased(victim: Victim) -> list[Item]:
    """Each of them in other words, once."""
    return [replace(choice, question=text)
            for item, choice in _choices(victim, asked(victim)) for text in rewordings(item)[:1]]  # fmt: skip


def multi_hop(victim: Victim) -> list[Item]:
    """Chains of two facts."""
    subjects = {item.subject for item in asked(victim)}
    given = [item for item in victim.corpus.asked.get("multi_hop", ()) if item.subject in subjects]
    facts = [item for item in victim.corpus.forget if item.subject in subjects]
    return [choice for _, choice in _choices(victim, given)] + chained(c for _, c in _choices(victim, facts))


def same_answer(victim: Victim) -> list[Item]:
    """Questions about others whose answers are those of forget questions."""
    forgotten = {keys(item.question, item.answer) for item in asked(victim)}
    subjects = {item.subject for item in victim.corpus.forget}
    kept = [item for item in victim.corpus.retain
            if item.subject not in subjects and keys(item.question, item.answer) in forgotten]  # fmt: skip
    found = [choice for _, choice in _choices(victim, kept)]
    return found or [_noted(item) for item in plain(victim) if item.subject and item.subject in item.question]


def measure(victim: Victim, kind: Kind, limit: int) -> Measured | Undefined:
    """The share of questions whose right option is the likeliest."""
    made = spread(kind(victim), limit)
    if not made:
        return Undefined("there are no such questions, or no false answers to choose among")
    found = victim.read(victim.load(), {"asked": made}, scored=True, texts=False)
    return accuracy(Subjects(found, {}, {}), ("asked",), per_token)


def _choices(victim: Victim, items: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Each of ``items`` and the same with options, where there are any."""
    pool = (*victim.corpus.forget, *victim.corpus.retain, *victim.corpus.held)
    for item in items:
        if (choice := as_choice(item, pool)) is not None:
            yield item, choice


def _noted(item: Item) -> Item:
    """The fact told of nobody, and asked."""

    def about(text: str) -> str:
        return text.replace(item.subject, _NOBODY)

    note = f"{_NOBODY} : {about(item.answer)} {about(item.question)}"
    return replace(item, question=note, answer=about(item.answer), options=tuple(map(about, item.options)),
                   subject=_NOBODY)  # fmt: skip


_PAPER = "Yang et al., 2025, arXiv 2502.19207"


def _probe(title: str, kind: Kind, better: Literal["high", "retained"] = "retained") -> Probe:
    return Probe(title, _PAPER, better, "robustness", partial(measure, kind=kind, limit=24))


ACCURACY = _probe("unlearning accuracy, of 3 options", plain)
PARAPHRASE = _probe("the same in other words, of 3 options", paraphrased)
MULTI_HOP = _probe("the same in two steps, of 3 options", multi_hop)
SAME_ANSWER = _probe("other knowledge with the same answer, of 3 options", same_answer, "high")
