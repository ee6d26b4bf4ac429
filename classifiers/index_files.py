"""FAISS indexes on disk with a checksum, found by the vectors that they were built over."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from classifiers.checked_file import read, write

Floats = npt.NDArray[np.float32]
log = structlog.get_logger("letheward.index")

_SUFFIX = ".faiss"


class IndexFolder:
    """A folder of indexes. What is damaged, or was built over other vectors, is not used and built anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def name(self, backend: str, vectors: Floats) -> str:
        """What an index over exactly these vectors is called."""
        digest = hashlib.blake2b(np.ascontiguousarray(vectors).data, digest_size=16).hexdigest()
        return f"{backend}-{digest}{_SUFFIX}"

    def get(self, name: str, vectors: Floats) -> Any:
        """The index over ``vectors``, or None."""
        file = self._folder / name
        try:
            _, body = read(file)
            import faiss

            index = faiss.deserialize_index(np.frombuffer(body, np.uint8))
            if (index.ntotal, index.d) != vectors.shape:
                raise ValueError("it is over other vectors")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RuntimeError) as error:
            log.warning("index_rebuilt", file=file.name, reason=str(error))
            return None
        return index

    def put(self, name: str, built: Any) -> None:
        """Write it; whole or not at all. An index is only a copy, so that a full disk is no reason to fail."""
        import faiss

        file = self._folder / name
        body = faiss.serialize_index(built).tobytes()
        try:
            write(file, {"rows": built.ntotal}, body)
        except OSError as error:
            log.warning("index_not_kept", reason=str(error))

    def keep(self, names: Collection[str]) -> None:
        """Remove every file but these: what was deleted leaves no trace."""
        for file in self._folder.glob(f"*{_SUFFIX}"):
            if file.name not in names:
                file.unlink(missing_ok=True)
