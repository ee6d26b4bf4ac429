"""Neurons of the feed-forward layers: how much each adds to an answer, and the weights that are its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import encoded
from benchmarks.methods.method import Unlearning
from benchmarks.models.hooks import inputs, layers
from benchmarks.models.packing import pack
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch


def attributions(work: Unlearning, items: Sequence[Item]) -> torch.Tensor:
    """Gradient x activation: h d log p(answer) / d h of each neuron, (layers, neurons), the mean over pairs.

    h is what ``down_proj`` is given, summed over the pair's tokens; log p is the mean over the answer's.
    """
    import torch

    downs = [layer.mlp.down_proj for layer in layers(work.model)]
    total = torch.zeros(len(downs), downs[0].in_features, device=work.model.device)
    for item in work.meter.over(items, len(items)):
        packed = pack([encoded(work.tokenizer, item)], work.model.dtype).to(work.model.device)
        work.meter.read(packed.ids.numel())
        with inputs(downs) as found:
            likelihood = -predict(work.model, packed).nll
        hidden = [found[place] for place in range(len(downs))]  # (1, tokens, neurons) each
        slopes = torch.autograd.grad(likelihood, hidden)
        for place, (h, slope) in enumerate(zip(hidden, slopes, strict=True)):
            total[place] += (h * slope).detach().float().sum((0, 1)) / len(items)
    return total


def top(scores: torch.Tensor, share: float) -> torch.Tensor:
    """The ``share`` of all neurons with the highest scores, at least one, as booleans (layers, neurons)."""
    import torch

    count = max(1, round(share * scores.numel()))
    chosen = torch.zeros_like(scores, dtype=torch.bool)
    chosen.view(-1)[scores.flatten().topk(count).indices] = True
    return chosen


def own_weights(model: Any, chosen: torch.Tensor) -> list[tuple[Any, torch.Tensor]]:
    """Each feed-forward weight with a mask of what belongs to the chosen neurons.

    A neuron's are its rows of ``gate_proj`` and ``up_proj`` and its column of ``down_proj``.
    """
    found = []
    for layer, mask in zip(layers(model), chosen, strict=True):
        found += [(layer.mlp.gate_proj.weight, mask[:, None]), (layer.mlp.up_proj.weight, mask[:, None]),
                  (layer.mlp.down_proj.weight, mask[None, :])]  # fmt: skip
    return found
