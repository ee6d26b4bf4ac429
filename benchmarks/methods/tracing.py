"""Causal tracing (Meng et al., 2022, ROME, arXiv 2202.05262): which feed-forward layers bring a fact back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.data.corpus import Item
from benchmarks.methods.batches import encoded
from benchmarks.methods.method import Unlearning
from benchmarks.models.hooks import layers, outputs_changed
from benchmarks.models.packing import Packed, pack
from benchmarks.models.predicted import predict

if TYPE_CHECKING:
    import torch

_NOISE = 3.0  # standard deviations of the embeddings, as in the paper
_MOST = 12  # pairs that are traced


def traced(work: Unlearning, items: Sequence[Item], count: int) -> tuple[int, ...]:
    """The ``count`` layers, ascending, whose feed-forward output restores most of log p(answer).

    The embeddings of the prompt's own tokens are made noise (of the question, where the paper has the subject's); then
    one layer's output is put back to what it was without noise, at those tokens. The mean is over the first pairs.
    """
    import torch

    found = layers(work.model)
    gains = torch.zeros(len(found))
    for item in work.meter.over(items[:_MOST], len(items[:_MOST])):
        chat = encoded(work.tokenizer, item)
        packed = pack([chat], work.model.dtype).to(work.model.device)
        asked = min(len(chat.prompt), packed.ids.shape[1])
        with torch.no_grad(), _heard(found) as clean:
            predict(work.model, packed)
        with _noisy(work.model, asked, work.seed):
            worst = _likelihood(work, packed)
            for place, layer in enumerate(found):
                with outputs_changed(layer.mlp, _restored(clean[place], asked)):
                    gains[place] += _likelihood(work, packed) - worst
    return tuple(sorted(gains.topk(min(count, len(found))).indices.tolist()))


def _likelihood(work: Unlearning, packed: Packed) -> float:
    import torch

    work.meter.read(packed.ids.numel())
    with torch.no_grad():
        return -float(predict(work.model, packed).nll)


@contextmanager
def _heard(found: Sequence[Any]) -> Iterator[dict[int, torch.Tensor]]:
    """The feed-forward outputs by layer."""
    heard: dict[int, torch.Tensor] = {}

    def hear(hidden: torch.Tensor, place: int) -> torch.Tensor:
        heard[place] = hidden
        return hidden

    with ExitStack() as stack:
        for place, layer in enumerate(found):
            stack.enter_context(outputs_changed(layer.mlp, partial(hear, place=place)))
        yield heard


@contextmanager
def _noisy(model: Any, asked: int, seed: int) -> Iterator[None]:
    """Noise on the embeddings of the first ``asked`` tokens."""
    import torch

    embedding = model.get_input_embeddings()
    size = _NOISE * float(embedding.weight.detach().float().std())

    def change(hidden: torch.Tensor) -> torch.Tensor:
        chance = torch.Generator().manual_seed(seed)
        noise = size * torch.randn(asked, hidden.shape[-1], generator=chance)
        changed = hidden.clone()
        changed[0, :asked] += noise.to(hidden)
        return changed

    with outputs_changed(embedding, change):
        yield


def _restored(clean: torch.Tensor, asked: int) -> Any:
    def change(hidden: torch.Tensor) -> torch.Tensor:
        changed = hidden.clone()
        changed[:, :asked] = clean[:, :asked]
        return changed

    return change
