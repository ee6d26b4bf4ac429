"""Who's Harry Potter (Eldan and Russinovich, 2023, arXiv 2310.02238).

    v_generic = v_base - alpha relu(v_reinforced - v_base)
    q = softmax(v_generic), L = gamma mean CE(q, p) + alpha_r CE(retain)

v_reinforced are the logits of the target model after it was taught the forget set once more (CE, made here first), on
the pair as it is; v_base those of the target model on the pair with names replaced by generic ones (an item's subject,
its parts and aliases, where the question has them). q is the label where an answer token is the same in both; a name's
own tokens have none. It is kept of the ``top`` likeliest tokens, so that two models need not stay in memory.

Defaults: alpha 5, 3 epochs of reinforcement at three times the rate, and no retain set, from the paper (rates 3e-6 and
1e-6 there, for 7B parameters); ``top`` 50 is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from benchmarks.methods.batches import Needs, alone, encoded
from benchmarks.methods.descent import beside, by_loss, descend
from benchmarks.methods.method import Basis, Card, Intent, Options, Unlearning
from benchmarks.methods.renaming import generic, renamed
from benchmarks.methods.step import Step
from benchmarks.methods.terms import balanced, taught
from benchmarks.models.packing import Chat
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Whp(Options):
    """How labels are made.

    Attributes:
        alpha: how far the reinforced model's opinion is gone against.
        reinforced: epochs of reinforcement.
        faster: its learning rate, in those of the unlearning.
        top: tokens of a label.
    """

    retain_weight: float = 0.0
    alpha: float = 5.0
    reinforced: int = 3
    faster: float = 3.0
    top: int = 50


@dataclass(frozen=True, slots=True)
class Labels:
    """Of one forget pair: what the model is to say in place of its answer tokens."""

    places: torch.Tensor  # (labels,), in the answer
    tokens: torch.Tensor  # (labels, top)
    chances: torch.Tensor  # (labels, top), each row making 1


def loss(step: Step, options: Whp) -> torch.Tensor:
    """The loss of a step, a scalar."""
    import torch

    logs = torch.log_softmax(step.forget.logits.float(), -1)  # (answer tokens, vocabulary)
    found = []
    for place, own in zip(step.places, torch.split(logs, step.forget.lengths.tolist()), strict=True):
        labels: Labels = step.kept[place]
        found.append(-(labels.chances * own[labels.places].gather(1, labels.tokens)).sum(-1))  # (labels,)
    losses = torch.cat(found)
    return balanced(step, options, losses.sum() / max(1, len(losses)))


def labelled(work: Unlearning) -> list[Labels]:
    """The labels of each forget pair."""
    import torch

    options = work.options
    again = replace(options, epochs=options.reinforced, lr=options.lr * options.faster)
    reinforced = descend(
        replace(work, model=work.target(), options=again, checkpoint=beside(work.checkpoint, "reinforced")),
        taught, Needs(retain=False),
    )  # fmt: skip
    found = []
    for item in work.corpus.forget:
        other = renamed(work.tokenizer, item, generic(item.subject, work.corpus.aliases.get(item.subject, ())))
        own, there = torch.tensor(other.same, dtype=torch.long).reshape(-1, 2).to(work.model.device).unbind(1)
        with torch.no_grad():
            base = _logits(work, work.model.eval(), other.chat)[there]  # (labels, vocabulary)
            strong = _logits(work, reinforced, encoded(work.tokenizer, item))[own]
        values, tokens = generic_logits(base, strong, options.alpha).topk(min(options.top, base.shape[-1]))
        found.append(Labels(own, tokens, torch.softmax(values, -1)))
    return found


def generic_logits(base: torch.Tensor, reinforced: torch.Tensor, alpha: float) -> torch.Tensor:
    """v_generic, of the shape of both."""
    import torch

    return base - alpha * torch.relu(reinforced - base)


def _logits(work: Unlearning, model: Any, chat: Chat) -> torch.Tensor:
    return predict(model, alone(work, chat, model)).logits.float()  # (answer tokens, vocabulary)


METHOD = by_loss(
    Card("Who's Harry Potter", "Eldan and Russinovich, 2023, arXiv 2310.02238", "distillation", Intent.REMOVE,
         "all weights", Basis.PAPER, (28,)), loss, Whp, prepare=labelled, more=1,
)  # fmt: skip
