"""Rows of the input embedding matrix, read from a checkpoint without loading the model."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# The names that the common architectures give to the token embedding.
_SUFFIXES = ("embed_tokens.weight", "wte.weight", "tok_embeddings.weight", "word_embeddings.weight", "embed_in.weight")

_KINDS = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}  # fmt: skip


class EmbeddingRows:
    """Single rows of ``embed_tokens`` out of safetensors; the matrix itself is never held in memory.

    Rows are read, not mapped: where a file is written over in place, reading a mapped page would end the process.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a file cannot be read.
    """

    def __init__(self, folder: Path, *, cached_rows: int = 8192) -> None:
        name, shard = _locate(folder)
        with _opened(shard) as checked:
            shape = checked.get_slice(name).get_shape()
        self.vocabulary: int = int(shape[0])
        self.dim: int = int(shape[1])
        self._file = shard.open("rb", buffering=0)
        self._start, self._kind = _placed(self._file, name)
        self._row = lru_cache(maxsize=cached_rows)(self._read_row)

    def _read_row(self, token_id: int) -> torch.Tensor:
        import torch

        kind: torch.dtype = getattr(torch, _KINDS[self._kind])
        size = self.dim * kind.itemsize
        raw = os.pread(self._file.fileno(), size, self._start + token_id * size)
        if len(raw) < size:
            raise ValueError(f"row {token_id} is not in the file any more")
        return torch.frombuffer(bytearray(raw), dtype=kind).to(torch.float32)

    def rows(self, ids: Sequence[int]) -> torch.Tensor:
        """The embeddings of ``ids`` as float32, ``(len(ids), dim)``; a fresh tensor.

        Raises:
            ValueError: an id has no row, or it is not in the file any more.
        """
        import torch

        bad = next((i for i in ids if not 0 <= i < self.vocabulary), None)
        if bad is not None:
            raise ValueError(f"token id {bad} has no embedding row (the matrix has {self.vocabulary})")
        if not ids:
            return torch.empty(0, self.dim)
        return torch.stack([self._row(i) for i in ids])


def _placed(file: FileIO, name: str) -> tuple[int, str]:
    """Where in a safetensors file a tensor begins, and its kind of number.

    Raises:
        ValueError: no such numbers can be read.
    """
    size = int.from_bytes(file.read(8), "little")
    told = json.loads(file.read(size))[name]
    if told["dtype"] not in _KINDS:
        raise ValueError(f"{file.name} cannot be read: {name} is of kind {told['dtype']}")
    return 8 + size + int(told["data_offsets"][0]), str(told["dtype"])


def _opened(file: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    open_file: Any = safe_open
    try:
        return open_file(str(file), framework="pt", device="cpu")
    except SafetensorError as error:
        raise ValueError(f"{file} cannot be read: {error}") from error


def _indexed(index: Path) -> dict[str, str]:
    try:
        return dict(json.loads(index.read_bytes())["weight_map"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{index} cannot be read: {error!r}") from error


def _locate(folder: Path) -> tuple[str, Path]:
    """Name of the embedding tensor and the safetensors file that holds it."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        weight_map = _indexed(index)
    else:
        weight_map = {}
        for file in sorted(folder.glob("*.safetensors")):
            weight_map.update(dict.fromkeys(_opened(file).keys(), file.name))
    found = [name for name in weight_map if name.endswith(_SUFFIXES)]
    if not found:
        raise FileNotFoundError(
            f"no token embedding (one of {', '.join(_SUFFIXES)}) in the safetensors of {folder}: ECO cannot be used"
        )
    name = min(found, key=len)
    return name, folder / weight_map[name]
