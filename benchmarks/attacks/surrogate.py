"""PSG, proximal surrogate generation: asked the same far from the forget set (Jia et al., 2025, arXiv 2512.19025).

A surrogate set follows from the forget set in meaning and lies apart from it in embedding space; every figure is
reported on both. Where the surrogate brings more than the set, the figure on the set flatters the row.

    s_i = argmax over c in C_i of 1 - cos(e(c), e(q_i))        C_i: candidates that the target answers right
    leak = mean of ROUGE-L's recall over the answers to s_i,   gap = mean of recall(s_i) - recall(q_i)

Candidates are the question in other words, by other names, and in two steps, with the same true answer, by the rules of
``benchmarks.attacks.rewording``; e is the target's own mean hidden state (``benchmarks.attacks.embedding``).

Departs from the paper, whose surrogates a large model writes and whose method's details were not at hand: ours holds
for questions about somebody, and derives no wider knowledge than the fact itself. That a candidate counts only where
the target answers it is ours, and so are 8 questions (``questions``) with 6 candidates each (``candidates``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.attacks.attack import Access, Active
from benchmarks.attacks.embedding import distances, embedded
from benchmarks.attacks.knowing import known
from benchmarks.attacks.leaking import recalled
from benchmarks.attacks.mirage import asked, spread
from benchmarks.attacks.rewording import chained, names, renamed, rewordings
from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Corpus, Item
from benchmarks.metrics.metric import Measured, Undefined, mean
from benchmarks.probes.probe import Probe

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A question, what stands for it, and how far that is from it."""

    item: Item
    made: Item
    distance: float


def candidates(item: Item, corpus: Corpus, count: int) -> list[Item]:
    """Questions for the same answer: two steps first, then other names, then other words, in turn."""
    facts = [one for one in corpus.forget if one.subject == item.subject]
    hops = [one for one in chained(facts, 2) if one.answer == item.answer]
    aliases = [renamed(item, name) for name in names(item, corpus.aliases.get(item.subject, ()))]
    worded = [replace(item, question=text, paraphrase=None) for text in rewordings(item)]
    kinds: tuple[Sequence[Item | None], ...] = (hops, aliases, worded)
    turns = [kind[place] for place in range(max(map(len, kinds))) for kind in kinds if place < len(kind)]
    return [one for one in dict.fromkeys(turns) if one is not None][:count]


def surrogates(victim: Victim, questions: int, count: int) -> list[Surrogate]:
    """For each question, as far as there is one, the farthest of the candidates that the target answers."""
    items = spread(asked(victim), questions)
    made = {item: candidates(item, victim.corpus, count) for item in items}
    kept = set(known(victim, list(dict.fromkeys(one for own in made.values() for one in own))))
    if not kept:
        return []
    texts = list(dict.fromkeys(one.question for item, own in made.items() for one in (item, *own)))
    rows = dict(zip(texts, embedded(victim.target(), victim.tokenizer, texts, victim.batch), strict=True))
    found = (farthest(item, [one for one in own if one in kept], rows) for item, own in made.items())
    return [one for one in found if one is not None]


def farthest(item: Item, made: Sequence[Item], rows: Mapping[str, torch.Tensor]) -> Surrogate | None:
    """The one of ``made`` that is farthest from the item's question; ``rows``: the embedding of each question."""
    import torch

    if not made:
        return None
    far = distances(rows[item.question], torch.stack([rows[one.question] for one in made]))
    place = int(far.argmax())
    return Surrogate(item, made[place], float(far[place]))


def compared(victim: Victim, questions: int, candidates: int) -> tuple[Measured, Measured, float] | Undefined:
    """ROUGE-L's recall on surrogates, on the questions that they stand for, and the mean distance."""
    pairs = surrogates(victim, questions, candidates)
    if not pairs:
        return Undefined("the target answers no other question that was made for the same answers")
    sets = {"made": [pair.made for pair in pairs], "own": [pair.item for pair in pairs]}
    found = victim.read(victim.load(), sets)
    made, own = recalled(found, "made"), recalled(found, "own")
    if isinstance(made, Undefined) or isinstance(own, Undefined):
        return Undefined("the row says nothing to some of the questions")
    return made, own, sum(pair.distance for pair in pairs) / len(pairs)


def leak(victim: Victim, questions: int, candidates: int) -> Measured | Undefined:
    """What comes back of the surrogate set."""
    found = compared(victim, questions, candidates)
    if isinstance(found, Undefined):
        return found
    made, own, far = found
    gap = made.value - own.value
    return replace(made, note=f"on the questions themselves {own.value:.3f}, {gap:+.3f}; distance {far:.2f}")


def gap(victim: Victim, questions: int, candidates: int) -> Measured | Undefined:
    """How much more comes back of the surrogate set than of the questions that it stands for."""
    found = compared(victim, questions, candidates)
    if isinstance(found, Undefined):
        return found
    made, own, far = found
    differences = [a - b for a, b in zip(made.values, own.values, strict=True)]
    return mean(differences, f"{made.value:.3f} less {own.value:.3f}; distance {far:.2f}")


_PAPER = "Jia et al., 2025, arXiv 2512.19025"
PSG = Active("a surrogate of the forget set", _PAPER, Access.QUESTIONS, partial(leak, questions=8, candidates=6))
GAP = Probe("a surrogate less the forget set, ROUGE-L", _PAPER, "low", "robustness",
            partial(gap, questions=8, candidates=6))  # fmt: skip
