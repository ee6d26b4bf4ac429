"""A model's hidden states where it predicts answers, for probes that compare representations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.models.packing import pack
from benchmarks.models.predicted import predict, read_only

if TYPE_CHECKING:
    import torch


def states(victim: Victim, model: Any, items: Sequence[Item]) -> list[torch.Tensor]:
    """Of each layer, the embeddings first: the mean over each answer's tokens, (items, dim), float32.

    Behind a guard, of what the guard makes of the question; an item that the guard does not ask is left out.
    """
    import torch

    rows: list[list[torch.Tensor]] = []
    with read_only(model):
        for item in victim.meter.over(items, len(items)):
            chat = victim.chat(item)
            if chat is not None:
                packed = pack([chat], model.dtype).to(model.device)
                victim.meter.read(packed.ids.numel())
                found = predict(model, packed, hidden=True)
                rows.append([layer.float().mean(0).cpu() for layer in found.hidden])
    return [torch.stack(column) for column in zip(*rows, strict=True)]
