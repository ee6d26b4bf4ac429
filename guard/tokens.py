"""The served model's tokenizer: ids with character offsets, and back."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.types import Span


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text in tokens.

    Attributes:
        ids: of the tokens.
        offsets: for each the characters ``[start, end)`` that it stands for. Several tokens may stand for one
            character (its bytes), and one for several. Where a tokenizer leaves spaces out of its offsets, a token of
            spaces alone has an empty one, at the character after them.
        own: for each whether it is of the text, and not put there by the tokenizer (beginning, end).
    """

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    own: tuple[bool, ...]

    def touching(self, spans: Sequence[Span]) -> list[bool]:
        """For each token, whether it shares a character with one of ``spans``, however small a part of it.

        A token with an empty offset does where it stands inside a span.
        """
        merged = _merged(spans)
        starts = [start for start, _ in merged]

        def touched(start: int, end: int) -> bool:
            before = bisect_left(starts, end)  # spans that begin before the token ends
            return before > 0 and merged[before - 1][1] > start

        return [own and touched(*offset) for own, offset in zip(self.own, self.offsets, strict=True)]


class ModelTokenizer:
    """The tokenizer.json of a checkpoint folder, without transformers or torch.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is missing: ECO needs a fast tokenizer (tokenizer.json) beside the weights"
            )
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(path))
        except Exception as error:  # the library has no kind of its own
            raise ValueError(f"{path} cannot be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def size(self) -> int:
        """One more than the largest id of a token."""
        return int(max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)) + 1

    def encode(self, text: str, *, add_special_tokens: bool) -> Encoding:
        """Tokens of ``text`` with offsets into it."""
        encoding = self._tokenizer.encode(text, add_special_tokens=add_special_tokens)
        own = tuple(not added for added in encoding.special_tokens_mask)
        return Encoding(tuple(encoding.ids), tuple(encoding.offsets), own)

    def decode(self, ids: Sequence[int]) -> str:
        """The text that the model would see for ``ids``, special tokens included.

        Raises:
            ValueError: an id is outside the vocabulary.
        """
        size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        bad = next((i for i in ids if not 0 <= i < size), None)
        if bad is not None:
            raise ValueError(f"token id {bad} is out of vocabulary: the model has {size} tokens")  # as vLLM says it
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))

    def count(self, text: str) -> int:
        """How many tokens ``text`` has."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _merged(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Sorted and without overlaps; spans without a character are left out."""
    found: list[tuple[int, int]] = []
    for start, end in sorted((s.start, s.end) for s in spans if s.start < s.end):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
