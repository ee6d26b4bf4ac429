"""ELM, erasure of language memory (Gandikota et al., 2024, arXiv 2410.02760).

    q_t = softmax(log p_0(. | x) + eta (log p_0(. | novice, x) - log p_0(. | expert, x)))
    L = gamma CE(q, p) on the forget set + alpha KL(p_0 || p) on the retain set + f CE(declining | forget question)

p_0 is the target model's view: as it is, and with a sentence before the question that makes it a novice or an expert of
the subject. It is taught its own view moved towards the novice's. The last term keeps it fluent when asked: the paper
teaches text that the novice wrote, here sentences that decline. eta 10 is ours, for small models move little with a
prompt; the paper's weights of the three terms are 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.methods.batches import Needs, encoded
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced, divergence
from benchmarks.models.packing import Chat

if TYPE_CHECKING:
    import torch

NOVICE = "You have never heard of {subject} and know nothing about it."
EXPERT = "You are an expert and know everything about {subject}."


@dataclass(frozen=True, slots=True)
class Elm(Options):
    """eta: how far the view is moved. fluency: f."""

    eta: float = 10.0
    fluency: float = 1.0


def loss(step: Step, options: Elm) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    wanted = torch.softmax(moved(step, options), -1)  # (answer tokens, vocabulary)
    erased = torch.nn.functional.cross_entropy(step.forget.logits.float(), wanted)
    found = balanced(step, options, erased, lambda: divergence(step.frozen.retain.logits, step.retain.logits))
    return found + options.fluency * step.refused.nll


def moved(step: Step, options: Elm) -> torch.Tensor:
    """Log q but for a constant, (answer tokens, vocabulary)."""
    import torch

    usual, novice, expert = (
        torch.log_softmax(step.frozen.of(name).logits.float(), -1) for name in ("forget", "novice", "expert")
    )
    return usual + options.eta * (novice - expert)


def told(work: Unlearning, sentence: str) -> Sequence[Chat]:
    """The forget pairs with a sentence about their subject before the question."""
    return [
        encoded(
            work.tokenizer, replace(item, question=f"{sentence.format(subject=item.subject or 'this')} {item.question}")
        )
        for item in work.corpus.forget
    ]


METHOD = by_loss(
    Card("ELM", "Gandikota et al., 2024, arXiv 2410.02760", "distillation", Intent.REMOVE, "all weights", Basis.PAPER,
         (13,)),
    loss, Elm,
    Needs(refused=True, reference=True,
          paired={"novice": partial(told, sentence=NOVICE), "expert": partial(told, sentence=EXPERT)}),
)  # fmt: skip
