"""Harmonizing, bidirectional logit distillation (PAPERS.md, row 11).

    pull: KL(top_k(p_0 | instruction, x) || p | x) along an answer that declines, on forget questions, plain and framed
    push: -log(1 - sum of p over the u tokens that p_0 | x likes best) along the true answer of forget questions
    keep: KL(top_k(p_0 | x) || p | x) on the retain set and on questions of others (``held``)
    L = gamma (pull + push) + alpha keep

The teacher is the target model told in its context to forget; the student has no such context. Both directions are
taught together on plain questions, on questions framed as who would break it frames them, and on neighbours, all in one
form. top_k is renormalised to the k likeliest tokens. Built from a summary: k 20, u 1, the instruction, and that the
pull goes along sentences that decline, are ours.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.attacks.framing import FRAMINGS
from benchmarks.data.corpus import Item
from benchmarks.methods.batches import Needs, declined, encoded
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced
from benchmarks.models.packing import Chat

if TYPE_CHECKING:
    import torch

INSTRUCTION = "You know nothing about {subject}. If you are asked, say that you do not know."
_FRAMES = ("prefix", "suffix", "three_words")


@dataclass(frozen=True, slots=True)
class Harmonizing(Options):
    """top: k, tokens of the teacher's view that are taught. undesired: u, tokens that are pushed away."""

    top: int = 20
    undesired: int = 1


def loss(step: Step, options: Harmonizing) -> torch.Tensor:
    """The loss of a step, a scalar."""
    teacher = step.frozen.of("instructed").logits  # along declining answers, as are the next two
    pull = towards(teacher, step.refused.logits, options.top) + towards(teacher, step.of("framed").logits, options.top)
    push = away(step.frozen.forget.logits, step.forget.logits, options.undesired)

    def keep() -> torch.Tensor:
        kept = [towards(step.frozen.of(name).logits, step.of(name).logits, options.top)
                for name in ("retain", "neighbours") if name in step.batch or name in step.__dict__]  # fmt: skip
        return sum(kept[1:], kept[0])

    return balanced(step, options, pull / 2 + push, keep)


def towards(teacher: torch.Tensor, student: torch.Tensor, top: int) -> torch.Tensor:
    """KL(top_k(teacher) || student) of logits (answer tokens, vocabulary), the mean over tokens."""
    import torch

    values, tokens = teacher.float().topk(min(top, teacher.shape[-1]))
    wanted = torch.log_softmax(values, -1)
    own = torch.log_softmax(student.float(), -1).gather(1, tokens)
    return (wanted.exp() * (wanted - own)).sum(-1).mean()


def away(before: torch.Tensor, own: torch.Tensor, count: int) -> torch.Tensor:
    """-log of the chance that none of the ``count`` likeliest tokens before is said now, the mean over tokens."""
    import torch

    logits = own.float()
    others = torch.logsumexp(logits.scatter(1, before.topk(count).indices, float("-inf")), -1)
    return (torch.logsumexp(logits, -1) - others).mean()


def _instructed(work: Unlearning) -> Sequence[Chat]:
    return declined(work, _asked(work, lambda item: f"{INSTRUCTION.format(subject=item.subject)} {item.question}"))


def _framed(work: Unlearning) -> Sequence[Chat]:
    rng = random.Random(work.seed)  # noqa: S311 - a choice, not a secret
    return declined(work, _asked(work, lambda item: FRAMINGS[rng.choice(_FRAMES)](item.question, rng)))


def _asked(work: Unlearning, ask: Callable[[Item], str]) -> list[Item]:
    return [replace(item, question=ask(item)) for item in work.corpus.forget]


def _neighbours(work: Unlearning) -> Sequence[Chat]:
    """Questions of others; the retain set's own where the data set holds none back."""
    return [encoded(work.tokenizer, item) for item in work.corpus.held or work.corpus.retain]


METHOD = by_loss(
    Card("Harmonizing", "PAPERS.md, row 11", "distillation", Intent.SUPPRESS, "all weights", Basis.SUMMARY, (11,)),
    loss, Harmonizing,
    Needs(refused=True, reference=True, paired={"instructed": _instructed, "framed": _framed},
          beside={"neighbours": _neighbours}),
)  # fmt: skip
