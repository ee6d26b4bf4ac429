"""Rows of the input embedding matrix, read from a checkpoint without loading the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# The names that the common architectures give to the token embedding.
_SUFFIXES = ("embed_tokens.weight", "wte.weight", "tok_embeddings.weight", "word_embeddings.weight", "embed_in.weight")


class EmbeddingRows:
    """Single rows of ``embed_tokens`` out of safetensors; the matrix itself is never held in memory."""

    def __init__(self, folder: Path, *, cached_rows: int = 8192) -> None:
        from safetensors import safe_open

        self._name, shard = _locate(folder)
        open_file: Any = safe_open
        self._file: Any = open_file(str(shard), framework="pt", device="cpu")
        self._slice: Any = self._file.get_slice(self._name)
        shape = self._slice.get_shape()
        self.vocabulary: int = int(shape[0])
        self.dim: int = int(shape[1])
        self._row = lru_cache(maxsize=cached_rows)(self._read_row)

    def _read_row(self, token_id: int) -> torch.Tensor:
        import torch

        row: torch.Tensor = self._slice[token_id : token_id + 1][0].to(torch.float32)
        return row

    def rows(self, ids: Sequence[int]) -> torch.Tensor:
        """The embeddings of ``ids`` as float32, ``(len(ids), dim)``; a fresh tensor.

        Raises:
            ValueError: an id has no row.
        """
        import torch

        bad = next((i for i in ids if not 0 <= i < self.vocabulary), None)
        if bad is not None:
            raise ValueError(f"token id {bad} has no embedding row (the matrix has {self.vocabulary})")
        if not ids:
            return torch.empty(0, self.dim)
        return torch.stack([self._row(i) for i in ids])


def _locate(folder: Path) -> tuple[str, Path]:
    """Name of the embedding tensor and the safetensors file that holds it."""
    from safetensors import safe_open

    index = folder / "model.safetensors.index.json"
    if index.is_file():
        weight_map: dict[str, str] = json.loads(index.read_text())["weight_map"]
    else:
        weight_map = {}
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(str(file), framework="pt", device="cpu") as opened:
                weight_map.update(dict.fromkeys(opened.keys(), file.name))
    found = [name for name in weight_map if name.endswith(_SUFFIXES)]
    if not found:
        raise FileNotFoundError(
            f"no token embedding (one of {', '.join(_SUFFIXES)}) in the safetensors of {folder}: ECO cannot be used"
        )
    name = min(found, key=len)
    return name, folder / weight_map[name]
