"""Fine-tuning brings back what was hidden: in the domain of the forget set, or far from it.

Relearning (Lynch et al., 2024, arXiv 2402.16835; Hu et al., 2024, arXiv 2406.13356): the model is taught every second
pair of the forget set, and asked the others. Fine-tuning out of domain (the full-stack view's distinction, PAPERS.md
row 13): it is taught the pairs of ``held``, which are like the forget set but of others, and asked all.

Three epochs at 5e-5, eight pairs to a step, are ours: a few steps, as an attacker with little data takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from benchmarks.attacks.attack import Access, Active
from benchmarks.attacks.leaking import leak_of
from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Corpus, Item
from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import descend
from benchmarks.methods.method import Options, Unlearning
from benchmarks.methods.terms import taught
from benchmarks.metrics.metric import Measured, Undefined


def tuned(victim: Victim, items: Sequence[Item], epochs: int, lr: float) -> Any:
    """The row's weights, taught ``items``."""
    options = Options(epochs=epochs, lr=lr, retain_weight=0.0)
    work = Unlearning(victim.load(), victim.tokenizer, Corpus("attack", tuple(items), ()), options, victim.seed,
                      victim.target, victim.target, None, victim.meter)  # fmt: skip
    return descend(work, taught, Needs(retain=False))


def in_domain(victim: Victim, epochs: int, lr: float) -> Measured | Undefined:
    """What comes back of the half that is not taught."""
    asked = victim.sets.get("forget", ())
    rest = asked[::2]
    if len(rest) == len(asked):
        return Undefined("one question is too few: half of the forget set is taught, and the other half asked")
    kept = {item.question for item in rest}
    known = [item for item in victim.corpus.forget if item.question not in kept]
    return leak_of(victim, tuned(victim, known, epochs, lr), rest)


def out_of_domain(victim: Victim, epochs: int, lr: float) -> Measured | Undefined:
    """What comes back after other things were taught."""
    if not victim.corpus.held:
        return Undefined("the data set holds nothing back to be taught")
    return leak_of(victim, tuned(victim, victim.corpus.held, epochs, lr))


IN_DOMAIN = Active("relearnt from half of it", "Lynch et al., 2024, arXiv 2402.16835", Access.WEIGHTS,
                   partial(in_domain, epochs=3, lr=5e-5))  # fmt: skip
OUT_OF_DOMAIN = Active("fine-tuned on something else", "PAPERS.md, row 13", Access.WEIGHTS,
                       partial(out_of_domain, epochs=3, lr=5e-5))  # fmt: skip
