"""What goes on within a row's model: hidden states, behind the row's guard if it has one. For all probes that look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.attacks.victim import Victim
from benchmarks.data.corpus import Item
from benchmarks.methods.batches import encoded
from benchmarks.metrics.metric import Undefined
from benchmarks.models.packing import Chat, pack
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch


def both(victim: Victim, items: Sequence[Item]) -> tuple[list[Chat], list[Chat]] | Undefined:
    """What the row's model and a yardstick, without the row's guard, read of ``items``."""
    mine = [chat for chat in map(victim.chat, items) if chat is not None]
    if len(mine) < len(items):
        return Undefined(f"the guard answers {len(items) - len(mine)} of {len(items)} questions by itself")
    return mine, [encoded(victim.tokenizer, item) for item in items]


def states(victim: Victim, model: Any, given: Sequence[Chat]) -> list[list[torch.Tensor]]:
    """Of each chat each decoder layer's output where the next token is the answer's, of (answer tokens, dim).

    In float32 and on the CPU; the last layer's is after the final norm, as transformers gives it.
    """
    import torch

    was, found = model.training, []
    model.eval()
    with torch.no_grad():
        for chat in victim.meter.over(given, len(given)):
            packed = pack([chat], model.dtype).to(model.device)
            victim.meter.read(packed.ids.numel())
            seen = predict(model, packed, hidden=True).hidden
            found.append([layer.float().cpu() for layer in seen[1:]])  # without the embeddings
    model.train(was)
    return found
