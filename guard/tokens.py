"""The served model's tokenizer: ids with character offsets, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.types import Span


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids and, for each, the characters ``[start, end)`` it stands for; (0, 0) for added tokens."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]

    def touching(self, spans: Sequence[Span]) -> list[bool]:
        """For each token, whether it shares a character with one of ``spans``."""
        return [any(start < s.end and s.start < end for s in spans) for start, end in self.offsets]


class ModelTokenizer:
    """The tokenizer.json of a checkpoint folder, without transformers or torch."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is missing: ECO needs a fast tokenizer (tokenizer.json) beside the weights"
            )
        self._tokenizer: Any = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode(self, text: str, *, add_special_tokens: bool) -> Encoding:
        """Tokens of ``text`` with offsets into it."""
        encoding = self._tokenizer.encode(text, add_special_tokens=add_special_tokens)
        return Encoding(tuple(encoding.ids), tuple(encoding.offsets))

    def decode(self, ids: Sequence[int]) -> str:
        """The text that the model would see for ``ids``, special tokens included.

        Raises:
            ValueError: an id is outside the vocabulary.
        """
        size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        bad = next((i for i in ids if not 0 <= i < size), None)
        if bad is not None:
            raise ValueError(f"token id {bad} is outside the vocabulary of {size} tokens")
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def count(self, text: str) -> int:
        """How many tokens ``text`` has."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)
