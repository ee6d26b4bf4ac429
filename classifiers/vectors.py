"""Vectors of entry texts, kept between builds and between runs, so that a change encodes only what is new."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from classifiers.checked_file import read, write
from classifiers.index_files import IndexFolder
from classifiers.types import Encoder

Floats = npt.NDArray[np.float32]
log = structlog.get_logger("letheward.vectors")

_DIGEST = 16
_CHUNK = 32  # texts at a time, so that prompts get their turn in between


class VectorCache:
    """Vectors by text, in memory and, given a ``file``, on disk with a checksum. Holds hashes, not texts."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.indexes = IndexFolder(file.parent / "indexes") if file else None  # over such vectors
        self._vectors: dict[bytes, Floats] = {}
        self._loaded_for: str | None = None
        self._lock = threading.Lock()
        self._unsaved = 0

    def vectors(self, texts: Sequence[str], encoder: Encoder) -> Floats:
        """``(len(texts), dim)``."""
        self._load(encoder)
        keys = [_digest(t) for t in texts]
        missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._vectors}
        if missing:
            new = list(missing.items())
            for at in range(0, len(new), _CHUNK):
                chunk = new[at : at + _CHUNK]
                fresh = encoder.encode([t for _, t in chunk])
                with self._lock:
                    self._vectors.update((k, v) for (k, _), v in zip(chunk, fresh, strict=True))
                    self._unsaved += len(chunk)
        if not texts:
            return np.empty((0, encoder.dim), np.float32)
        return np.stack([self._vectors[k] for k in keys])

    def keep(self, texts: Sequence[str]) -> None:
        """Forget every vector but those of ``texts``: what was deleted leaves no trace here."""
        keys = set(map(_digest, texts))
        with self._lock:
            gone = self._vectors.keys() - keys
            self._unsaved += len(gone)
            self._vectors = {k: v for k, v in self._vectors.items() if k in keys}

    def save(self, encoder: Encoder) -> None:
        """Write the file where something changed; whole or not at all."""
        if self._file is None or not self._unsaved:
            return
        with self._lock:
            held = dict(self._vectors)
            self._unsaved = 0
        body = b"".join(held) + (np.stack(list(held.values())).astype("<f4").tobytes() if held else b"")
        write(self._file, {"encoder": encoder.name, "dim": encoder.dim, "count": len(held)}, body)

    def _load(self, encoder: Encoder) -> None:
        if self._loaded_for == encoder.name:
            return
        with self._lock:
            if self._loaded_for is not None:
                self._vectors = {}
            self._loaded_for = encoder.name
            if self._file is None or not self._file.is_file():
                return
            try:
                self._vectors = _read(self._file, encoder)
            except (OSError, ValueError, KeyError) as error:
                log.warning("vectors_rebuilt", file=str(self._file), reason=str(error))


def _read(file: Path, encoder: Encoder) -> dict[bytes, Floats]:
    header, body = read(file)
    if (header["encoder"], header["dim"]) != (encoder.name, encoder.dim):
        raise ValueError(f"made with the encoder {header['encoder']}")
    count = header["count"]
    vectors = np.frombuffer(body, "<f4", offset=count * _DIGEST).reshape(count, encoder.dim).astype(np.float32)
    return {body[i * _DIGEST : (i + 1) * _DIGEST]: vectors[i] for i in range(count)}


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
