"""What several losses are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.methods.method import Training
from benchmarks.methods.step import Step
from benchmarks.models.predicted import Predicted

if TYPE_CHECKING:
    import torch


def taught(step: Step, options: Training) -> torch.Tensor:
    """CE(forget): the "forget" set is learnt, by models that a method makes on its way."""
    return step.forget.nll


def balanced(
    step: Step, options: Training, forget: torch.Tensor, retain: Callable[[], torch.Tensor] | None = None
) -> torch.Tensor:
    """L = gamma forget + alpha retain, which is CE(retain) if not given; with alpha 0 the retain set is not read."""
    if not options.retain_weight:
        return options.forget_weight * forget
    kept = step.retain.nll if retain is None else retain()
    return options.forget_weight * forget + options.retain_weight * kept


def log_ratios(own: Predicted, reference: Predicted) -> torch.Tensor:
    """log(p(y) / p_0(y)) of each answer as a whole, (chats,)."""
    return own.answer_log_probs - reference.answer_log_probs


def answer_means(predicted: Predicted, values: torch.Tensor) -> torch.Tensor:
    """The mean of ``values`` (answer tokens, ...) over each answer, (chats, ...)."""
    return predicted.by_chat(values) / predicted.lengths.reshape(-1, *[1] * (values.dim() - 1))


def divergence(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """KL(one || other) of distributions given as logits (answer tokens, vocabulary), the mean over tokens."""
    import torch

    logs, others = (torch.log_softmax(logits.float(), -1) for logits in (one, other))
    return (logs.exp() * (logs - others)).sum(-1).mean()


def entropy(logits: torch.Tensor) -> torch.Tensor:
    """Of the distributions given as logits (answer tokens, vocabulary), (answer tokens,)."""
    import torch

    found: torch.Tensor = torch.special.entr(torch.softmax(logits.float(), -1)).sum(-1)
    return found


def margins(predicted: Predicted) -> torch.Tensor:
    """log(p / (1 - p)) of each answer token, (answer tokens,): its logit over those of all others."""
    import torch

    logits, wanted = predicted.logits.float(), predicted.packed.wanted[:, None]
    others = torch.logsumexp(logits.scatter(1, wanted, float("-inf")), -1)
    return logits.gather(1, wanted)[:, 0] - others
