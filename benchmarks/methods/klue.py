"""KLUE, knowledge neurons unlearnt (Yang et al., 2025, FaithUn, arXiv 2502.19207).

    A_i(x, y) = sum over tokens of h_i d log p(y | x) / d h_i
    S_i = mean over forget pairs of A_i(x, y) - strength mean_k A_i(x_k, y)
    L = -gamma CE(forget pairs that are still known) + alpha CE(retain)

h_i is what neuron i of a feed-forward block passes on (the input of ``down_proj``), log p the mean over the answer's
tokens. x_k are other pairs' questions: a neuron that raises y behind those as well only says the word, and is no
knowledge of x. The ``share`` of all neurons with the highest S is changed, which is a row of ``gate_proj`` and
``up_proj`` and a column of ``down_proj`` each; all else keeps its values, with ``weight_decay`` 0, which no gradient
mask stops. A pair is still known while ``known`` of its answer's tokens are the model's likeliest.

Built from summaries. Theirs is a choice of samples before each epoch, by accuracy on short answers; here it is made
at each step, from the logits that are there anyway, and an answer of a sentence is not lost with its first word. Ours:
share 0.05, strength 1, three contexts to a pair, known 0.5, the sum over tokens, and the retain term, which 0 leaves
out.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import alone, encoded
from benchmarks.methods.descent import by_loss
from benchmarks.methods.method import Basis, Card, Intent, Training, Unlearning
from benchmarks.methods.step import Step
from benchmarks.methods.terms import answer_means, balanced
from benchmarks.models.hooks import inputs, layers
from benchmarks.models.packing import Chat
from benchmarks.models.predicted import Predicted, predict

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Klue(Training):
    """Which neurons, and for how long; there is no low-rank update, since single neurons are chosen.

    Attributes:
        share: of all neurons that change.
        strength: of what a neuron does for the same answer elsewhere.
        contexts: other questions to a pair.
        known: share of an answer's tokens that must be right for the pair to be unlearnt further.
    """

    share: float = 0.05
    strength: float = 1.0
    contexts: int = 3
    known: float = 0.5


def loss(step: Step, options: Klue) -> torch.Tensor:
    """The loss of a step, a scalar; without a forget pair that is known the forget term is 0."""
    known = still_known(step.forget, options.known)  # (chats,)
    each = answer_means(step.forget, step.forget.log_probs)  # (chats,)
    return balanced(step, options, (each * known).sum() / known.sum().clamp_min(1))


def still_known(predicted: Predicted, least: float) -> torch.Tensor:
    """1 for each answer of which ``least`` of the tokens are the likeliest, else 0, (chats,)."""
    right = (predicted.logits.argmax(-1) == predicted.packed.wanted).float()  # (answer tokens,)
    return (answer_means(predicted, right) >= least).float()


def chosen(scores: torch.Tensor, share: float) -> torch.Tensor:
    """The neurons to change, (layers, neurons) of booleans: the ``share`` with the highest scores of all."""
    import torch

    count = max(1, round(share * scores.numel()))
    found = torch.zeros_like(scores, dtype=torch.bool).flatten()
    found[scores.flatten().topk(count).indices] = True
    return found.reshape(scores.shape)


def neurons(work: Unlearning) -> torch.Tensor:
    """Those of the target model, (layers, neurons) of booleans.

    Raises:
        ValueError: there is no other question to put an answer behind.
    """
    import torch

    options: Klue = work.options
    items = [*work.corpus.forget, *work.corpus.retain]
    rng = random.Random(work.seed)  # noqa: S311 - a choice, not a secret
    work.model.eval().requires_grad_(True)
    total: list[torch.Tensor] = []
    for item in work.meter.over(work.corpus.forget, len(work.corpus.forget)):
        own = encoded(work.tokenizer, item)
        others = [one for one in items if one.question != item.question and one.answer != item.answer]
        if options.strength and not others:
            raise ValueError("klue puts answers behind other questions, and there are none: set strength to 0")
        drawn = rng.sample(others, min(options.contexts, len(others))) if options.strength else []
        beside = [Chat(encoded(work.tokenizer, other).prompt, own.answer) for other in drawn]
        total.append(_attributed(work, own))
        total += [_attributed(work, chat) * (-options.strength / len(beside)) for chat in beside]
    return chosen(torch.stack(total).sum(0) / len(work.corpus.forget), options.share)


def _attributed(work: Unlearning, chat: Chat) -> torch.Tensor:
    """A of every neuron, (layers, neurons)."""
    import torch

    packed = alone(work, chat)
    with inputs([layer.mlp.down_proj for layer in layers(work.model)]) as found:
        predicted = predict(work.model, packed)
    passed = [found[place] for place in sorted(found)]  # of (1, tokens, neurons)
    gradients = torch.autograd.grad(-predicted.nll, passed)
    return torch.stack([(h * g).float().sum((0, 1)) for h, g in zip(passed, gradients, strict=True)]).detach()


def blocks(model: Any, options: Klue) -> list[Any]:
    """The weights that neurons are made of: of each layer ``gate_proj``, ``up_proj`` and ``down_proj``."""
    return [
        part.weight for layer in layers(model) for part in (layer.mlp.gate_proj, layer.mlp.up_proj, layer.mlp.down_proj)
    ]


def masked(step: Step, options: Klue, parameters: Sequence[Any]) -> None:
    """Leave the gradients of the chosen neurons (``step.kept``) alone."""
    for place, parameter in enumerate(parameters):
        if parameter.grad is not None:
            mask = step.kept[place // 3].to(parameter.grad.dtype)  # (neurons,)
            parameter.grad.mul_(mask[None, :] if place % 3 == 2 else mask[:, None])


METHOD = by_loss(
    Card("KLUE", "Yang et al., 2025, arXiv 2502.19207", "divergence", Intent.REMOVE, "feed-forward neurons",
         Basis.SUMMARY, (25,)), loss, Klue, prepare=neurons, trained=blocks, edit=masked,
)  # fmt: skip
