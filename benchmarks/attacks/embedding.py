"""Where texts lie for a model: the mean of its last hidden states over a text's tokens, less the mean of all texts.

Hidden states of a language model share a large common part, so that all cosines are near 1; without it they tell texts
apart. No encoder of sentences is needed beside the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.models.predicted import read_only, unwrapped

if TYPE_CHECKING:
    import torch


def embedded(model: Any, tokenizer: Any, texts: Sequence[str], batch: int = 16) -> torch.Tensor:
    """A row for each text, float32 on the processor, (texts, dim)."""
    import torch

    with read_only(model):
        rows = torch.cat([_means(model, tokenizer, texts[at : at + batch]) for at in range(0, len(texts), batch)])
    return rows - rows.mean(0)


def distances(one: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """1 less the cosine of ``one`` (dim,) with each of ``others`` (texts, dim): (texts,)."""
    import torch

    return 1 - torch.nn.functional.cosine_similarity(one[None], others, dim=-1)


def _means(model: Any, tokenizer: Any, texts: Sequence[str]) -> torch.Tensor:
    import torch

    ids = [tokenizer(text, add_special_tokens=False).input_ids or [tokenizer.eos_token_id] for text in texts]
    longest = max(map(len, ids))
    rows = torch.tensor([own + [tokenizer.eos_token_id] * (longest - len(own)) for own in ids])
    mask = torch.tensor([[1] * len(own) + [0] * (longest - len(own)) for own in ids])
    given = {"input_ids": rows.to(model.device), "attention_mask": mask.to(model.device)}
    out = unwrapped(model).get_decoder()(**given, use_cache=False)
    hidden: torch.Tensor = out.last_hidden_state.float().cpu()  # (texts, tokens, dim)
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
