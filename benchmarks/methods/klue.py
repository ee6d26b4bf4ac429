"""KLUE, knowledge-localised unlearning (Yang et al., 2025, FaithUn, arXiv 2502.19207).

    A(q, y): gradient x activation of each feed-forward neuron for log p(y | q)
    score = A(forget question, answer) - s A(other question, the same answer)
    L = -gamma CE(forget pairs that are still answered right) + alpha CE(retain), on the top neurons' weights alone

Neurons that merely say the answer's words, whatever was asked, score low: the second term takes what they add where the
same answer stands behind other knowledge's questions. A pair counts while each token of its answer is still the
likeliest one; the paper looks after each epoch, here every step does. So an answer is unlearnt until it is not said any
more and no further. Built from summaries: the share of neurons, 5 %, and s 1 are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import RETAIN
from benchmarks.methods.descent import descend
from benchmarks.methods.method import Basis, Card, Intent, Method, Training, Unlearning
from benchmarks.methods.neurons import attributions, own_weights, top
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, balanced
from benchmarks.models.predicted import Predicted

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Klue(Training):
    """share: of neurons that change. superficial: s. Single neurons are chosen, so there is no low-rank update."""

    share: float = 0.05
    superficial: float = 1.0


def known(predicted: Predicted) -> torch.Tensor:
    """Whether each answer is still said, token by token, (chats,) of 0 and 1."""
    right = (predicted.logits.argmax(-1) == predicted.packed.wanted).float()
    return (predicted.by_chat(right) == predicted.lengths).float()


def loss(step: Step, options: Klue) -> torch.Tensor:
    """The loss of a step, a scalar."""
    counted = known(step.forget)  # (chats,)
    ascent = (answer_means(step.forget, step.forget.log_probs) * counted).sum() / counted.sum().clamp_min(1)
    return balanced(step, options, ascent)


def elsewhere(forget: Sequence[Item], others: Sequence[Item]) -> list[Item]:
    """Each forget answer behind a question about something else."""
    return [replace(others[place % len(others)], answer=item.answer) for place, item in enumerate(forget)]


def masked(step: Step, options: Any, parameters: Sequence[Any]) -> None:
    """Leave the gradients of the chosen neurons (``step.kept``: masks beside the parameters)."""
    for parameter, mask in zip(parameters, step.kept, strict=True):
        if parameter.grad is not None:
            parameter.grad.mul_(mask)


def run(work: Unlearning) -> Any:
    """The target model, in place.

    Raises:
        ValueError: the retain set is empty, from which the other questions come.
    """
    options, forget = work.options, work.corpus.forget
    if not work.corpus.retain:
        raise ValueError("klue asks the retain set's questions for the forget set's answers, and it is empty")
    work.model.eval().requires_grad_(True)
    scores = attributions(work, forget)
    scores -= options.superficial * attributions(work, elsewhere(forget, work.corpus.retain))
    weights = own_weights(work.model, top(scores, options.share))
    return descend(
        work, loss, RETAIN, kept=[mask for _, mask in weights], trained=lambda model, _: [own for own, _ in weights],
        edit=masked,
    )  # fmt: skip


METHOD = Method(
    Card("KLUE", "Yang et al., 2025, arXiv 2502.19207", "weights", Intent.REMOVE, "neurons that hold the knowledge",
         Basis.SUMMARY, (25,)), Klue, run,
)  # fmt: skip
