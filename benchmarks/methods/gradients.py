"""Gradients of single pairs and of whole sets, for methods that weigh or choose by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import alone, encoded
from benchmarks.methods.method import Unlearning
from benchmarks.models.predicted import Predicted, predict

if TYPE_CHECKING:
    import torch

Of = Callable[[Predicted], "torch.Tensor"]  # what is differentiated, a scalar


def nll(predicted: Predicted) -> torch.Tensor:
    """CE, the mean over the answer's tokens."""
    return predicted.nll


def gradient_of(value: torch.Tensor, parameters: Sequence[Any]) -> list[torch.Tensor]:
    """D ``value`` / d each parameter, float32, in their shapes; zeros where it does not reach."""
    import torch

    found = torch.autograd.grad(value, parameters, allow_unused=True)
    return [
        torch.zeros_like(parameter, dtype=torch.float32) if gradient is None else gradient.float()
        for parameter, gradient in zip(parameters, found, strict=True)
    ]


def each_gradient(
    work: Unlearning, items: Sequence[Item], of: Of = nll, parameters: Sequence[Any] | None = None
) -> Iterator[list[torch.Tensor]]:
    """Of one pair after the other: d ``of`` / d each parameter (None: all of the model's), float32, in their shapes.

    The model is used as it is: put it into eval mode where it has dropout.
    """
    wanted = list(work.model.parameters()) if parameters is None else list(parameters)
    for item in work.meter.over(items, len(items)):
        packed = alone(work, encoded(work.tokenizer, item))
        yield gradient_of(of(predict(work.model, packed)), wanted)


def mean_gradient(
    work: Unlearning, items: Sequence[Item], of: Of = nll, parameters: Sequence[Any] | None = None,
    power: int = 1,
) -> list[torch.Tensor]:  # fmt: skip
    """The mean over pairs of each gradient to the ``power``: 2 gives the diagonal of the Fisher information.

    Raises:
        ValueError: there are no pairs.
    """
    if not items:
        raise ValueError("there is no pair to take a gradient of")
    total: list[torch.Tensor] = []
    for gradients in each_gradient(work, items, of, parameters):
        first = not total
        for place, gradient in enumerate(gradients):  # one parameter after the other: no third model's worth is held
            term = gradient**power / len(items)
            total.append(term) if first else total[place].add_(term)
        gradients.clear()
    return total


def measured(
    gradients: Iterable[list[torch.Tensor]], by: Callable[[Sequence[torch.Tensor]], torch.Tensor]
) -> torch.Tensor:
    """What ``by`` tells of each gradient, a scalar, (pairs,); none is held longer than that takes."""
    import torch

    found = []
    for own in gradients:
        found.append(by(own))
        own.clear()
    return torch.stack(found)


def inner(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> torch.Tensor:
    """The inner product of two gradients, a scalar."""
    import torch

    return torch.stack([(a * b).sum() for a, b in zip(one, other, strict=True)]).sum()


def cosine(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> torch.Tensor:
    """Their cosine, a scalar; 0 where one has no length."""
    return inner(one, other) / (inner(one, one) * inner(other, other)).sqrt().clamp_min(1e-30)
