"""Harmonizing, bidirectional logit distillation (Zhong et al., 2026, arXiv 2604.15482).

    pull(T, p) = KL(top_k(T) || p), top_k(T) being T's k likeliest tokens, renormalised
    push(B, T, p) = -log(1 - sum of p over the u tokens likeliest under B that are not of T's k likeliest)
    L_f = pull(T_i, p) + push(T_x, T_i, p) along answers that decline, + push(T_x, -, p) along the true answers
    L_r = pull(T_x, p) + push(T_i, T_x, p) along the true answers
    L = gamma L_f + alpha L_r, of pull and push the means over answer tokens; ``push`` weighs the pushes

The teacher is the target model, T_i its view with an instruction before the question to know nothing of the subject,
T_x its view without; the student p sees no instruction. What is wanted on forget questions is what is not on others and
the other way round, so that one loss serves both: declining is pulled on the one and pushed on the other. The four
kinds of prompts are taught together, all as one turn of a chat (running text is asked to be continued): L_f is the mean
over forget questions plain and framed as who would get round it frames them, L_r over the retain set and over each
forget pair's neighbour, the retain pair with the most of its words, framed as often as not so that a frame is no sign.
The push along true answers is against answers that are begun by the prompt (prefilling).

The paper's abstract and summaries were to be had, not its losses: their form, k 20, u 1, the weights, the instruction
and the frames are ours. Its neighbours, and all its corpora, are written by a large model; neighbours from the held-out
set would teach on what membership inference takes for unseen. Frames are of ``attacks.framing``, so that figures under
other frames and jailbreaks are those of unseen ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.attacks.framing import FRAMINGS
from benchmarks.data.corpus import Item
from benchmarks.methods.batches import Make, Needs, declined, encoded
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Options, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced

if TYPE_CHECKING:
    import torch

INSTRUCTION = "You know nothing about {subject}. If you are asked, say that you do not know."
CONTINUE = "Continue this text: {text}"

Change = Callable[[Unlearning, Sequence[Item]], list[Item]]


@dataclass(frozen=True, slots=True)
class Harmonizing(Options):
    """What is taught.

    Attributes:
        top: k, tokens of the teacher's view that are taught.
        undesired: u, tokens that are pushed away.
        push: how much the pushes count; 0 leaves distillation in one direction.
        frames: names in ``attacks.framing`` of the frames that are taught.
    """

    top: int = 20
    undesired: int = 1
    push: float = 1.0
    frames: tuple[str, ...] = ("prefix", "role_play", "other_tasks")


def loss(step: Step, options: Harmonizing) -> torch.Tensor:
    """The loss of a step, a scalar."""

    def taught(own: str, wanted: str, undesired: str) -> torch.Tensor:
        """Pull and push of a set of the student's, by two views of the teacher's along the same answers."""
        student, teacher = step.of(own).logits, step.frozen.of(wanted).logits
        pushed = away(step.frozen.of(undesired).logits, student, options.undesired, _likeliest(teacher, options.top))
        return towards(teacher, student, options.top) + options.push * pushed

    def truth(own: str) -> torch.Tensor:
        return options.push * away(step.frozen.of(own).logits, step.of(own).logits, options.undesired)

    declining = taught("refused", "instructed", "refused") + taught("framed", "instructed", "framed")
    forget = (declining + truth("asked") + truth("framed_asked")) / 2
    return balanced(
        step, options, forget,
        lambda: (taught("retained", "retained", "retained_instructed")
                 + taught("neighbours", "neighbours", "neighbours_instructed")) / 2,
    )  # fmt: skip


def towards(teacher: torch.Tensor, student: torch.Tensor, top: int) -> torch.Tensor:
    """KL(top_k(teacher) || student) of logits (answer tokens, vocabulary), the mean over tokens."""
    import torch

    tokens = _likeliest(teacher, top)
    wanted = torch.log_softmax(teacher.float().gather(1, tokens), -1)
    own = torch.log_softmax(student.float(), -1).gather(1, tokens)
    return (wanted.exp() * (wanted - own)).sum(-1).mean()


def away(before: torch.Tensor, own: torch.Tensor, count: int, spared: torch.Tensor | None = None) -> torch.Tensor:
    """-log of the chance that none of the ``count`` likeliest tokens before is said now, the mean over tokens.

    ``spared``: tokens that are not pushed, (answer tokens, k).
    """
    import torch

    logits, likely = own.float(), before.float()
    if spared is not None:
        likely = likely.scatter(1, spared, float("-inf"))
    values, tokens = likely.topk(min(count, likely.shape[-1] - 1))
    left = torch.where(values.isinf(), logits.gather(1, tokens), float("-inf"))  # where all others are spared
    others = torch.logsumexp(logits.scatter(1, tokens, left), -1)
    return (torch.logsumexp(logits, -1) - others).mean()


def neighbours(forget: Sequence[Item], retain: Sequence[Item]) -> list[Item]:
    """For each of ``forget`` the one of ``retain`` whose question has the most of its words, the first of equals."""
    bags = [_words(item) for item in retain]

    def nearest(item: Item) -> Item:
        words = _words(item)
        return retain[max(range(len(bags)), key=lambda at: len(words & bags[at]) / max(1, len(words | bags[at])))]

    return [nearest(item) for item in forget]


def _words(item: Item) -> set[str]:
    return set(item.question.lower().split())


def _likeliest(logits: torch.Tensor, count: int) -> torch.Tensor:
    return logits.topk(min(count, logits.shape[-1])).indices  # (answer tokens, k)


def _unified(work: Unlearning, items: Sequence[Item]) -> list[Item]:
    """Running text as a question like all others."""
    return [replace(i, question=CONTINUE.format(text=i.question), plain=False) if i.plain else i for i in items]


def _instructed(work: Unlearning, items: Sequence[Item]) -> list[Item]:
    """With the instruction before each question."""
    told = [INSTRUCTION.format(subject=item.subject or "what is asked here") for item in items]
    return [replace(item, question=f"{sentence}\n{item.question}") for sentence, item in zip(told, items, strict=True)]


def _framed(work: Unlearning, items: Sequence[Item]) -> list[Item]:
    """Each question in a frame that the seed chooses.

    Raises:
        ValueError: there is no such frame.
    """
    if not (names := work.options.frames) or not set(names) <= set(FRAMINGS):
        raise ValueError(f"harmonizing takes frames from {', '.join(FRAMINGS)}, not {', '.join(names) or 'none'}")
    rng = random.Random(work.seed)  # noqa: S311 - a choice, not a secret
    return [replace(item, question=FRAMINGS[rng.choice(names)](item.question, rng)) for item in items]


def _near(work: Unlearning, items: Sequence[Item]) -> list[Item]:
    """The neighbours of the forget pairs ``items``, every other one framed.

    Where there is no retain set, its weight is 0 and nobody looks: the pairs stand for their own.
    """
    if not work.corpus.retain:
        return list(items)
    plain = neighbours(items, _unified(work, work.corpus.retain))
    pairs = zip(plain, _framed(work, plain), strict=True)
    return [both[number % 2] for number, both in enumerate(pairs)]


def _declining(*changes: Change) -> Make:
    """The forget questions after ``changes``, declined."""
    return lambda work: declined(work, _changed(work, work.corpus.forget, changes))


def _answered(*changes: Change) -> Make:
    """The forget pairs after ``changes``."""
    return lambda work: [encoded(work.tokenizer, item) for item in _changed(work, work.corpus.forget, changes)]


def _retained(*changes: Change) -> Make:
    """The retain pairs after ``changes``."""
    return lambda work: [encoded(work.tokenizer, item) for item in _changed(work, work.corpus.retain, changes)]


def _changed(work: Unlearning, items: Sequence[Item], changes: Sequence[Change]) -> list[Item]:
    found = _unified(work, items)
    for change in changes:
        found = change(work, found)
    return found


METHOD = by_loss(
    Card("Harmonizing", "Zhong et al., 2026, arXiv 2604.15482", "distillation", Intent.SUPPRESS, "all weights",
         Basis.SUMMARY, (11,)), loss, Harmonizing,
    Needs(reference=True, paired={
        "refused": _declining(), "instructed": _declining(_instructed), "framed": _declining(_framed),
        "asked": _answered(), "framed_asked": _answered(_framed),
        "neighbours": _answered(_near), "neighbours_instructed": _answered(_near, _instructed),
    }, beside={"retained": _retained(), "retained_instructed": _retained(_instructed)}),
)  # fmt: skip
