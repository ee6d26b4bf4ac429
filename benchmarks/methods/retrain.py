"""Retraining: the model from before, taught the retain set alone. What unlearning is measured by, and what it saves.

    L = CE(retain), from the base model

Defaults are those of ``benchmarks.models.training.Recipe``, by which the target model was made. Give it another
target's recipe where that was taught otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks.methods.batches import Needs
from benchmarks.methods.descent import descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Options, Unlearning
from benchmarks.methods.terms import taught


@dataclass(frozen=True, slots=True)
class Retrain(Options):
    """The recipe; an epoch goes through the retain set, and the weights of the two losses mean nothing."""

    epochs: int = 10
    lr: float = 5e-4
    warmup: float = 0.05


def run(work: Unlearning) -> Any:
    """The base model, taught."""
    learnt = work.corpus.forgetting(work.corpus.retain)
    return descend(replace(work, model=work.base(), corpus=learnt), taught, Needs(retain=False))


METHOD = Method(
    Card("Retraining", "exact unlearning: Cao and Yang, 2015", "retraining", Intent.REMOVE,
         "all weights, anew", Basis.PAPER),
    Retrain, run, copies=5,
)  # fmt: skip
