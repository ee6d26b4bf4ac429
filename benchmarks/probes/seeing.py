"""A model's hidden states where it predicts answers, for probes that compare representations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.models.packing import encode, encode_plain, pack
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch


def states(victim: Victim, model: Any, items: Sequence[Item]) -> list[torch.Tensor]:
    """Of each layer, the embeddings first: the mean over each answer's tokens, (items, dim), float32.

    Behind a guard, of what the guard makes of the question; an item that the guard does not ask is left out.
    """
    import torch

    rows: list[list[torch.Tensor]] = []
    was = model.training
    model.eval()
    with torch.no_grad():
        for item in victim.meter.over(items, len(items)):
            own = (encode_plain if item.plain else encode)(victim.tokenizer, item.question, item.answer)
            chat = own if victim.guard is None else victim.guard.encode_as(item.question, item.answer, item.plain)
            if chat is not None:
                packed = pack([chat], model.dtype).to(model.device)
                victim.meter.read(packed.ids.numel())
                found = predict(model, packed, hidden=True)
                rows.append([layer.float().mean(0).cpu() for layer in found.hidden])
    model.train(was)
    return [torch.stack(column) for column in zip(*rows, strict=True)]
