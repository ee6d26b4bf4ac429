"""Vectors of entry texts, kept between builds and between runs, so that a change encodes only what is new."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from classifiers.checked_file import read, write
from classifiers.index_files import IndexFolder
from classifiers.shared_vectors import DIGEST, SharedVectors
from classifiers.types import Encoder

Floats = npt.NDArray[np.float32]
log = structlog.get_logger("letheward.vectors")

_CHUNK = 32  # texts at a time, so that prompts get their turn in between


class VectorCache:
    """Vectors by text, in memory and, given a ``file``, on disk with a checksum. Holds hashes, not texts."""

    def __init__(self, file: Path | None = None, *, shared: bool = False) -> None:
        """Keep vectors in ``file``; ``shared``: other processes of this machine encode the same texts."""
        self._file = file
        self._shares = shared and file is not None
        self._shared: SharedVectors | None = None
        self.indexes = IndexFolder(file.parent / "indexes") if file else None  # over such vectors
        self._vectors: dict[bytes, Floats] = {}
        self._loaded_for: str | None = None
        self._lock = threading.Lock()
        self._unsaved = 0

    def vectors(self, texts: Sequence[str], encoder: Encoder) -> Floats:
        """``(len(texts), dim)``."""
        self._load(encoder)
        keys = [_digest(t) for t in texts]
        held = self._vectors
        found = {k: held[k] for k in keys if k in held}  # ``keep`` may drop some of them meanwhile
        new = [(k, t) for k, t in dict(zip(keys, texts, strict=True)).items() if k not in found]
        for at in range(0, len(new), _CHUNK):
            fresh = self._fresh(dict(new[at : at + _CHUNK]), encoder)
            found |= fresh
            with self._lock:
                self._vectors.update(fresh)
                self._unsaved += len(fresh)
        if not texts:
            return np.empty((0, encoder.dim), np.float32)
        return np.stack([found[k] for k in keys])

    def _fresh(self, texts: Mapping[bytes, str], encoder: Encoder) -> dict[bytes, Floats]:
        """Vectors that are not here yet: another process's where it has them, else encoded."""
        if self._shared is None:
            return dict(zip(texts, encoder.encode(list(texts.values())), strict=True))
        with self._shared.turn():
            found = self._shared.find(list(texts))
            rest = {k: t for k, t in texts.items() if k not in found}
            if rest:
                made = dict(zip(rest, encoder.encode(list(rest.values())), strict=True))
                self._shared.add(made)
                found |= made
        return found

    def forget_shared(self) -> None:
        """Empty what other processes have had time to take."""
        if self._shared is not None:
            self._shared.forget()

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
            self._share(encoder)
            if self._file is None or not self._file.is_file():
                return
            try:
                self._vectors = _read(self._file, encoder)
            except (OSError, ValueError, KeyError) as error:
                log.warning("vectors_rebuilt", file=str(self._file), reason=str(error))

    def _share(self, encoder: Encoder) -> None:
        if not self._shares or self._file is None:
            return
        name = hashlib.blake2b(f"{encoder.name} {encoder.dim}".encode(), digest_size=8).hexdigest()
        try:
            self._shared = SharedVectors(self._file.with_name(f"recent-{name}.vectors"), encoder.dim)
        except OSError as error:
            log.warning("vectors_not_shared", reason=str(error))


def _read(file: Path, encoder: Encoder) -> dict[bytes, Floats]:
    header, body = read(file)
    if (header["encoder"], header["dim"]) != (encoder.name, encoder.dim):
        raise ValueError(f"made with the encoder {header['encoder']}")
    count = header["count"]
    vectors = np.frombuffer(body, "<f4", offset=count * DIGEST).reshape(count, encoder.dim).astype(np.float32)
    return {body[i * DIGEST : (i + 1) * DIGEST]: vectors[i] for i in range(count)}


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
