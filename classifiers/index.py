"""Nearest vectors by cosine (FAISS): exact while that is fast, a graph above."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FLAT_LIMIT = 50_000


class VectorIndex:
    """Rows ``(n, dim)`` of unit length, searched by inner product."""

    def __init__(self, vectors: npt.NDArray[np.float32], *, flat_limit: int = FLAT_LIMIT) -> None:
        import faiss

        self._count = len(vectors)
        dim = vectors.shape[1]
        if self._count <= flat_limit:
            self._index: Any = faiss.IndexFlatIP(dim)
        else:
            self._index = faiss.IndexHNSWFlat(dim, 32, faiss.METRIC_INNER_PRODUCT)
            self._index.hnsw.efConstruction = 80
            self._index.hnsw.efSearch = 96
        if self._count:
            self._index.add(np.ascontiguousarray(vectors, np.float32))

    def search(self, queries: npt.NDArray[np.float32], k: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Cosines and rows, each ``(len(queries), min(k, n))``, best first; row -1 is no result."""
        k = min(k, self._count)
        if not k or not len(queries):
            empty = (len(queries), 0)
            return np.empty(empty, np.float32), np.empty(empty, np.int64)
        scores, rows = self._index.search(np.ascontiguousarray(queries, np.float32), k)
        return scores, rows
