"""Several chats as one sequence, so that no padding is computed and the system prompt only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Chat:
    """A question as the chat template renders it, and the answer with its end token, in token ids."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """Chats side by side behind the prefix that they share."""

    ids: torch.Tensor  # (1, tokens)
    positions: torch.Tensor  # (1, tokens): each chat counts on from the prefix
    mask: torch.Tensor  # (1, 1, tokens, tokens), additive: a chat sees the prefix and itself
    predicting: torch.Tensor  # (answer tokens,): where the next token is an answer's
    wanted: torch.Tensor  # (answer tokens,): those next tokens


def encode(tokenizer: Any, question: str, answer: str) -> Chat:
    """One exchange under the model's own chat template, as a server renders it."""
    turns = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    end = tokenizer.eos_token_id
    return Chat(tuple(ids), (*tokenizer(answer, add_special_tokens=False).input_ids, end))


def pack(chats: Sequence[Chat], dtype: torch.dtype | None = None) -> Packed:
    """``chats`` as one sequence; the logits of each are those that it would have alone."""
    import torch

    shared = _shared([chat.prompt for chat in chats])
    ids, positions, owner = list(chats[0].prompt[:shared]), list(range(shared)), [0] * shared
    predicting: list[int] = []
    for number, chat in enumerate(chats, start=1):
        own = (*chat.prompt[shared:], *chat.answer)[:-1]  # nothing follows the last token
        first = len(ids) + len(chat.prompt) - shared - 1  # the prompt's last token predicts the answer's first
        predicting += range(first, first + len(chat.answer))
        positions += range(shared, shared + len(own))
        owner += [number] * len(own)
        ids += own
    owners = torch.tensor(owner)
    seen = (owners[:, None] == owners[None, :]) | (owners[None, :] == 0)
    seen &= torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    kind = dtype or torch.float32
    mask = torch.zeros(len(ids), len(ids), dtype=kind).masked_fill(~seen, torch.finfo(kind).min)
    wanted = torch.tensor([token for chat in chats for token in chat.answer])
    where = torch.tensor(predicting)
    return Packed(torch.tensor([ids]), torch.tensor([positions]), mask[None, None], where, wanted)


def _shared(prompts: Sequence[tuple[int, ...]]) -> int:
    """How many leading tokens all have in common, leaving each at least one of its own."""
    longest = min(map(len, prompts)) - 1
    for at in range(longest):
        if len({prompt[at] for prompt in prompts}) > 1:
            return at
    return longest
