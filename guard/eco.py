"""ECO: a flagged text goes to the model with some of its token embeddings corrupted (arXiv 2406.07933)."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.types import Span
from guard.corruption import CORRUPTIONS
from guard.embeddings import EmbeddingRows
from guard.tokens import Encoding, ModelTokenizer

if TYPE_CHECKING:
    import torch


class EcoUnavailable(RuntimeError):
    """ECO cannot be carried out here; the list's fallback applies."""


class Eco:
    """Turns a text and the spans to forget into embeddings that vLLM takes as ``prompt_embeds``."""

    def __init__(self, folder: Path, *, corruption: str = "gaussian") -> None:
        self.tokenizer = ModelTokenizer(folder)
        self._rows = EmbeddingRows(folder)
        self._corrupt = CORRUPTIONS[corruption]

    def corrupted(
        self, text: str, spans: Sequence[Span], *, sigma: float, seed_key: str, add_special_tokens: bool = False
    ) -> str:
        """The whole of ``text`` as base64 of ``torch.save`` of ``(tokens, dim)`` float32.

        Tokens that touch ``spans`` are corrupted, the others are exact rows of the checkpoint. The
        noise depends on ``seed_key`` and the text alone: the same prompt always gets the same noise, so
        that averaging over repeats, retries or ``n`` answers tells nothing more.
        """
        encoding = self.tokenizer.encode(text, add_special_tokens=add_special_tokens)
        rows = self._rows.rows(encoding.ids)  # (tokens, dim)
        mask = choose_tokens(encoding, spans)
        return _serialise(self._corrupt(rows, mask, sigma, _generator(seed_key, text)))

    def exact(self, text: str, *, add_special_tokens: bool = False) -> str:
        """``text`` as embeddings without any corruption, in the form of ``corrupted``."""
        encoding = self.tokenizer.encode(text, add_special_tokens=add_special_tokens)
        return _serialise(self._rows.rows(encoding.ids))


def choose_tokens(encoding: Encoding, spans: Sequence[Span]) -> list[bool]:
    """Which tokens to corrupt: those that touch ``spans``, else all but the last (the paper's fallback).

    A text of one token is corrupted whole: sparing it would leave it unguarded.
    """
    mask = encoding.touching(spans)
    if any(mask):
        return mask
    own = [end > start for start, end in encoding.offsets]  # not the tokens that the tokenizer adds
    if sum(own) > 1:
        own[max(i for i, mine in enumerate(own) if mine)] = False
    return own


def _generator(seed_key: str, text: str) -> torch.Generator:
    import torch

    digest = hashlib.blake2b(f"{seed_key}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


def _serialise(tensor: torch.Tensor) -> str:
    import torch

    buffer = io.BytesIO()
    torch.save(tensor.contiguous(), buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
