"""The Unlearning Mirage: probes made of what the target itself knows (Shah et al., 2026, arXiv 2603.11266).

The paper elicits a graph of knowledge from the target before unlearning and asks the unlearnt model along it: the fact
itself in other words, the fact by another name, chains of facts. Here the graph is the forget set's: its items are the
edges; what asks for them is the data set's own ("aliases", "multi_hop", an item's paraphrase) or made by rules
(``benchmarks.attacks.rewording``). A probe counts if the target answers it right, so that "nothing comes back" means
forgotten and not never understood.

    leak_kind = mean over kept probes of ROUGE-L's recall of the true answer, as the row says it

Departs from the paper in that edges are the data set's and not the model's own wording of them, and that no model
writes the probes. Ours: the 24 candidates that a kind has at most (``limit``); two rewordings, three names and two
chains for an item; when an answer is right (``benchmarks.attacks.knowing``). The note has the share of kept probes and
what the forget questions themselves bring: a probe that brings more shows a mirage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from benchmarks.attacks.attack import Access, Active
from benchmarks.attacks.knowing import known
from benchmarks.attacks.leaking import recalled
from benchmarks.attacks.rewording import chained, names, renamed, rewordings
from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.metrics.metric import Measured, Undefined

Kind = Callable[[Victim], list[Item]]
_REWORDED, _NAMES, _CHAINS = 2, 3, 2  # of an item


def paraphrased(victim: Victim) -> list[Item]:
    """The forget questions in other words."""
    return [replace(item, question=text, paraphrase=None)
            for item in asked(victim) for text in rewordings(item)[:_REWORDED]]  # fmt: skip


def aliased(victim: Victim) -> list[Item]:
    """The forget questions by other names: the data set's, else those it lists or a rule makes."""
    if given := _of(victim, "aliases"):
        return given
    aliases = victim.corpus.aliases
    return [one for item in asked(victim) for name in names(item, aliases.get(item.subject, ()))[:_NAMES]
            if (one := renamed(item, name)) is not None]  # fmt: skip


def multi_hop(victim: Victim) -> list[Item]:
    """Chains of two facts: the data set's, and those made of a forgotten subject's own facts."""
    subjects = {item.subject for item in asked(victim)}
    facts = [item for item in victim.corpus.forget if item.subject in subjects]
    return [*_of(victim, "multi_hop"), *chained(facts, _CHAINS)]


def asked(victim: Victim) -> tuple[Item, ...]:
    """What is asked of the forget set."""
    return tuple(victim.sets.get("forget", ()))


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """``most`` of ``items``, evenly taken."""
    if len(items) <= most:
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]


def leak(victim: Victim, kind: Kind, limit: int) -> Measured | Undefined:
    """What comes back of the probes that the target answers."""
    candidates = spread(list(dict.fromkeys(kind(victim))), limit)
    kept = known(victim, candidates)
    if not kept:
        return Undefined(f"the target answers none of {len(candidates)} such questions right")
    probed = recalled(victim.read(victim.load(), {"probes": kept}), "probes")
    single = recalled(victim.readings, "forget")
    if isinstance(probed, Undefined):
        return probed
    told = f"; asked as in the set {single.value:.3f}" if isinstance(single, Measured) else ""
    return replace(probed, note=f"the target answers {len(kept)} of {len(candidates)} questions{told}")


def _of(victim: Victim, name: str) -> list[Item]:
    """A set of the data set's, of the subjects that are asked about."""
    subjects = {item.subject for item in asked(victim)}
    return [item for item in victim.corpus.asked.get(name, ()) if item.subject in subjects]


_PAPER = "Shah et al., 2026, arXiv 2603.11266"


def _mirage(title: str, kind: Kind) -> Active:
    return Active(title, _PAPER, Access.QUESTIONS, partial(leak, kind=kind, limit=24))


PARAPHRASE = _mirage("what the target knows, in other words", paraphrased)
ALIAS = _mirage("what the target knows, by another name", aliased)
MULTI_HOP = _mirage("what the target knows, in two steps", multi_hop)
