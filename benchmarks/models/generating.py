"""What a model says by itself: greedily, or drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.models.meter import Meter
from benchmarks.models.packing import Chat

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Sampling:
    """How texts are drawn: ``count`` of each chat, at ``temperature``, of the likeliest tokens that make ``top_p``."""

    count: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0


def generated(
    model: Any, tokenizer: Any, chats: Sequence[Chat], most: int, meter: Meter, sampling: Sampling | None = None
) -> list[list[int]]:
    """The new tokens of each, those after an end among them; ``most`` at most.

    Greedy whatever the checkpoint's own settings are, or drawn by ``sampling``: the texts of a chat follow one another.
    """
    import torch

    ends = ends_of(model, tokenizer)
    longest = max(len(chat.prompt) for chat in chats)
    gaps = [longest - len(chat.prompt) for chat in chats]
    ids = torch.tensor([[ends[0]] * gap + list(chat.prompt) for gap, chat in zip(gaps, chats, strict=True)])
    mask = torch.tensor([[0] * gap + [1] * len(chat.prompt) for gap, chat in zip(gaps, chats, strict=True)])
    given: dict[str, Any] = {"input_ids": ids.to(model.device)}
    if any(chat.rows for chat in chats):
        embedded = model.get_input_embeddings()(given.pop("input_ids")).clone()
        for number, (gap, chat) in enumerate(zip(gaps, chats, strict=True)):
            for place, row in chat.rows.items():
                embedded[number, gap + place] = row.to(embedded)
        given["inputs_embeds"] = embedded
    with torch.random.fork_rng(enabled=sampling is not None):
        if sampling is not None:
            torch.manual_seed(sampling.seed)
        config = _config(ends, most, sampling)
        out = model.generate(**given, attention_mask=mask.to(model.device), generation_config=config)
    new = out[:, longest:] if "input_ids" in given else out
    meter.read(ids.numel() * config.num_return_sequences + new.numel())
    rows: list[list[int]] = new.tolist()
    return rows


def adaptive(logits: torch.Tensor, threshold: float, temperature: float = 1.0) -> torch.Tensor:
    """Logits to draw from: at ``temperature``, but certain where the likeliest token's p exceeds ``threshold``.

    Adaptive temperature (Scholten et al., 2024, arXiv 2410.03523): a confident model is decoded greedily, so that
    drawing often finds no more than its likeliest answer. ``logits``: (batch, vocabulary).
    """
    import torch

    chances = torch.softmax(logits.float(), -1)
    likeliest, token = chances.max(-1, keepdim=True)
    certain = torch.full_like(logits, float("-inf")).scatter(-1, token, 0.0)
    return torch.where(likeliest > threshold, certain, logits / temperature)


def _config(ends: list[int], most: int, sampling: Sampling | None) -> Any:
    from transformers import GenerationConfig

    kind: Any = GenerationConfig
    drawn = sampling or Sampling()
    return kind(
        max_new_tokens=most, do_sample=sampling is not None, num_beams=1, repetition_penalty=1.0,
        no_repeat_ngram_size=0, temperature=drawn.temperature, top_p=drawn.top_p,
        top_k=50 if sampling is None else 0, num_return_sequences=drawn.count, eos_token_id=ends, pad_token_id=ends[0],
    )  # fmt: skip


def ends_of(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end an answer, the tokenizer's first."""
    own = model.generation_config.eos_token_id
    more = own if isinstance(own, list) else [own]
    return [token for token in dict.fromkeys([tokenizer.eos_token_id, *more]) if token is not None]
