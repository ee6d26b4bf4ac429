"""Several chats as one sequence, so that no padding is computed and the system prompt only once."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Chat:
    """A question as the chat template renders it, and the answer with its end token, in token ids.

    ``rows``: what the model reads in place of the embeddings of prompt tokens, by their place (ECO).
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    rows: Mapping[int, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Packed:
    """Chats side by side behind the prefix that they share."""

    ids: torch.Tensor  # (1, tokens)
    positions: torch.Tensor  # (1, tokens): each chat counts on from the prefix
    mask: torch.Tensor  # (1, 1, tokens, tokens), additive: a chat sees the prefix and itself
    predicting: torch.Tensor  # (answer tokens,): where the next token is an answer's
    wanted: torch.Tensor  # (answer tokens,): those next tokens
    owner: torch.Tensor  # (answer tokens,): whose they are, the chats counted from 0
    chats: int
    places: torch.Tensor  # (rows,): where ``rows`` stand for embeddings
    rows: torch.Tensor | None  # (rows, dim)

    def to(self, device: torch.device) -> Packed:
        """The same on ``device``."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        return Packed(**{k: v.to(device) if hasattr(v, "to") else v for k, v in moved.items()})


def encode(tokenizer: Any, question: str, answer: str) -> Chat:
    """One exchange under the model's own chat template, as a server renders it."""
    turns = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return Chat(tuple(_ids(tokenizer, prompt)), (*_ids(tokenizer, answer), tokenizer.eos_token_id))


def encode_plain(tokenizer: Any, beginning: str, rest: str) -> Chat:
    """Running text without the chat template: ``rest`` is predicted, and no end after it.

    Raises:
        ValueError: ``rest`` is empty.
    """
    if not (answer := tuple(_ids(tokenizer, rest))):
        raise ValueError("a text to be continued needs a continuation")
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    return Chat((start, *_ids(tokenizer, beginning)), answer)


def _ids(tokenizer: Any, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    return found


def pack(chats: Sequence[Chat], dtype: torch.dtype | None = None) -> Packed:
    """``chats`` as one sequence; the logits of each are those that it would have alone."""
    import torch

    shared = _shared(chats)
    ids, positions, owner = list(chats[0].prompt[:shared]), list(range(shared)), [0] * shared
    predicting: list[int] = []
    rows: dict[int, torch.Tensor] = {}
    for number, chat in enumerate(chats, start=1):
        own = (*chat.prompt[shared:], *chat.answer)[:-1]  # nothing follows the last token
        offset = len(ids) - shared
        first = offset + len(chat.prompt) - 1  # the prompt's last token predicts the answer's first
        predicting += range(first, first + len(chat.answer))
        rows |= {offset + place: row for place, row in chat.rows.items()}
        positions += range(shared, shared + len(own))
        owner += [number] * len(own)
        ids += own
    owners = torch.tensor(owner)
    seen = (owners[:, None] == owners[None, :]) | (owners[None, :] == 0)
    seen &= torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    kind = dtype or torch.float32
    mask = torch.zeros(len(ids), len(ids), dtype=kind).masked_fill(~seen, torch.finfo(kind).min)
    return Packed(
        torch.tensor([ids]), torch.tensor([positions]), mask[None, None], torch.tensor(predicting),
        torch.tensor([token for chat in chats for token in chat.answer]),
        torch.tensor([number for number, chat in enumerate(chats) for _ in chat.answer]), len(chats),
        torch.tensor(list(rows), dtype=torch.long), torch.stack(list(rows.values())) if rows else None,
    )  # fmt: skip


def _shared(chats: Sequence[Chat]) -> int:
    """How many leading tokens all have in common, leaving each at least one of its own, and all of its own rows."""
    longest = min(min(len(chat.prompt) - 1, *chat.rows, len(chat.prompt)) for chat in chats)
    for at in range(longest):
        if len({chat.prompt[at] for chat in chats}) > 1:
            return at
    return longest


def sent_tensor(data: str) -> torch.Tensor:
    """A tensor as it is sent to vLLM, in base64."""
    import torch

    found: torch.Tensor = torch.load(io.BytesIO(base64.b64decode(data)), weights_only=True)
    return found
