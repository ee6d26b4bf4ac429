"""ECO: a flagged text goes to the model with some of its token embeddings corrupted (Liu et al., arXiv 2406.07933).

What the served model reads around the text, its chat template above all, is the model server's: only the text itself
goes over as embeddings, so nothing of the template can be corrupted.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.types import Span
from guard.corruptions.spec import CorruptionSpec, corrupt
from guard.effects import Ask, Corrupt, GuardUnavailable, Tools
from guard.embeddings import EmbeddingRows
from guard.selection import BUILT_IN, TokenSelectors
from guard.tokens import Encoding, ModelTokenizer

if TYPE_CHECKING:
    import torch


class EcoUnavailable(GuardUnavailable):
    """ECO cannot be carried out here; the list's fallback applies."""


async def guard(ask: Ask, tools: Tools) -> Corrupt:
    """Corrupt what the plan says.

    Raises:
        EcoUnavailable: the served model's embedding rows are not at hand.
    """
    if tools.eco is None:
        raise EcoUnavailable("the served model's weights are not at hand")
    return Corrupt(tools.eco)


class Eco:
    """Turns a text and the spans to forget into embeddings that vLLM takes as ``prompt_embeds``."""

    def __init__(self, folder: Path, *, selectors: TokenSelectors | None = None) -> None:
        self.tokenizer = ModelTokenizer(folder)
        self._rows = EmbeddingRows(folder)
        self._selectors = selectors

    @property
    def vocabulary(self) -> int:
        """How many embedding rows there are."""
        return self._rows.vocabulary

    @property
    def dim(self) -> int:
        """How long each row is."""
        return self._rows.dim

    def corrupted(
        self,
        text: str,
        spans: Sequence[Span],
        spec: CorruptionSpec,
        *,
        seed_key: str,
        token_classifiers: Sequence[str] = (),
        add_special_tokens: bool = False,
    ) -> str:
        """The whole of ``text`` as base64 of ``torch.save`` of ``(tokens, dim)`` float32. Blocking.

        Tokens that touch ``spans``, or what a token classifier picks, are corrupted; the others are exact rows of the
        checkpoint. Chance depends on ``seed_key`` and the text alone: the same prompt always gets the same rows, so
        that averaging over repeats, retries or ``n`` answers tells nothing more.

        Args:
            text: one text of a request.
            spans: where entries were seen in it; none where no place can be told.
            spec: what is done to the tokens.
            seed_key: the names of the lists.
            token_classifiers: names of trained token classifiers that also choose.
            add_special_tokens: whether the tokenizer puts its own before and after, which are never corrupted.

        Raises:
            EcoUnavailable: a token classifier cannot be used, or a token has no embedding row.
        """
        chosen = [*spans, *self._selected(text, token_classifiers)]
        encoding = self.tokenizer.encode(text, add_special_tokens=add_special_tokens)
        rows = self._embedded(encoding)  # (tokens, dim)
        return _serialise(corrupt(rows, choose_tokens(encoding, chosen), spec, _generator(seed_key, text)))

    def exact(self, text: str, *, add_special_tokens: bool = False) -> str:
        """``text`` as embeddings without any corruption, in the form of ``corrupted``."""
        return _serialise(self._embedded(self.tokenizer.encode(text, add_special_tokens=add_special_tokens)))

    def _embedded(self, encoding: Encoding) -> torch.Tensor:
        try:
            return self._rows.rows(encoding.ids)
        except ValueError as error:
            raise EcoUnavailable(f"the text cannot be embedded: {error}") from error

    def _selected(self, text: str, names: Sequence[str]) -> list[Span]:
        if not names:
            return []
        if self._selectors is None and not BUILT_IN.keys() >= set(names):
            raise EcoUnavailable("a list asks for a token classifier, and there is no folder of them")
        known = self._selectors.get if self._selectors is not None else BUILT_IN.__getitem__
        try:
            return [span for name in names for span in known(name).spans(text)]
        except Exception as error:  # whatever it is: without this choice the text may not go on
            raise EcoUnavailable(f"a token classifier failed: {error}") from error


def choose_tokens(encoding: Encoding, spans: Sequence[Span]) -> list[bool]:
    """Which tokens to corrupt: those that touch ``spans``, else all but the last.

    The second is the paper's rule where its token classifier finds nothing. The paper counts the chat template's tokens
    in, so that its last token is the template's; here the template is spared, and the last token is the text's. A text
    of one token is corrupted whole: sparing it would leave it unguarded.
    """
    mask = encoding.touching(spans)
    if any(mask):
        return mask
    own = list(encoding.own)
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
